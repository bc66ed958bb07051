"""What every place is made of: graded skies and grounds, clouds, sun, crescent and stars, things in a row."""

import numpy as np

from .pen import Pen, ellipse, poly

FAR = 2.5  # detail is laid out this far to each side, so that a moving camera finds some
CLOUD = ((-0.07, 0.012, 0.07, 0.032), (0.0, -0.012, 0.075, 0.048), (0.08, 0.012, 0.065, 0.03))


def gradient(pen: Pen, top, bottom, start, end) -> None:
    """Rows from `top` at height `start` to `bottom` at `end` (picture units), the end colours beyond."""
    height, width = pen.image.shape[:2]
    y = ((np.arange(height) + 0.5 - height / 2 - pen.shift_px[1]) / pen.unit + 0.5 - start) / (end - start)
    t = np.clip(y, 0.0, 1.0)[:, None]
    _rows(pen, 0, (1 - t) * np.array(top) + t * np.array(bottom))


def _rows(pen: Pen, first, colours) -> None:
    """Whole rows of one colour each (n, 3), from row `first` down."""
    rows, width, done = pen.image[first:], pen.image.shape[1], 1
    rows[:, 0] = np.round(colours)
    while done < width:  # doubling is ten times faster than numpy's broadcasting of three bytes
        n = min(done, width - done)
        rows[:, done : done + n] = rows[:, :n]
        done += n


def ground(pen: Pen, y, far_colour, near_colour) -> None:
    height = pen.image.shape[0]
    rows = (np.arange(height) + 0.5 - height / 2 - pen.shift_px[1]) / pen.unit + 0.5
    first = int(np.searchsorted(rows, y))
    t = np.clip((rows[first:] - y) / (1.0 - y), 0.0, 1.0)[:, None]
    if first < height:
        _rows(pen, first, (1 - t) * np.array(far_colour) + t * np.array(near_colour))


def spots(pen: Pen, rng, step, reach, jitter=0.35):
    """(x, u) of things about `step` apart that reach `reach` to each side, only those in sight.

    u is three numbers of 0..1, each thing's own, so that it looks the same wherever the camera is.
    """
    x = np.arange(-FAR, 1 + FAR, step)
    x = x + rng.uniform(-jitter, jitter, len(x)) * step
    own = rng.random((len(x), 3))
    return [(float(at), u) for at, u in zip(x, own, strict=True) if pen.sees(at - reach, at + reach)]


def clouds(pen: Pen, rng, colour=(255, 255, 255), y=0.15) -> None:
    for x, u in spots(pen, rng, 0.62, 0.15):
        h = y + 0.12 * u[0] - 0.06
        for dx, dy, rx, ry in CLOUD:
            pen.fill(ellipse(x + dx, h + dy, rx, ry), colour)


def sun(pen: Pen, sunny, colour, halo, x=0.84, y=0.14, r=0.075) -> None:
    if not sunny:
        return
    pen.fill(ellipse(x, y, r * 1.45), halo)
    pen.fill(ellipse(x, y, r), colour)


def crescent(pen: Pen, x, y, r) -> None:
    outer = np.linspace(0.25, 1.75, 25)[:, None] * np.pi
    inner = np.linspace(1.61, 0.39, 25)[:, None] * np.pi  # a second circle through the same two tips
    ring = np.concatenate([np.cos(outer), np.sin(outer)], axis=1)
    bite = np.concatenate([0.45 + 0.752 * np.cos(inner), 0.752 * np.sin(inner)], axis=1)
    pen.fill(poly(*np.concatenate([ring, bite]) * r + (x, y)), (255, 244, 200))


def starry(pen: Pen, rng, limit) -> None:
    for x, u in spots(pen, rng, 0.07, 0.012):
        y = -0.3 + u[0] * (limit + 0.3)
        pen.fill(ellipse(x, y, 0.009 if u[1] < 0.3 else 0.0065), (255, 252, 225))

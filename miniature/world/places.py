"""Backgrounds. Each function fills the whole picture, far beyond what an unshifted camera sees."""

import cv2
import numpy as np

from .pen import Pen, box, capsule, ellipse, poly
from .scene import Scene

FAR = 2.5  # detail is laid out this far to each side, so that a moving camera finds some
INDIGO = (16, 18, 44)
CLOUD = ((-0.07, 0.012, 0.07, 0.032), (0.0, -0.012, 0.075, 0.048), (0.08, 0.012, 0.065, 0.03))
SNOW = (246, 250, 255)
NIGHT = (0.32, 0.36, 0.56)  # what darkness leaves of red, green and blue
NIGHT_HAZE = (4.0, 8.0, 28.0)  # and what is added
RAIN_LIGHT, RAIN_HAZE = (0.62, 0.66, 0.7), (24.0, 28.0, 36.0)
ALWAYS_NIGHT = ("moon", "city")


def _gradient(pen: Pen, top, bottom, start, end) -> None:
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


def _ground(pen: Pen, y, far_colour, near_colour) -> None:
    height = pen.image.shape[0]
    rows = (np.arange(height) + 0.5 - height / 2 - pen.shift_px[1]) / pen.unit + 0.5
    first = int(np.searchsorted(rows, y))
    t = np.clip((rows[first:] - y) / (1.0 - y), 0.0, 1.0)[:, None]
    if first < height:
        _rows(pen, first, (1 - t) * np.array(far_colour) + t * np.array(near_colour))


def _spots(pen: Pen, rng, step, reach, jitter=0.35):
    """(x, u) of things about `step` apart that reach `reach` to each side, only those in sight.

    u is three numbers of 0..1, each thing's own, so that it looks the same wherever the camera is.
    """
    x = np.arange(-FAR, 1 + FAR, step)
    x = x + rng.uniform(-jitter, jitter, len(x)) * step
    own = rng.random((len(x), 3))
    return [(float(at), u) for at, u in zip(x, own, strict=True) if pen.sees(at - reach, at + reach)]


def _clouds(pen: Pen, rng, colour=(255, 255, 255), y=0.15) -> None:
    for x, u in _spots(pen, rng, 0.62, 0.15):
        h = y + 0.12 * u[0] - 0.06
        for dx, dy, rx, ry in CLOUD:
            pen.fill(ellipse(x + dx, h + dy, rx, ry), colour)


def _sun(pen: Pen, sunny, colour, halo, x=0.84, y=0.14, r=0.075) -> None:
    if not sunny:
        return
    pen.fill(ellipse(x, y, r * 1.45), halo)
    pen.fill(ellipse(x, y, r), colour)


def _crescent(pen: Pen, x, y, r) -> None:
    outer = np.linspace(0.25, 1.75, 25)[:, None] * np.pi
    inner = np.linspace(1.61, 0.39, 25)[:, None] * np.pi  # a second circle through the same two tips
    ring = np.concatenate([np.cos(outer), np.sin(outer)], axis=1)
    bite = np.concatenate([0.45 + 0.752 * np.cos(inner), 0.752 * np.sin(inner)], axis=1)
    pen.fill(poly(*np.concatenate([ring, bite]) * r + (x, y)), (255, 244, 200))


def _starry(pen: Pen, rng, limit) -> None:
    for x, u in _spots(pen, rng, 0.09, 0.01):
        y = -0.3 + u[0] * (limit + 0.3)
        pen.fill(ellipse(x, y, 0.007 if u[1] < 0.3 else 0.0045), (255, 252, 225))


def street(pen: Pen, rng, horizon, sunny) -> None:
    _gradient(pen, (110, 188, 250), (214, 238, 255), 0.0, horizon)
    _clouds(pen, rng, y=0.1)
    walls = ((240, 200, 170), (226, 170, 150), (200, 206, 226), (246, 226, 180), (190, 214, 206))
    x = -FAR
    while x < 1 + FAR:
        w, top, wall = rng.uniform(0.2, 0.3), rng.uniform(0.2, 0.36), walls[rng.integers(len(walls))]
        if pen.sees(x, x + w):
            pen.shape(box(x, top, x + w, horizon + 0.02), colour=wall, ink=(120, 104, 112))
            windows = [(wx, wy, wx + 0.042, wy + 0.055) for wx in np.arange(x + 0.045, x + w - 0.05, 0.08)
                       for wy in np.arange(top + 0.05, horizon - 0.08, 0.095)]
            pen.fill_boxes(windows, (140, 176, 210))
        x += w
    _ground(pen, horizon, (206, 202, 200), (206, 202, 200))
    _ground(pen, horizon + 0.075, (124, 126, 136), (96, 98, 108))
    pen.fill(box(-FAR, horizon + 0.068, 1 + FAR, horizon + 0.082), (162, 160, 162))
    _dashes(pen, rng, (250, 244, 214))


def _dashes(pen: Pen, rng, colour) -> None:
    for x in np.arange(-FAR, 1 + FAR, 0.3) + rng.uniform(0, 0.3):
        if pen.sees(x, x + 0.17):
            pen.fill(poly((x, 0.915), (x + 0.17, 0.915), (x + 0.16, 0.95), (x - 0.01, 0.95)), colour)


def grass(pen: Pen, rng, horizon, sunny) -> None:
    _gradient(pen, (78, 172, 250), (206, 236, 255), 0.0, horizon)
    _sun(pen, sunny, (255, 236, 110), (236, 240, 200))
    _clouds(pen, rng)
    for x, u in _spots(pen, rng, 0.55, 0.42):
        pen.fill(ellipse(x, horizon + 0.06, 0.3 + 0.12 * u[0], 0.12 + 0.08 * u[1]), (122, 196, 122))
    _ground(pen, horizon, (150, 218, 96), (108, 190, 66))
    for x, u in _spots(pen, rng, 0.17, 0.03):
        y = horizon + 0.06 + u[0] * (1.04 - horizon)
        for d in (-0.014, 0.0, 0.014):
            pen.line((x, y), (x + d * 1.4, y - 0.032), colour=(76, 158, 56), width=0.009)


def beach(pen: Pen, rng, horizon, sunny) -> None:
    _gradient(pen, (64, 178, 246), (196, 238, 255), 0.0, horizon - 0.1)
    _sun(pen, sunny, (255, 240, 130), (222, 240, 225), x=0.16)
    _clouds(pen, rng, y=0.12)
    _ground(pen, horizon - 0.1, (30, 150, 214), (30, 150, 214))
    for x, u in _spots(pen, rng, 0.3, 0.1):
        y = horizon - 0.08 + 0.07 * u[0]
        pen.line((x, y), (x + 0.09, y), colour=(130, 208, 240), width=0.009)
    _ground(pen, horizon + 0.03, (255, 255, 255), (255, 255, 255))
    _ground(pen, horizon + 0.052, (248, 222, 158), (240, 204, 126))
    for x, _ in _spots(pen, rng, 0.86, 0.2):
        _palm(pen, x, horizon + 0.12)


def _palm(pen: Pen, x, y) -> None:
    pen.shape(capsule((x, y), (x + 0.035, y - 0.36), 0.021, 0.015), colour=(160, 108, 62), ink=(92, 62, 44))
    for angle in (-2.9, -2.2, -0.9, -0.2, 0.35, 2.8):
        tip = (x + 0.035 + 0.15 * np.cos(angle), y - 0.36 + 0.1 * np.sin(angle) + 0.02)
        pen.fill(capsule((x + 0.035, y - 0.365), tip, 0.026, 0.006), (44, 150, 80))


def snow(pen: Pen, rng, horizon, sunny) -> None:
    _gradient(pen, (150, 186, 224), (222, 234, 246), 0.0, horizon)
    for x, u in _spots(pen, rng, 0.5, 0.34):
        h = 0.2 + 0.1 * u[0]
        foot, top, cap = horizon + 0.02, horizon - h, horizon - h * 0.66
        pen.fill(poly((x - 0.34, foot), (x, top), (x + 0.34, foot)), (176, 196, 224))
        pen.fill(poly((x - 0.12, cap), (x, top), (x + 0.12, cap)), SNOW)
    _ground(pen, horizon, (232, 240, 252), SNOW)
    for x, u in _spots(pen, rng, 0.3, 0.1):
        _pine(pen, x, horizon + 0.035, 0.8 + 0.35 * u[0])


def _pine(pen: Pen, x, y, s) -> None:
    pen.fill(box(x - 0.012, y - 0.04 * s, x + 0.012, y), (116, 84, 66))
    for k, w in enumerate((0.075, 0.06, 0.043)):
        low = y - (0.03 + 0.058 * k) * s
        pen.fill(poly((x - w * s, low), (x, low - 0.1 * s), (x + w * s, low)), (54, 116, 104))
    pen.fill(poly((x - 0.026 * s, y - 0.19 * s), (x, y - 0.246 * s), (x + 0.026 * s, y - 0.19 * s)), SNOW)


def desert(pen: Pen, rng, horizon, sunny) -> None:
    _gradient(pen, (255, 176, 96), (255, 232, 178), 0.0, horizon)
    _sun(pen, sunny, (255, 246, 190), (255, 218, 140), x=0.2, y=0.16, r=0.09)
    for x, u in _spots(pen, rng, 0.6, 0.45):
        pen.fill(ellipse(x, horizon + 0.05, 0.3 + 0.15 * u[0], 0.1 + 0.07 * u[1]), (226, 150, 84))
    _ground(pen, horizon, (238, 180, 104), (222, 150, 72))
    for x, _ in _spots(pen, rng, 0.66, 0.1, 0.25):
        _cactus(pen, x, horizon + 0.1)
    for x, u in _spots(pen, rng, 0.4, 0.17):
        y = horizon + 0.12 + u[0] * (0.98 - horizon)
        pen.line((x, y), (x + 0.08, y - 0.012), (x + 0.16, y), colour=(196, 124, 58), width=0.009)


def _cactus(pen: Pen, x, y) -> None:
    parts = (capsule((x, y), (x, y - 0.25), 0.03), capsule((x, y - 0.1), (x - 0.075, y - 0.1), 0.02),
             capsule((x - 0.075, y - 0.1), (x - 0.075, y - 0.17), 0.02),
             capsule((x, y - 0.13), (x + 0.075, y - 0.13), 0.02),
             capsule((x + 0.075, y - 0.13), (x + 0.075, y - 0.21), 0.02))
    pen.shape(*parts, colour=(78, 150, 84), ink=(42, 88, 56))


def moon(pen: Pen, rng, horizon, sunny) -> None:
    _gradient(pen, (6, 6, 20), (30, 30, 62), 0.0, horizon)
    _starry(pen, rng, horizon - 0.04)
    pen.fill(ellipse(0.8, 0.17, 0.105), (44, 110, 214))
    pen.fill(ellipse(0.765, 0.14, 0.045, 0.03, 0.5), (84, 180, 110))
    pen.fill(ellipse(0.845, 0.205, 0.038, 0.026, -0.4), (84, 180, 110))
    for x, u in _spots(pen, rng, 0.6, 0.4):
        pen.fill(ellipse(x, horizon + 0.04, 0.2 + 0.2 * u[0], 0.05 + 0.04 * u[1]), (128, 130, 142))
    _ground(pen, horizon, (172, 174, 184), (146, 148, 160))
    for x, u in _spots(pen, rng, 0.3, 0.15):
        y = horizon + 0.05 + u[0] * (1.03 - horizon)
        r = 0.03 + 0.1 * (y - horizon)
        pen.fill(ellipse(x, y, r * 1.5, r * 0.6), (112, 114, 126))
        pen.fill(ellipse(x, y + r * 0.14, r * 1.3, r * 0.45), (134, 136, 148))


def city(pen: Pen, rng, horizon, sunny) -> None:
    _gradient(pen, INDIGO, (70, 56, 120), 0.0, horizon)
    _starry(pen, rng, 0.25)
    _crescent(pen, 0.17, 0.14, 0.07)
    walls = ((36, 36, 74), (46, 44, 88), (30, 32, 64))
    x = -FAR
    while x < 1 + FAR:
        w, top = rng.uniform(0.13, 0.21), rng.uniform(0.16, 0.38)
        wall, lit = walls[rng.integers(3)], rng.random((3, 6)) < 0.6
        if pen.sees(x, x + w):
            pen.fill(box(x, top, x + w + 0.003, horizon + 0.05), wall)
            windows = [(wx, wy, wx + 0.03, wy + 0.036)
                       for column, wx in enumerate(np.arange(x + 0.03, x + w - 0.035, 0.058))
                       for row, wy in enumerate(np.arange(top + 0.03, horizon - 0.02, 0.068))
                       if lit[column % 3, row % 6]]
            pen.fill_boxes(windows, (255, 214, 100))
        x += w
    _ground(pen, horizon + 0.03, (98, 90, 132), (98, 90, 132))
    _ground(pen, horizon + 0.06, (58, 56, 88), (44, 43, 72))
    _dashes(pen, rng, (236, 206, 110))


def sea(pen: Pen, rng, horizon, sunny) -> None:
    _gradient(pen, (96, 190, 248), (222, 244, 255), 0.0, horizon - 0.04)
    _sun(pen, sunny, (255, 240, 130), (226, 242, 226))
    _clouds(pen, rng, y=0.17)
    for x, _ in _spots(pen, rng, 1.1, 0.16, 0.3):
        pen.fill(ellipse(x, horizon - 0.04, 0.16, 0.07), (110, 170, 140))
    _ground(pen, horizon - 0.04, (44, 150, 216), (16, 92, 176))
    for x, u in _spots(pen, rng, 0.1, 0.08):
        y = horizon + u[0] * (1.1 - horizon)
        w = 0.03 + 0.09 * (y - horizon)
        pen.line((x - w, y), (x - w / 2, y - w / 4), (x, y), (x + w / 2, y - w / 4), (x + w, y),
                 colour=(136, 206, 240), width=0.01)


PLACES = {"street": street, "grass": grass, "beach": beach, "snow": snow, "desert": desert, "moon": moon,
          "city": city, "sea": sea}


def paint(pen: Pen, scene: Scene) -> None:
    """The scene's place, darker in rain and by night; ALWAYS_NIGHT has its night anyway."""
    night = scene.time == "night" and scene.place not in ALWAYS_NIGHT
    sunny = not night and scene.weather != "rain"
    PLACES[scene.place](pen, np.random.default_rng(scene.seed), scene.horizon, sunny)
    if scene.weather == "rain":
        _dim(pen, RAIN_LIGHT, RAIN_HAZE)
    if night:
        _dim(pen, NIGHT, NIGHT_HAZE)
        _starry(pen, np.random.default_rng(scene.seed + 1), 0.17)
        _crescent(pen, 0.85, 0.11, 0.06)


def _dim(pen: Pen, light, haze) -> None:
    pen.image[:] = cv2.add(cv2.multiply(pen.image, (*light, 0.0)), (*haze, 0.0))

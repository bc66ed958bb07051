"""What a clip's frames do: how far the whole picture moves, how evenly, and what changes besides.

A frozen clip wins every consistency score, so the change between frames is always told beside the motion.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

BLUR_PX = 1.5  # makes the peak of a correlation smooth enough for parts of a pixel
FURTHEST = 0.5  # share of a side; what has moved further shows too little to be found again
EDGE_PX = 3  # pixels that interpolation at a border reaches


@dataclass(frozen=True, eq=False)
class Movement:
    """How the whole picture moves through a clip of f frames.

    places: (f, 2), (x, y) in pixels, positive to the right and downwards: where frame 0's picture lies in
    frame k. between: (f-1, 2), the motion from each frame to the next, measured by itself. alike: (f-1,),
    how much frame k's outlines, moved back, are frame 0's: 1 for the same picture, about 0 for another one.
    """

    places: np.ndarray
    between: np.ndarray
    alike: np.ndarray

    @property
    def per_frame(self) -> np.ndarray:
        """(x, y), pixels per frame over the clip: the steady motion that fits all places best."""
        k = np.arange(len(self.places))
        return k @ self.places / (k @ k)

    @property
    def judder(self) -> float:
        """Pixels by which a step between neighbours differs from the mean step (root mean square)."""
        return float(np.sqrt(((self.between - self.between.mean(axis=0)) ** 2).sum(axis=1).mean()))

    def error(self, asked: tuple[float, float]) -> float:
        """Distance between the motion seen and the motion asked for, as a share of the latter."""
        return float(np.linalg.norm(self.per_frame - asked) / np.linalg.norm(asked))


def outlines(frame: np.ndarray) -> np.ndarray:
    """Grey gradients (x, y) of an RGB frame (h, w, 3), uint8, as one complex picture (h, w)."""
    grey = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), BLUR_PX)
    down, right = np.gradient(grey)
    return right + 1j * down


def _all_shifts(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum over places of conj(a) at a place times b at the place d further, for every shift d, 0 first."""
    size = _room(a.shape)
    return np.fft.ifft2(np.conj(np.fft.fft2(a, size)) * np.fft.fft2(b, size)).real


def _room(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The sides with as much added that no shift looked at wraps around onto the picture."""
    return tuple(side + math.ceil(FURTHEST * side) for side in shape)


def shift_between(
    before: np.ndarray,
    after: np.ndarray,
    seen_before: np.ndarray | None = None,
    seen_after: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """How far a frame's picture has moved in another, (x, y) in pixels, and how alike they are then (-1..1).

    before, after: RGB uint8 (h, w, 3). seen_before, seen_after: how much each pixel counts, 0..1 (h, w); None
    counts all. The shift at which the outlines correlate best, over the part both show; gradients have
    directions, so neither light nor flat areas count, only what stands where. Masks are left out as in
    Padfield, "Masked Object Registration in the Fourier Domain" (IEEE TIP 2012). (nan, nan) and nan where
    nothing counts.
    """
    a, b = outlines(before), outlines(after)
    seen_a, seen_b = (
        np.ones(a.shape, np.float32) if seen is None else seen.astype(np.float32)
        for seen in (seen_before, seen_after)
    )
    agreement = _all_shifts(a * seen_a, b * seen_b)
    strength = _all_shifts(np.abs(a) ** 2 * seen_a, seen_b) * _all_shifts(seen_a, np.abs(b) ** 2 * seen_b)
    least = min(float(seen_a.sum()), float(seen_b.sum()))
    if least < 1:
        return np.full(2, np.nan), float("nan")
    alike = agreement / np.sqrt(np.maximum(strength, 1e-3 * strength.max() + 1e-6))
    # a correlation is worth the root of how much it was taken over: slivers at the edges agree by chance
    share = np.clip(_all_shifts(seen_a, seen_b) / least, 0, 1)
    rows, columns = (np.fft.fftfreq(room, 1 / room) for room in alike.shape)
    near_y, near_x = (
        np.abs(shifts) <= FURTHEST * side for shifts, side in zip((rows, columns), a.shape, strict=True)
    )
    evidence = np.where(near_y[:, None] & near_x[None], alike * np.sqrt(share), 0)
    height, width = alike.shape
    y, x = np.unravel_index(evidence.argmax(), evidence.shape)
    part_x = _vertex(*(alike[y, (x + step) % width] for step in (-1, 0, 1)))
    part_y = _vertex(*(alike[(y + step) % height, x] for step in (-1, 0, 1)))
    return np.array([columns[x] + part_x, rows[y] + part_y]), float(alike[y, x])


def _vertex(left: float, middle: float, right: float) -> float:
    """Where the parabola through three neighbours has its top, in -0.5..0.5 from the middle one."""
    bend = left - 2 * middle + right
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))


def movement(frames: np.ndarray) -> Movement:
    """Measure a clip, uint8 (f, h, w, 3) RGB, of two frames or more."""
    from_first = [shift_between(frames[0], frame) for frame in frames[1:]]
    between = [shift_between(*pair)[0] for pair in zip(frames[:-1], frames[1:], strict=True)]
    places = np.stack([np.zeros(2), *(place for place, _ in from_first)])
    return Movement(places, np.stack(between), np.array([alike for _, alike in from_first]))


def moved_back(picture: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """A picture (h, w) or (h, w, c) with what stands at p + shift, (x, y) in pixels, at p; 0 beyond it."""
    back = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, back, picture.shape[1::-1], flags=flags)


def change(before: np.ndarray, after: np.ndarray, shift: np.ndarray) -> float:
    """Mean absolute difference (of 255) between two frames once the second is moved back by ``shift`` (x, y).

    Only what both show counts. What is left is flicker, and whatever did not move with the picture.
    """
    moved = moved_back(after, shift).astype(np.float32)
    x, y = (int(np.ceil(abs(part))) + EDGE_PX for part in shift)
    rows = slice(EDGE_PX, -y) if shift[1] > 0 else slice(y, -EDGE_PX)
    columns = slice(EDGE_PX, -x) if shift[0] > 0 else slice(x, -EDGE_PX)
    return float(np.abs(moved - before)[rows, columns].mean())


def flicker(frames: np.ndarray, moved: Movement) -> float:
    """Mean change between neighbouring frames after undoing the motion seen between them, of 255."""
    pairs = zip(frames[:-1], frames[1:], moved.between, strict=True)
    return float(np.mean([change(*pair) for pair in pairs]))


def flicker_as_asked(frames: np.ndarray, asked: tuple[float, float]) -> float:
    """Mean change between neighbouring frames after undoing the motion *asked for*, (x, y) pixels, of 255.

    A frozen clip, which has no flicker, has its whole motion here.
    """
    return float(np.mean([change(*pair, np.array(asked)) for pair in pairwise(frames)]))


def drift(frames: np.ndarray, moved: Movement) -> float:
    """Mean change of all frames against the first after undoing the motion since then, of 255."""
    pairs = zip(frames[1:], moved.places[1:], strict=True)
    return float(np.mean([change(frames[0], frame, place) for frame, place in pairs]))

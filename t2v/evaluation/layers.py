"""A subject and its background, asked to move at speeds of their own: the measure that no still can win.

A picture that is only moved as a whole, frozen included, has one speed, so that by the triangle inequality
its error is 1 or more whatever that speed is; a subject that passes a background as asked has 0. What each
layer looks like is measured apart from that: its change once the motion *asked for* is undone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from t2v.evaluation.movement import moved_back, shift_between

RIM = 1 / 64  # of the shorter side: how far a subject's outline and a judge's mistakes reach beyond its mask
SHADOW = 0.15  # of a subject's width: how far its shadow reaches beyond it on either side
Speed = tuple[float, float]
Judge = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Layers:
    """What two layers of a clip of f frames do.

    asked: the subject's and the background's motion, (x, y) in pixels per frame. steps: (2, f-1, 2), the
    motion of both that is seen from each frame to the next, (nan, nan) where a layer cannot be seen.
    subject_change, background_change: mean absolute change (of 255) of neighbours at the motion asked for,
    and since_first of the last frame against the first, (subject, background). overlap: (f-1,), intersection
    over union of frame k's mask and frame 0's moved as asked.
    """

    asked: tuple[Speed, Speed]
    steps: np.ndarray
    subject_change: float
    background_change: float
    since_first: tuple[float, float]
    overlap: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """(2, 2): the mean motion of the subject and of the background, pixels per frame."""
        found = np.isfinite(self.steps).any(axis=1)
        return np.where(found, np.nansum(self.steps, axis=1) / np.maximum(self._counts(), 1), np.nan)

    def _counts(self) -> np.ndarray:
        return np.isfinite(self.steps).sum(axis=1)

    @property
    def error(self) -> float:
        """(|s_seen - v_s| + |b_seen - v_b|) / |v_s - v_b|, the mean over the steps: 0 as asked, 1 a still.

        A layer that cannot be seen counts as if it did the other's motion, as in a still.
        """
        apart = float(np.linalg.norm(np.subtract(*self.asked)))
        off = np.linalg.norm(self.steps - np.array(self.asked)[:, None], axis=-1)
        return float(np.where(np.isfinite(off), off, apart).sum(axis=0).mean() / apart)


def layers(frames: np.ndarray, masks: np.ndarray | Judge, subject: Speed, background: Speed) -> Layers:
    """Measure a clip whose subject and background were asked to move at speeds of their own.

    frames: uint8 RGB (f, h, w, 3), two or more. masks: bool (f, h, w), true where the subject is, or a judge
    that tells them from the frames. subject, background: (x, y) in pixels per frame, to the right and
    downwards; ValueError where they are the same, as a still would do then.
    """
    if subject == background:
        raise ValueError(f"Subject and background are both asked to move by {subject}; a still does that.")
    known = masks(frames) if callable(masks) else masks
    if known.shape != frames.shape[:3]:
        raise ValueError(f"The masks are {known.shape}, and the frames {frames.shape[:3]}.")
    inside = np.stack([grown(mask, rim_px(mask.shape)) for mask in known])
    # the rim on both sides belongs to neither with certainty: what is grown twice is the subject's for sure
    outside = np.stack([~grown(mask, 2 * rim_px(mask.shape)) for mask in known])
    aside = outside & ~np.stack([under(mask) for mask in known])
    steps = [
        [shift_between(*frames[k : k + 2], *seen[k : k + 2])[0] for k in range(len(frames) - 1)]
        for seen in (inside, aside)
    ]
    last = len(frames) - 1
    neighbours, since_first = [], []
    for seen, speed in ((known, subject), (outside, background)):
        neighbours.append(_mean([_change(frames, seen, speed, k, k + 1) for k in range(last)]))
        since_first.append(_change(frames, seen, speed, 0, last))
    return Layers(
        asked=(subject, background),
        steps=np.array(steps),
        subject_change=neighbours[0],
        background_change=neighbours[1],
        since_first=(since_first[0], since_first[1]),
        overlap=np.array([overlap(known[0], known[k], np.multiply(subject, k)) for k in range(1, last + 1)]),
    )


def rim_px(shape: tuple[int, ...]) -> int:
    """Pixels of a subject's rim in pictures (h, w)."""
    return max(2, round(RIM * min(shape)))


def grown(mask: np.ndarray, px: int) -> np.ndarray:
    """A mask, bool (h, w), with everything within ``px`` pixels of it."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1))
    return cv2.dilate(mask.astype(np.uint8), disc) > 0


def under(mask: np.ndarray) -> np.ndarray:
    """Where a subject's shadow, foam or mirror image goes with it, bool (h, w): below its middle.

    The background's motion is not read there. None where the mask is empty.
    """
    found = np.zeros_like(mask)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if len(rows):
        broader = round(SHADOW * (columns[-1] + 1 - columns[0])) + rim_px(mask.shape)
        found[(rows[0] + rows[-1]) // 2 :, max(0, columns[0] - broader) : columns[-1] + 1 + broader] = True
    return found


def overlap(first: np.ndarray, mask: np.ndarray, shift: np.ndarray) -> float:
    """Intersection over union of a mask, bool (h, w), and the first frame's moved by ``shift`` (x, y).

    What was moved out of the picture does not count; 0 where nothing is left of both.
    """
    height, width = mask.shape
    there = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    moved = cv2.warpAffine(first.astype(np.float32), there, (width, height)) > 0.5
    union = (moved | mask).sum()
    return float((moved & mask).sum() / union) if union else 0.0


def _change(frames: np.ndarray, seen: np.ndarray, speed: Speed, first: int, second: int) -> float:
    """Mean absolute change (of 255) of a layer between two frames, its speed undone; nan where unseen."""
    shift = np.multiply(speed, second - first)
    both = seen[first] & (moved_back(seen[second].astype(np.float32), shift) > 0.99)
    difference = moved_back(frames[second], shift).astype(np.float32) - frames[first]
    return float(np.abs(difference)[both].mean()) if both.any() else float("nan")


def _mean(changes: list[float]) -> float:
    told = [one for one in changes if np.isfinite(one)]
    return float(np.mean(told)) if told else float("nan")

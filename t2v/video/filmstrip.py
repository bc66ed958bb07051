"""A clip at a glance: how long it is, and small pictures from its beginning to its end.

Only single frames are decoded, so that an hour takes hardly longer than a second.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from t2v.checks import InputError
from t2v.video.clips import Clip, Selection, length_s

PICTURES = 8
SIDE_PX = 96  # of each, a square out of its middle


@dataclass(frozen=True, eq=False)
class Filmstrip:
    """pictures: uint8 RGB (PICTURES, SIDE_PX, SIDE_PX, 3), each of the middle of its share of the clip.

    length_s: of the clip, in seconds.
    """

    pictures: np.ndarray
    length_s: float


def length_of(clip: Clip) -> float:
    """Seconds that a whole clip lasts, as its header tells it; it is decoded where that tells nothing."""
    try:
        if not clip.info.stamps.is_even:
            return max(length_s(clip.path), 1 / clip.fps)
    except InputError:  # no length in the header
        pass
    return _counted_s(clip)


def filmstrip(clip: Clip) -> Filmstrip:
    """Pictures of a whole clip; InputError where it cannot be read."""
    whole = replace(clip, wanted=Selection())
    length = length_of(whole)
    try:
        return Filmstrip(_pictures(whole, length), length)
    except InputError:  # the header told more than there is
        length = _counted_s(whole)
        return Filmstrip(_pictures(whole, length), length)


def _counted_s(clip: Clip) -> float:
    return clip.count() / clip.fps


def _pictures(clip: Clip, length: float) -> np.ndarray:
    shares = (np.arange(PICTURES) + 0.5) / PICTURES
    return np.stack([_square(_frame(clip, share * length)) for share in shares])


def _frame(clip: Clip, at_s: float) -> np.ndarray:
    """The frame on show at a moment: of a slow clip the next one begins long after."""
    at_s = max(0.0, at_s - 1 / clip.fps)
    return next(iter(replace(clip, wanted=Selection(start_s=at_s, max_frames=1))))


def _square(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = np.ascontiguousarray(frame[top : top + side, left : left + side])
    shrinks = side > SIDE_PX
    return cv2.resize(
        middle, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )

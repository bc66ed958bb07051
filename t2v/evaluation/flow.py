"""Dense motion between frames, and what changes along it: the measure of videos that follow a clip.

The error along the flow of the clip that is followed tells whether the video stays the same where the clip
does: E_warp of Lai et al., "Learning Blind Video Temporal Consistency" (ECCV 2018, section 4.1), as mean
absolute instead of mean squared difference. The flow is DIS (Kroeger et al., ECCV 2016, arXiv 1603.03590).
A frozen video is steady but does not move with the clip; it belongs beside every figure.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

# Where forward and backward flow disagree by more, a place is hidden in one of the frames or wrongly followed
# (Sundaram, Brox, Keutzer, ECCV 2010, eq. 5): share of the squared lengths of both, and squared pixels.
DISAGREEMENT, SLACK_PX2 = 0.01, 0.5
LEAST_SIDE_PX = 16  # DIS looks at patches of 8 pixels, and needs a few of them


@dataclass(frozen=True, eq=False)
class Flow:
    """Motion from one frame to the next.

    forward: float32 (h, w, 2), (x, y) in pixels: what stands at p in the first frame stands at p + forward(p)
    in the second. backward: the same from the second to the first. seen: bool (h, w), places of the first
    frame that the second also shows, as far as both flows agree.
    """

    forward: np.ndarray
    backward: np.ndarray
    seen: np.ndarray


def dis_flow(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where each pixel of a frame lies in another: float32 (h, w, 2), offsets (x, y) in pixels.

    before, after: uint8 RGB (h, w, 3), at least 16 pixels a side (ValueError).
    """
    if before.shape != after.shape or min(before.shape[:2]) < LEAST_SIDE_PX:
        sizes = f"{before.shape[1]}x{before.shape[0]} and {after.shape[1]}x{after.shape[0]}"
        raise ValueError(f"The frames are {sizes}; flow needs two of one size, {LEAST_SIDE_PX} px or more.")
    a, b = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (before, after))
    found = np.zeros((*a.shape, 2), np.float32)
    cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(a, b, found)
    return found


def warp_back(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The second picture, (h, w) or (h, w, c), as the first shows it: float32.

    At p is what stands at p + flow(p), interpolated between pixels; beyond the border its outermost pixels
    are repeated.
    """
    x, y = np.moveaxis(_places(flow), -1, 0)
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    return cv2.remap(picture.astype(np.float32), x, y, flags, borderMode=border)


def _places(flow: np.ndarray) -> np.ndarray:
    """p + flow(p) for every pixel p."""
    height, width = flow.shape[:2]
    return flow + np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)


def both_agree(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """bool (h, w): where going forward and back again leads to where one started, inside the picture."""
    back = warp_back(backward, forward)
    lengths = (forward**2).sum(axis=-1) + (back**2).sum(axis=-1)
    place = _places(forward)
    height, width = forward.shape[:2]
    inside = ((place > -0.5) & (place < (width - 0.5, height - 0.5))).all(axis=-1)
    return inside & (((forward + back) ** 2).sum(axis=-1) <= DISAGREEMENT * lengths + SLACK_PX2)


def flow_between(before: np.ndarray, after: np.ndarray) -> Flow:
    """The motion between two frames, as ``dis_flow`` sees it both ways."""
    forward, backward = dis_flow(before, after), dis_flow(after, before)
    return Flow(forward, backward, both_agree(forward, backward))


def flows(frames: Iterable[np.ndarray]) -> Iterator[Flow]:
    """The motion from each frame to the next, f - 1 of them, one at a time."""
    return (flow_between(*pair) for pair in pairwise(frames))


def even_flow(shape: tuple[int, ...], shift: tuple[float, float]) -> Flow:
    """The motion of a picture (h, w, …) that moves as one by ``shift`` (x, y) pixels."""
    forward = np.empty((*shape[:2], 2), np.float32)
    forward[:] = shift
    return Flow(forward, -forward, both_agree(forward, -forward))


def change_along(before: np.ndarray, after: np.ndarray, flow: Flow) -> float:
    """Mean absolute difference (of 255) of two frames (h, w, 3) along a flow, where it is seen; else nan."""
    if not flow.seen.any():
        return float("nan")
    return float(np.abs(warp_back(after, flow.forward) - before)[flow.seen].mean())


def error_along(frames: Iterable[np.ndarray], along: Iterable[Flow]) -> float:
    """Mean over neighbours of the change (of 255) along the flows given; nan where none leads anywhere."""
    changes = [change_along(*pair, flow) for pair, flow in zip(pairwise(frames), along, strict=True)]
    told = [one for one in changes if np.isfinite(one)]
    return float(np.mean(told)) if told else float("nan")


def warp_error(frames: Iterable[np.ndarray], source_frames: Iterable[np.ndarray]) -> float:
    """How much a video changes (mean absolute, of 255) along the motion of the clip that it follows.

    frames, source_frames: uint8 RGB, equally many of one size (h, w, 3), two or more; a video's own error
    is ``warp_error(frames, frames)``.
    """
    return error_along(frames, flows(source_frames))

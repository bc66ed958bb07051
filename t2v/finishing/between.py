"""Frames in between two frames, by motion: a video at a higher rate.

The flow from t to either frame is put together from the flows between them, as if things moved evenly
(Jiang et al., "Super SloMo", CVPR 2018, arXiv 1712.00080, eq. 4). Each frame is brought to t along it; the
two are averaged by how near they are in time (eq. 1), and a place that one of them does not show is taken
from the other.

ffmpeg's minterpolate does the middle between two frames about as well, and any other moment wrongly: in its
version of 2026 what has to move by a third of the way moves by a sixth.
"""

from collections.abc import Generator, Iterable

import cv2
import numpy as np

from t2v.evaluation.flow import LEAST_SIDE_PX, Flow, both_agree, flow_between, warp_back

CUT = 0.15  # of the places are seen in both frames; scenes of different kinds have 0.1, a fast dance 0.2
APART = 30.0  # of 255 along the flow; such scenes differ by 50 or more, neighbours by some 10
FAINT = 0.02  # what a frame counts for at a place that it does not show
SOFT = 2 / 256  # of the side: how softly a place that is not shown ends


def smoothed(frames: Iterable[np.ndarray], times: Iterable[float]) -> Generator[np.ndarray]:
    """The frames, uint8 RGB (h, w, 3), at other times, one by one: two of them are held in memory.

    times: rising, in frames; 1.5 is the middle between the second and the third. At a whole number the frame
    is as it was, and behind the last one that stays.
    """
    source = iter(frames)
    before, after = next(source), next(source, None)
    number, flow = 0, None
    for time in times:
        while after is not None and time >= number + 1:
            before, after, flow = after, next(source, None), None
            number += 1
        if after is None or time <= number:
            yield before
            continue
        flow = _flow(before, after) if flow is None else flow
        yield between(before, after, time - number, flow)


def between(before: np.ndarray, after: np.ndarray, share: float, flow: Flow) -> np.ndarray:
    """What stands between two frames, uint8 RGB (h, w, 3), at a share (0..1) of the way from the first.

    flow: between the two. Over a cut it is the nearer one of them.
    """
    there, back = flow.forward, flow.backward
    if flow.seen.mean() < CUT or np.abs(warp_back(after, there) - before).mean() > APART:
        return before if share < 0.5 else after
    to_first = -(1 - share) * share * there + share**2 * back
    to_second = (1 - share) ** 2 * there - share * (1 - share) * back
    first, second = warp_back(before, to_first), warp_back(after, to_second)
    shown_first, shown_second = _shown(flow.seen, to_first), _shown(both_agree(back, there), to_second)
    weight_first, weight_second = (1 - share) * shown_first, share * shown_second
    mixed = (weight_first[..., None] * first + weight_second[..., None] * second) / (
        weight_first + weight_second
    )[..., None]
    return mixed.round().clip(0, 255).astype(np.uint8)


def _flow(before: np.ndarray, after: np.ndarray) -> Flow:
    """The motion between two frames; none at all is known of tiny ones."""
    if min(before.shape[:2]) < LEAST_SIDE_PX:
        still = np.zeros((*before.shape[:2], 2), np.float32)
        return Flow(still, still, np.zeros(before.shape[:2], bool))
    return flow_between(before, after)


def _shown(seen: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """How much a frame counts at each place, (h, w), along the flow to it: 1 where it shows the place."""
    side = min(seen.shape)
    soft = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), max(SOFT * side, 0.5))
    return np.maximum(warp_back(soft, flow), FAINT)

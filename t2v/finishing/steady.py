"""Frames steadied along the motion of the clip that they were drawn after; nothing is drawn for it.

Frames drawn after a clip differ in what the clip does not decide: outlines waver, colours breathe. But the
clip tells which pixels of neighbours show the same thing, so they can be averaged: the drawn frame, what was
shown before it, and two frames that follow, each brought to it along the clip's flow,

    out_k = sum_j w_jk warp(I_j) / sum_j w_jk,   w_jk = seen_jk exp(-(dS_jk / 20)^2) exp(-(dI_jk / 36)^2).

seen: forward and backward flow agree (``t2v.evaluation.flow``). dS: how far the clip's own frames then
differ, so that nothing comes over a cut or from behind. dI: how far the drawn ones do, so that what is really
drawn anew is kept and does not become a ghost (bilateral weights: Tomasi and Manduchi, ICCV 1998). Both are
mean absolute differences of 255, blurred a little. What was shown before counts as the frames that
went into it, up to ``MOST``: one is remembered instead of many.

Before that, a frame's colours are tied to those of what was shown (``tied``), so that they neither breathe
nor drift. Where the clip stands still, so does the video: ``at_rest`` finds those places, and there what was
shown is the measure for what is drawn, and not the other way round. Averages are then brought back to the
sharpness of what they are an average of (``crisp``).
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from t2v.evaluation.flow import Flow, both_agree, flow_between, warp_back

AHEAD = 2  # frames that are looked at beyond the one to show
TOLERANCE = 36.0  # difference of drawn pictures, of 255, at which a neighbour counts for 1/e
SOURCE_TOLERANCE = 20.0  # the same of the clip's
MOST, MOST_AT_REST = 4.0, 16.0  # frames that what was shown before counts for
REST_PX, REST_LEVELS = 0.35, 5.0  # motion, and change of 255, up to which a place of the clip rests
# All lengths are shares of the shorter side, so that a video is steadied alike at every size.
BLUR, FINE, REGION = 3 / 256, 1.5 / 256, 6 / 256
NEAR, FAR = 0.02, 0.06  # from what moves: nothing rests up to the first, everything from the second
BODY = 0.06  # how far around a line of a skeleton its figure surely reaches
NEAR_BODY, FAR_BODY = 0.08, 0.17  # NEAR and FAR where the clip shows skeletons
LIT = 20  # of 255: brighter than the black around a skeleton
TINT = 8 / 256  # over which colours are tied, again a share of the side
TINT_TOLERANCE, MOST_TINT = 35.0, 16.0  # as TOLERANCE, and by how many levels at most
MOST_CRISP = 1.5  # how much an average's fine parts are made stronger at most


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame and the clip's: float32 and uint8 RGB (h, w, 3)."""

    drawn: np.ndarray
    source: np.ndarray


@dataclass(frozen=True, eq=False)
class Shown:
    """What was shown last: its picture, float32 (h, w, 3), and how many frames went into each pixel (h, w).

    belongs: the clip's picture to it, float32 (h, w, 3), older than the clip's last frame where that rests.
    onward: the clip's motion from there to the frame to show next, None after the last one.
    """

    picture: np.ndarray
    count: np.ndarray
    belongs: np.ndarray
    onward: Flow | None

    def as_frame(self) -> np.ndarray:
        """uint8 RGB (h, w, 3)."""
        return np.clip(np.rint(self.picture), 0, 255).astype(np.uint8)


def steady(
    frames: Iterable[np.ndarray], source: Iterable[np.ndarray], strength: float = 1.0, bare: bool = False
) -> Iterator[np.ndarray]:
    """Frames steadied along the clip's motion, one at a time: uint8 RGB (h, w, 3), as many as there were.

    frames, source: what was drawn, and the clip's frames that it was drawn after, equally many of one size
    (ValueError otherwise), 16 px a side or more. strength: above 0, up to 1; how much other frames count.
    bare: the clip shows figures on black, as skeletons; what lies around them is taken to stand still. At any
    time three frames and what was shown last are held. A frame without neighbours stays as it is.
    """
    window: deque[Frame] = deque()
    before: Shown | None = None
    for drawn, source_frame in zip(frames, source, strict=True):
        window.append(Frame(drawn.astype(np.float32), source_frame))
        if len(window) > AHEAD:
            before = _shown(window, before, strength, bare)
            window.popleft()
            yield before.as_frame()
    while window:
        before = _shown(window, before, strength, bare)
        window.popleft()
        yield before.as_frame()


def _shown(window: Sequence[Frame], before: Shown | None, strength: float, bare: bool) -> Shown:
    """What is shown for the window's first frame, of the others that follow it, and of what was before."""
    now, later = window[0], list(window)[1:]
    drawn = aim = now.drawn  # aim: what others are to be like
    kept = belongs = now.source.astype(np.float32)
    average = _Average(drawn.shape)
    if before is not None and before.onward is not None:
        flow = _reversed(before.onward)
        rest = strength * at_rest(now.source, before.belongs, flow, bare)
        motion = flow.forward * (1 - rest)[..., None]
        old = _moved(before.picture, motion)
        alike = _alike(warp_back(before.belongs, motion), belongs, SOURCE_TOLERANCE)
        seen = strength * np.maximum(flow.seen, rest) * alike
        drawn = tied(drawn, old, seen)
        aim = _mixed(drawn, old, rest)
        count = np.minimum(warp_back(before.count, motion), MOST + (MOST_AT_REST - MOST) * rest)
        average.add(old, seen * count * _alike(old, aim, TOLERANCE))
        kept = _mixed(belongs, before.belongs, rest)
    average.add(drawn, _alike(drawn, aim, TOLERANCE))
    count = average.weights.copy()
    onward = [clip_flow(now.source, frame.source, bare) for frame in later]
    for frame, flow in zip(later, onward, strict=True):
        new = _moved(frame.drawn, flow.forward)
        alike = _alike(warp_back(frame.source, flow.forward), belongs, SOURCE_TOLERANCE)
        average.add(new, strength * flow.seen * alike * _alike(new, aim, TOLERANCE))
    return Shown(crisp(average.picture, aim), count, kept, onward[0] if onward else None)


class _Average:
    """A weighted mean of pictures, pixel by pixel."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._sums = np.zeros(shape, np.float32)
        self.weights = np.zeros(shape[:2], np.float32)

    def add(self, picture: np.ndarray, weight: np.ndarray) -> None:
        """picture: float32 (h, w, 3). weight: (h, w)."""
        self._sums += weight[..., None] * picture
        self.weights += weight

    @property
    def picture(self) -> np.ndarray:
        """float32 (h, w, 3)."""
        mean: np.ndarray = self._sums / self.weights[..., None]
        return mean


def at_rest(source: np.ndarray, before: np.ndarray, flow: Flow, bare: bool = False) -> np.ndarray:
    """Where the clip stands still, 0..1, float32 (h, w): 0 near what moves.

    source: its frame, uint8 (h, w, 3). before: what it showed when each place came to rest, as float32, so
    that what creeps is found out. flow: from ``source`` to the frame before. bare: as in ``steady``; around
    figures on black there is nothing whose flow could be known, so only changes count.
    """
    side = min(source.shape[:2])
    moves = _difference(source.astype(np.float32), before, 2 / 256) > REST_LEVELS
    if not bare:
        moves |= _blurred(np.linalg.norm(flow.forward, axis=-1), 2 / 256) > REST_PX
    if not moves.any():
        return np.ones(moves.shape, np.float32)
    away = cv2.distanceTransform((~moves).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) / side
    near, far = (NEAR_BODY, FAR_BODY) if bare else (NEAR, FAR)
    return np.clip((away - near) / (far - near), 0, 1).astype(np.float32)


def tied(drawn: np.ndarray, old: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """A frame in the colours of what was shown before, brought to it: float32 (h, w, 3), of 255.

    What differs over a region is taken for colour that breathes, up to ``MOST_TINT``, unless it differs so
    much that something else is drawn. seen: (h, w), 0..1, where both show the same.
    """
    weight = seen * _alike(old, drawn, TINT_TOLERANCE)
    differs = _blurred((old - drawn) * weight[..., None], TINT)
    evidence = _blurred(weight, TINT) + 0.2  # little of it says little
    changed: np.ndarray = drawn + np.clip(differs / evidence[..., None], -MOST_TINT, MOST_TINT)
    return changed


def crisp(average: np.ndarray, aim: np.ndarray) -> np.ndarray:
    """An average with its fine parts as strong as they are in a picture that it is an average of.

    Both float32 (h, w, 3). By how much, is the share of the picture's fine parts that the average still has
    (their regression on its own, region by region): what is in both, as outlines, comes back, and what is in
    one only, as noise, does not.
    """
    own, wanted = (picture - _blurred(picture, FINE) for picture in (average, aim))
    both, alone = (_blurred(_grey(own * other), REGION) for other in (wanted, own))
    gain = np.clip((both + 1) / (alone + 1), 1, MOST_CRISP)
    crisped: np.ndarray = average + (gain - 1)[..., None] * own
    return crisped


def clip_flow(source: np.ndarray, other: np.ndarray, bare: bool) -> Flow:
    """The clip's motion from a frame to another, uint8 (h, w, 3); bare: on the black around figures, none."""
    flow = flow_between(source, other)
    if not bare:
        return flow
    reach = round(BODY * min(source.shape[:2]))
    lit = (np.maximum(source, other).max(axis=-1) > LIT).astype(np.uint8)
    body = cv2.dilate(lit, np.ones((2 * reach + 1,) * 2, np.uint8)).astype(bool)
    there, back = (np.where(body[..., None], way, np.float32(0)) for way in (flow.forward, flow.backward))
    return Flow(there, back, both_agree(there, back))


def _reversed(flow: Flow) -> Flow:
    return Flow(flow.backward, flow.forward, both_agree(flow.backward, flow.forward))


def _moved(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """As ``warp_back``, by cubic interpolation, which keeps more of what is fine."""
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _mixed(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """share: of ``b``, (h, w)."""
    mixed: np.ndarray = a + share[..., None] * (b - a)
    return mixed


def _alike(a: np.ndarray, b: np.ndarray, tolerance: float) -> np.ndarray:
    """1 where two pictures are the same, 1/e where they differ by ``tolerance``."""
    weight: np.ndarray = np.exp(-((_difference(a, b, BLUR) / tolerance) ** 2))
    return weight


def _difference(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    return _blurred(_grey(np.abs(a - b)), share)


def _grey(picture: np.ndarray) -> np.ndarray:
    """The mean of red, green and blue."""
    return cv2.transform(picture, np.full((1, 3), 1 / 3, np.float32))


def _blurred(picture: np.ndarray, share: float) -> np.ndarray:
    """share: of the shorter side."""
    return cv2.GaussianBlur(picture, (0, 0), share * min(picture.shape[:2]))

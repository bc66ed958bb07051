"""Ready control clips: edges white on black, skeletons on black, or nearness with near things bright.

A clip declared ready is used as it is: no detector sees it, and only ``fit_control`` brings it to size.
A clip of skeletons or of edges is told from footage by its looks, so that it need not be declared. Depth is
not: what is grey and smooth may be depth, or fog.
"""

from collections.abc import Iterable

import cv2
import numpy as np

SAMPLES = 8  # frames looked at, evenly over the clip
DARK, LIT = 40, 80  # of the brightest channel: black after compression, and a limb for sure
MIN_DARK_SHARE = 0.75  # a skeleton covers little of its picture
MIN_LIT_SHARE, MAX_LIT_SHARE = 0.001, 0.2
SATURATED = 150  # of 255; blurred by 4:2:0, OpenPose's pure colours stay above
MIN_SATURATED_SHARE = 0.75
HUES, MIN_HUES, MIN_HUE_SHARE = 12, 6, 0.01  # the colour circle in twelfths

# Edges as Canny's detector draws them are a pixel wide, and nothing is between them and the black around.
WHITE = 110  # half of the brightest channel: a line, not its rim
MAX_EDGES_SHARE, MAX_SPREAD = 0.35, 40  # of the picture; between the channels of white
MAX_THICK_SHARE = 0.1  # of white pixels that fill a square of 2x2: where lines meet
MAX_RIM_SHARE, MAX_AWAY_SHARE = 0.25, 0.02  # grey ones, at lines and elsewhere, for one white
LONG, MIN_LONG_SHARE = 0.05, 0.4  # lines as long as this part of the shorter side; letters and stars are not


def looks_like_skeleton(frames: np.ndarray) -> bool:
    """Whether a clip, uint8 RGB (f, h, w, 3), already shows OpenPose skeletons: coloured limbs on black.

    Of the frames that are not all black at least three quarters must look so, and there must be one.
    """
    picked = np.unique(np.linspace(0, len(frames) - 1, SAMPLES).round().astype(int))
    verdicts = [_shows_skeleton(frames[index]) for index in picked if frames[index].max() >= LIT]
    return bool(verdicts) and bool(np.mean(verdicts) >= 0.75)


def _shows_skeleton(frame: np.ndarray) -> bool:
    hue, saturation, value = cv2.split(cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2HSV_FULL))
    lit = value >= LIT
    if np.mean(value < DARK) < MIN_DARK_SHARE or not MIN_LIT_SHARE <= lit.mean() <= MAX_LIT_SHARE:
        return False
    if np.mean(saturation[lit] >= SATURATED) < MIN_SATURATED_SHARE:
        return False
    counts = np.histogram(hue[lit], bins=HUES, range=(0, 256))[0]
    return int(np.sum(counts >= MIN_HUE_SHARE * lit.sum())) >= MIN_HUES


def looks_like_edges(frames: Iterable[np.ndarray]) -> bool:
    """Whether frames, uint8 RGB (h, w, 3), already are edges as ``canny`` gives them, at the size of then.

    All that are not black must look so, and there must be one; the first that does not ends the loop.
    """
    is_any = False
    for frame in frames:
        if frame.max() >= LIT:
            if not _shows_edges(frame):
                return False
            is_any = True
    return is_any


def _shows_edges(frame: np.ndarray) -> bool:
    frame = np.ascontiguousarray(frame)
    value = frame.max(axis=2)
    white = (value >= WHITE).astype(np.uint8)
    count = int(white.sum())
    if not 0 < count <= MAX_EDGES_SHARE * white.size:
        return False
    if np.mean(value[white > 0] - frame.min(axis=2)[white > 0] > MAX_SPREAD) > 0.01:
        return False
    thick = int(cv2.erode(white, np.ones((2, 2), np.uint8)).sum())
    grey = (value >= DARK) & (white == 0)
    away = int(np.sum(grey & (cv2.dilate(white, np.ones((5, 5), np.uint8)) == 0)))
    if thick > MAX_THICK_SHARE * count or away > MAX_AWAY_SHARE * count or grey.sum() > MAX_RIM_SHARE * count:
        return False
    boxes = cv2.connectedComponentsWithStats(white, connectivity=8)[2][1:]
    extent = np.maximum(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT])
    long = boxes[extent >= LONG * min(white.shape), cv2.CC_STAT_AREA].sum()
    return bool(long >= MIN_LONG_SHARE * count)

"""Ready control clips: edges white on black, skeletons on black, or nearness with near things bright.

A clip declared ready is used as it is: no detector sees it, and only ``fit_control`` brings it to size.
A clip of skeletons is told from footage by its looks, so that it need not be declared.
"""

import cv2
import numpy as np

SAMPLES = 8  # frames looked at, evenly over the clip
DARK, LIT = 40, 80  # of the brightest channel: black after compression, and a limb for sure
MIN_DARK_SHARE = 0.75  # a skeleton covers little of its picture
MIN_LIT_SHARE, MAX_LIT_SHARE = 0.001, 0.2
SATURATED = 150  # of 255; blurred by 4:2:0, OpenPose's pure colours stay above
MIN_SATURATED_SHARE = 0.75
HUES, MIN_HUES, MIN_HUE_SHARE = 12, 6, 0.01  # the colour circle in twelfths


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

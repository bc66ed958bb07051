"""How sharp frames are, to be told beside a single picture of the same model.

By itself it is fooled: mottling and flicker count as sharp, and a flat scene as blurred.
"""

import cv2
import numpy as np


def sharpness(frames: np.ndarray) -> float:
    """Mean length of the grey gradient, levels of 255 per pixel, over frames uint8 RGB (f, h, w, 3).

    Tenengrad's idea (Tenenbaum 1970; Pertuz et al., "Analysis of focus measure operators", 2013) without the
    square, so that a few strong outlines do not decide alone.
    """
    steps = []
    for frame in frames:
        down, right = np.gradient(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32))
        steps.append(float(np.hypot(down, right).mean()))
    return float(np.mean(steps))

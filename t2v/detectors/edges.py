"""Canny edges, as ControlNet's canny models know them: white on black in three channels."""

import cv2
import numpy as np

from t2v.checks import InputError, check_number

LOW, HIGH = 100.0, 200.0
MAX_THRESHOLD = 2040.0  # the steepest step that eight bits and a 3x3 Sobel filter can give


def canny(frames: np.ndarray, low: float = LOW, high: float = HIGH) -> np.ndarray:
    """Edges of each frame: uint8 RGB (f, h, w, 3) in, values 0 and 255 of that shape out.

    Steps above ``high`` begin an edge, steps above ``low`` continue it; both 0..2040, ``low`` at most
    ``high``, else InputError. The steepest of the three channels counts, so that edges between colours of one
    brightness are seen; ControlNet's models learned from such edges (Zhang et al., arXiv 2302.05543).
    """
    low = check_number("low_threshold", low, 0.0, MAX_THRESHOLD)
    high = check_number("high_threshold", high, 0.0, MAX_THRESHOLD)
    if low > high:
        raise InputError(f"low_threshold is {low:g}; give at most high_threshold ({high:g}).")
    control = np.empty_like(frames)
    for index, frame in enumerate(frames):
        control[index] = cv2.Canny(np.ascontiguousarray(frame), low, high)[..., None]
    return control

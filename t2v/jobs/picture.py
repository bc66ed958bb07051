"""A small picture of a run, for lists of them."""

import cv2
import numpy as np

SIDE_PX = 96  # the longer side


def picture_of(frame: np.ndarray) -> bytes:
    """uint8 RGB (h, w, 3) → a WebP of one to three kilobytes."""
    height, width = frame.shape[:2]
    scale = SIDE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    encoded: bytes = cv2.imencode(".webp", small[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 75])[1].tobytes()
    return encoded

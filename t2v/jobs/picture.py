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


def small_of(encoded: bytes) -> bytes | None:
    """The same of a larger picture that is a file's bytes; None where it cannot be read."""
    found = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    return None if found is None else picture_of(found[..., ::-1])

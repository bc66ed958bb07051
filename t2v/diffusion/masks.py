"""Masks of a picture, in its pixels and in the cells of its latents."""

import cv2
import numpy as np

from t2v.checks import InputError

TOUCHED = 0.05  # share of a cell


def painted_cells(painted: np.ndarray, height: int, width: int, cell_px: int) -> np.ndarray:
    """The cells (h, w) bool of which half or more is painted; painted: (h, w) in pixels, not 0 where it is.

    InputError where it is of another size than the video, or where no cell is painted.
    """
    pixels = (height * cell_px, width * cell_px)
    if not isinstance(painted, np.ndarray) or painted.shape != pixels:
        shape = getattr(painted, "shape", type(painted).__name__)
        raise InputError(f"painted is {shape}; give (height, width) as the video has them, {pixels}.")
    share = shares_of_cells(painted != 0, cell_px)
    if not (share >= 0.5).any():
        raise InputError("painted shows no place as large as a cell of the latents; paint over the subject.")
    return np.asarray(share >= 0.5)


def in_pixels(cells: np.ndarray, cell_px: int) -> np.ndarray:
    """A map of cells (h, w) as one of pixels."""
    return cells.repeat(cell_px, axis=0).repeat(cell_px, axis=1)


def shares_of_cells(pixels: np.ndarray, cell_px: int) -> np.ndarray:
    """How much of each cell (h, w) belongs to a mask of pixels, bool: 0..1."""
    height, width = (side // cell_px for side in pixels.shape)
    return np.asarray(pixels.reshape(height, cell_px, width, cell_px).mean(axis=(1, 3)))


def in_cells(pixels: np.ndarray, cell_px: int) -> np.ndarray:
    """The cells (h, w) bool of which at least TOUCHED belongs to a mask of pixels."""
    share = shares_of_cells(pixels, cell_px)
    return np.asarray(share >= min(TOUCHED, share.max()))


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest of the pieces that a mask (h, w) bool falls into."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))


def filled(mask: np.ndarray) -> np.ndarray:
    """A mask (h, w) bool with its holes closed."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(whole, outlines, -1, 1, cv2.FILLED)
    return whole.astype(bool)


def grown(mask: np.ndarray, cells: int) -> np.ndarray:
    """A mask (h, w) bool, larger by so many cells to all sides; smaller where below 0."""
    if cells == 0:
        return mask
    kernel = np.ones((2 * abs(cells) + 1,) * 2, np.uint8)
    change = cv2.dilate if cells > 0 else cv2.erode
    border = cv2.BORDER_CONSTANT if cells > 0 else cv2.BORDER_REPLICATE
    return np.asarray(change(mask.astype(np.uint8), kernel, borderType=border), bool)

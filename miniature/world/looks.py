"""Weather that falls over a finished picture, and styles that redraw it."""

import cv2
import numpy as np

from .pen import Pen, ellipse

PAPER = (250, 246, 236)
PIXELS = 42  # blocks along the shorter side in pixel art


def _fallen(pen: Pen, rng):
    """Places of drops or flakes, one in each cell of a grid that reaches a picture beyond every side."""
    cells = np.stack(np.meshgrid(*[np.arange(-1.0, 2.0, 0.125)] * 2), axis=-1).reshape(-1, 2)
    places = cells + rng.uniform(0.0, 0.125, cells.shape)
    height, width = pen.image.shape[:2]
    x, y = pen.to_px(places).T
    margin = 0.1 * pen.unit
    return places[(x > -margin) & (x < width + margin) & (y > -margin) & (y < height + margin)]


def _rain(pen: Pen, rng) -> None:
    for x, y in _fallen(pen, rng):
        pen.line((x, y), (x - 0.022, y + 0.075), colour=(196, 220, 246), width=0.009)


def _snowfall(pen: Pen, rng) -> None:
    for x, y in _fallen(pen, rng):
        pen.fill(ellipse(x, y, 0.013), (255, 255, 255))


WEATHERS = {"clear": None, "rain": _rain, "snowfall": _snowfall}


def fall(pen: Pen, weather: str, seed: int) -> None:
    """Draws the weather over everything; it moves with the camera like the rest."""
    if WEATHERS[weather] is not None:
        WEATHERS[weather](pen, np.random.default_rng(seed + 2))


def _sketch(image: np.ndarray) -> np.ndarray:
    """Grey strokes on paper: the picture divided by its own blur, with a little of its shading left."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    soft = cv2.GaussianBlur(grey, (0, 0), min(image.shape[:2]) / 64)
    strokes = np.minimum(1.0, (grey + 8.0) / (soft + 8.0))
    shade = 0.72 + 0.28 * grey / 255.0
    return np.round((strokes**1.6 * shade)[..., None] * PAPER).astype(np.uint8)


def _pixels(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    block = min(height, width) / PIXELS
    small = cv2.resize(image, (round(width / block), round(height / block)), interpolation=cv2.INTER_AREA)
    few = np.round(small / 32.0) * 32.0
    return cv2.resize(np.minimum(few, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)


def _watercolour(image: np.ndarray) -> np.ndarray:
    """Soft areas with darker rims, thinned with white, on grainy paper."""
    height, width = image.shape[:2]
    unit = min(height, width)
    soft = cv2.medianBlur(image, 2 * round(unit / 64) + 1).astype(np.float32)
    rim = np.abs(soft - cv2.GaussianBlur(soft, (0, 0), unit / 85)).mean(axis=-1, keepdims=True)
    coarse = np.random.default_rng(0).normal(0.0, 5.0, (40, 40)).astype(np.float32)
    grain = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    washed = 0.76 * soft + 0.24 * 255.0 - 0.5 * rim + grain
    return np.clip(np.round(washed), 0, 255).astype(np.uint8)


STYLES = {"plain": None, "pencil sketch": _sketch, "pixel art": _pixels, "watercolour": _watercolour}


def restyle(image: np.ndarray, style: str) -> np.ndarray:
    """The picture (h, w, 3) uint8 RGB in one of STYLES."""
    return image if STYLES[style] is None else STYLES[style](image)

"""Weather that falls over a finished picture, and styles that redraw it."""

import cv2
import numpy as np

from .pen import Pen, ellipse

WEATHER_FITS = {  # what may fall where; elsewhere it is always clear
    "street": ("rain", "snowfall"),
    "grass": ("rain", "snowfall"),
    "beach": ("rain",),
    "snow": ("snowfall",),
    "city": ("rain", "snowfall"),
    "sea": ("rain",),
    "forest": ("rain", "snowfall"),
}
CELL = 0.16  # one drop or flake falls in each square of this side: about forty in a picture
PAPER = (250, 246, 236)
PIXELS = 64  # blocks along the shorter side in pixel art
LEVELS = np.array([round(round(v * 7 / 255) * 255 / 7) for v in range(256)], np.uint8)  # eight of each colour
GRAPHITE = (255 * np.linspace(0.0, 1.05, 256).clip(0, 1) ** 1.6).round().astype(np.uint8)  # a firm pencil
TUBE = np.clip((np.arange(256) - 40) * 3.6, 0, 255).astype(np.uint8)  # how brightly a contour glows
NEON_DARK = (12.0, 8.0, 26.0)


def _fallen(pen: Pen, rng):
    """(x, y, u) of drops or flakes, one in each cell of a grid that reaches a picture beyond every side.

    u, 0..1, is each one's own.
    """
    cells = np.stack(np.meshgrid(*[np.arange(-7, 13) * CELL] * 2), axis=-1).reshape(-1, 2)
    places = cells + rng.uniform(0.0, CELL, cells.shape)
    own = rng.random((len(places), 1))
    height, width = pen.image.shape[:2]
    x, y = pen.to_px(places).T
    margin = 0.1 * pen.unit
    seen = (x > -margin) & (x < width + margin) & (y > -margin) & (y < height + margin)
    return np.concatenate([places, own], axis=1)[seen]


def _rain(pen: Pen, rng) -> None:
    for x, y, _ in _fallen(pen, rng):
        pen.line((x, y), (x - 0.024, y + 0.08), colour=(206, 226, 250), width=0.013)


def _snowfall(pen: Pen, rng) -> None:
    for x, y, u in _fallen(pen, rng):
        pen.fill(ellipse(x, y, 0.013 + 0.008 * u), (255, 255, 255))


WEATHERS = {"clear": None, "rain": _rain, "snowfall": _snowfall}


def fall(pen: Pen, weather: str, seed: int) -> None:
    """Draws the weather over everything; it moves with the camera like the rest."""
    if WEATHERS[weather] is not None:
        WEATHERS[weather](pen, np.random.default_rng(seed + 2))


def _disc(image: np.ndarray, share: float) -> np.ndarray:
    """A round brush as wide as `share` of the shorter side, at least three pixels."""
    side = max(3, 2 * round(min(image.shape[:2]) * share / 2) + 1)
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _sketch(image: np.ndarray) -> np.ndarray:
    """Grey strokes on paper where the picture has dark lines or steps, and a little of its shading."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), min(image.shape[:2]) / 320)
    grey = cv2.addWeighted(grey, 0.92, np.full_like(grey, 255), 0.08, 0.0)  # calms steps in the dark
    thick = cv2.erode(grey, _disc(image, 1 / 85))  # no stroke thinner than two pixels
    filled = cv2.morphologyEx(thick, cv2.MORPH_CLOSE, _disc(image, 1 / 23))
    steps = cv2.divide(thick, cv2.dilate(grey, _disc(image, 1 / 85)), scale=255)
    strokes = cv2.min(cv2.divide(thick, filled, scale=255), steps)
    shade = cv2.addWeighted(filled, 0.36, np.full_like(grey, 255), 0.64, 0.0)
    drawn = cv2.multiply(shade, cv2.LUT(strokes, GRAPHITE), scale=1 / 255)
    return cv2.merge([cv2.multiply(drawn, c / 255.0) for c in PAPER])


def _pixels(image: np.ndarray) -> np.ndarray:
    """Square blocks that begin at the picture's corner, each of one of eight brightnesses of its hue."""
    height, width = image.shape[:2]
    block = min(height, width) / PIXELS
    small = cv2.resize(image, (round(width / block), round(height / block)), interpolation=cv2.INTER_AREA)
    high = np.maximum(small.max(axis=-1), 1)
    few = small * (LEVELS[high] / high.astype(np.float32))[..., None]
    few = np.minimum(np.round(few / 12.0) * 12.0, 255.0).astype(np.uint8)
    return cv2.resize(few, (width, height), interpolation=cv2.INTER_NEAREST)


def _wash(height: int, width: int) -> np.ndarray:
    """A slow unevenness, as pigment settles: 8 of 255, give or take 2.5; the same in every picture."""
    coarse = np.random.default_rng(0).normal(8.0, 2.5, (7, 7)).clip(2.0, 14.0).astype(np.float32)
    return np.round(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)).astype(np.uint8)


def _watercolour(image: np.ndarray) -> np.ndarray:
    """Soft areas without ink, with darker rims where the paint dried, thinned with white."""
    height, width = image.shape[:2]
    unit = min(height, width)
    flat = cv2.morphologyEx(image, cv2.MORPH_CLOSE, _disc(image, 1 / 60))
    flat = cv2.GaussianBlur(flat, (0, 0), unit / 256)
    grey = cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY)
    rim = cv2.absdiff(grey, cv2.GaussianBlur(grey, (0, 0), unit / 64))
    thinned = cv2.addWeighted(flat, 0.74, np.full_like(flat, 255), 0.26, 0.0)
    dark = cv2.addWeighted(rim, 1.1, _wash(height, width), 1.0, 0.0)
    return cv2.subtract(thinned, cv2.merge([dark] * 3))


def _neon(image: np.ndarray) -> np.ndarray:
    """Glowing tubes along every contour, in the hues beside it, before a picture that is almost dark."""
    height, width = image.shape[:2]
    calm = cv2.GaussianBlur(image, (0, 0), min(height, width) / 256)
    contour = cv2.morphologyEx(calm, cv2.MORPH_GRADIENT, _disc(image, 1 / 85))
    contour = cv2.LUT(cv2.max(cv2.max(*cv2.split(contour)[:2]), cv2.split(contour)[2]), TUBE)
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    hue = small - 0.85 * small.min(axis=-1, keepdims=True)  # so that colour wins over white beside it
    hue = cv2.dilate(hue.astype(np.float32), np.ones((3, 3), np.uint8))
    hue = hue * (255.0 / (hue.max(axis=-1, keepdims=True) + 1.0))
    hue = cv2.resize(hue.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    lines = cv2.multiply(hue, cv2.merge([contour] * 3), scale=1 / 255)
    halo = cv2.resize(lines, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA).astype(np.float32)
    halo = np.clip(0.8 * cv2.GaussianBlur(halo, (0, 0), min(height, width) / 128) + NEON_DARK, 0, 255)
    halo = cv2.resize(halo.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.add(cv2.addWeighted(image, 0.12, halo, 1.0, 0.0), lines)


STYLES = {"plain": None, "pencil sketch": _sketch, "pixel art": _pixels, "watercolour": _watercolour}
KEPT_LOOKS = ("neon",)  # never in training scenes: what a style LoRA learns
LOOKS = {**STYLES, "neon": _neon}


def restyle(image: np.ndarray, style: str) -> np.ndarray:
    """The picture (h, w, 3) uint8 RGB in one of LOOKS: the styles of training and the looks kept from it."""
    return image if LOOKS[style] is None else LOOKS[style](image)

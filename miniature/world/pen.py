"""Drawing with OpenCV in units of the picture, so that a scene looks the same at every size."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

SUBPIXEL = 4  # cv2 takes fixed-point coordinates with this many fractional bits
INK = (28, 24, 38)
LIGHT_INK = (232, 232, 240)
OUTLINE = 0.011  # thickness of an outline, in picture units


def _ring(count: int) -> np.ndarray:
    angles = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


RINGS = {count: _ring(count) for count in (12, 28)}
ROUND_END = _ring(16)[:9] @ np.array([[0.0, -1.0], [1.0, 0.0]])  # half a circle around +x
CORNERS = tuple(_ring(16)[np.arange(start, start + 5) % 16] for start in (0, 4, 8, 12))


@dataclass(frozen=True, eq=False)
class Shape:
    """A closed curve (n, 2); `grown` is the same made larger by an outline, where that is known exactly."""

    points: np.ndarray
    grown: np.ndarray | None = None


def ellipse(x, y, rx, ry=None, turn=0.0, ink=OUTLINE) -> Shape:
    """An ellipse around (x, y), turned by `turn` radians."""
    ry = rx if ry is None else ry
    ring = RINGS[28] if max(rx, ry) > 0.03 else RINGS[12]
    cos, sin = np.cos(turn), np.sin(turn)
    rotate = np.array([[cos, sin], [-sin, cos]])
    at = np.array([x, y])
    return Shape(ring * (rx, ry) @ rotate + at, ring * (rx + ink, ry + ink) @ rotate + at)


def capsule(a, b, r, r2=None) -> Shape:
    """A limb: two half circles of radii r and r2 joined."""
    r2 = r if r2 is None else r2
    a, b = np.asarray(a, float), np.asarray(b, float)
    along = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
    ahead = ROUND_END @ np.array([along, (-along[1], along[0])])

    def around(grow):
        return np.concatenate([a - (r + grow) * ahead, b + (r2 + grow) * ahead])

    return Shape(around(0.0), around(OUTLINE))


def box(x0, y0, x1, y1, r=0.0) -> Shape:
    """A rectangle with corners of radius r."""
    x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    centres = ((x1 - r, y1 - r), (x0 + r, y1 - r), (x0 + r, y0 + r), (x1 - r, y0 + r))

    def around(radius):
        return np.concatenate([c + radius * arc for c, arc in zip(centres, CORNERS, strict=True)])

    return Shape(around(r) if r > 0 else np.array(centres), around(r + OUTLINE))


def poly(*points) -> Shape:
    """A polygon through the points as they are."""
    return Shape(np.array(points, float))


def smooth(*points, steps=5) -> Shape:
    """A closed curve through the points (Catmull-Rom)."""
    p = np.array(points, float)
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None, None]
    before, here, after, later = np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)
    curve = 0.5 * (
        2 * here
        + (after - before) * t
        + (2 * before - 5 * here + 4 * after - later) * t**2
        + (3 * here - before - 3 * after + later) * t**3
    )
    return Shape(curve.transpose(1, 0, 2).reshape(-1, 2))


@dataclass(frozen=True, eq=False)
class Pen:
    """Draws into `image` (h, w, 3) uint8. In picture units the shorter side is 1, its middle 0.5, y down.

    `at` moves to a subject's own coordinates: origin where it touches the ground, y up, scaled. With `mono`
    set everything is drawn in that one colour (for masks and depth).
    """

    image: np.ndarray
    shift_px: tuple[float, float] = (0.0, 0.0)
    origin: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    up: float = 1.0
    ink: tuple[int, int, int] = INK
    mono: tuple[int, int, int] | None = None

    @property
    def unit(self) -> int:
        return min(self.image.shape[:2])

    def at(self, x, y, scale=1.0, ink=INK) -> "Pen":
        return replace(self, origin=(x, y), scale=scale, up=-1.0, ink=ink)

    def to_px(self, points) -> np.ndarray:
        height, width = self.image.shape[:2]
        unit = self.unit
        factor = np.array((self.scale * unit, self.up * self.scale * unit))
        offset = np.array(
            (
                (self.origin[0] - 0.5) * unit + width / 2 + self.shift_px[0],
                (self.origin[1] - 0.5) * unit + height / 2 + self.shift_px[1],
            )
        )
        return np.asarray(points, float) * factor + offset

    def _fixed(self, points) -> np.ndarray:
        # cv2 puts pixel centres at whole numbers, our pixels have them at halves
        return np.floor((self.to_px(points) - 0.5) * 2**SUBPIXEL + 0.5).astype(np.int32)

    def sees(self, x0, x1) -> bool:
        """Whether anything between these two x may be in the picture (an outline's width spared)."""
        width, unit = self.image.shape[1], self.unit
        middle = width / 2 + self.shift_px[0]
        return (x1 - 0.47) * unit + middle > 0 and (x0 - 0.53) * unit + middle < width

    def fill(self, shape: Shape, colour) -> None:
        """The shape without an outline."""
        cv2.fillPoly(self.image, [self._fixed(shape.points)], self.mono or colour, cv2.LINE_AA, SUBPIXEL)

    def fill_boxes(self, corners: list[tuple[float, float, float, float]], colour) -> None:
        """Many rectangles (x0, y0, x1, y1) that do not overlap, at once: ten times faster than one by one."""
        if corners:
            x0, y0, x1, y1 = np.array(corners).T
            points = np.stack([np.stack([x0, x1, x1, x0], 1), np.stack([y0, y0, y1, y1], 1)], axis=-1)
            cv2.fillPoly(self.image, list(self._fixed(points)), self.mono or colour, cv2.LINE_AA, SUBPIXEL)

    def shape(self, *shapes: Shape, colour, ink=None) -> None:
        """The union of the shapes in one colour with one outline around all of them."""
        ink = self.mono or ink or self.ink
        thick = max(1, round(2 * OUTLINE * self.scale * self.unit))
        for s in shapes:
            if s.grown is None:
                cv2.polylines(self.image, [self._fixed(s.points)], True, ink, thick, cv2.LINE_AA, SUBPIXEL)
            else:
                cv2.fillPoly(self.image, [self._fixed(s.grown)], ink, cv2.LINE_AA, SUBPIXEL)
        for s in shapes:
            self.fill(s, colour)

    def line(self, *points, colour=None, width=OUTLINE) -> None:
        """An open line through the points."""
        thick = max(1, round(width * self.scale * self.unit))
        colour = self.mono or colour or self.ink
        cv2.polylines(self.image, [self._fixed(points)], False, colour, thick, cv2.LINE_AA, SUBPIXEL)

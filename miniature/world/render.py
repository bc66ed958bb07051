"""From a scene to its picture, and to everything else that is known about it."""

import dataclasses
from functools import lru_cache

import cv2
import numpy as np

from . import figures
from .kinds import KINDS
from .looks import fall, restyle
from .pen import INK, LIGHT_INK, Pen, ellipse
from .places import paint
from .scene import COLOURS, Scene, Subject

HOVERING_SHADOW = 0.87  # where the shadow of things in the air falls, in picture units from the top
WHITE = (255, 255, 255)
Size = int | tuple[int, int]  # the side of a square picture, or (height, width), in pixels
CANNY = (100, 200)
LIGHT, DARK = 0.06, 0.14  # how much brighter the top and darker the foot of a subject is


def _pen(scene: Scene, size: Size) -> Pen:
    height, width = (size, size) if isinstance(size, int) else size
    # rounded, so that a camera that moved by whole pixels moves the picture by exactly those
    shift = tuple(round(c * width, 6) for c in scene.camera)
    return Pen(np.zeros((height, width, 3), np.uint8), shift_px=shift)


def _shadow(pen: Pen, scene: Scene, subject: Subject) -> None:
    """A soft dark pool on the ground; foam on water."""
    kind = KINDS[subject.kind]
    half = kind.half_width * kind.size * subject.scale
    y = _foot(subject)
    if scene.place == "sea":
        pen.fill(ellipse(subject.x, y, half * 1.22, 0.05), (190, 230, 248))
        pen.fill(ellipse(subject.x, y + 0.004, half * 1.08, 0.034), (120, 192, 234))
        return
    centre = pen.to_px((subject.x, y))
    rx, ry = half * 1.15 * pen.unit, 0.036 * pen.unit
    x0, x1 = int(max(0, centre[0] - rx)), int(min(pen.image.shape[1], centre[0] + rx + 1))
    y0, y1 = int(max(0, centre[1] - ry)), int(min(pen.image.shape[0], centre[1] + ry + 1))
    if x0 >= x1 or y0 >= y1:
        return
    dx = (np.arange(x0, x1) + 0.5 - centre[0]) / rx
    dy = (np.arange(y0, y1) + 0.5 - centre[1]) / ry
    dark = 0.42 * np.clip(1.6 * (1 - dx[None] ** 2 - dy[:, None] ** 2), 0.0, 1.0)[..., None]
    pen.image[y0:y1, x0:x1] = pen.image[y0:y1, x0:x1] * (1 - dark)


def _foot(subject: Subject) -> float:
    """Height in the picture of the ground under a subject."""
    return HOVERING_SHADOW if KINDS[subject.kind].hovers else subject.y


def _own(pen: Pen, subject: Subject) -> Pen:
    """The pen in the subject's own coordinates. Black things get a light outline, to be seen at night."""
    ink = LIGHT_INK if subject.colour == "black" else INK
    return pen.at(subject.x, subject.y, KINDS[subject.kind].size * subject.scale, ink)


def _subject(pen: Pen, subject: Subject) -> None:
    colour, kind, own = COLOURS[subject.colour], KINDS[subject.kind], _own(pen, subject)
    if kind.figure:
        kind.draw(own, colour, figures.joints(subject.pose, subject.variation, subject.phase))
    else:
        kind.draw(own, colour)


@lru_cache
def _extent(kind: str) -> tuple[float, float]:
    """Lowest and highest point of a subject above its (x, y), in its own units; a figure's as it stands."""
    pen = Pen(np.zeros((128, 128, 3), np.uint8), mono=WHITE)
    _subject(pen, Subject(kind, "red", y=0.9, scale=1 / KINDS[kind].size))
    rows = np.flatnonzero(pen.image[..., 0].any(axis=1))
    return 0.9 - (rows[-1] + 1) / 128, 0.9 - rows[0] / 128


def _shaded(pen: Pen, subject: Subject) -> None:
    """Draws a subject lit from above: brighter to the top, darker to the foot, its own colour between.

    What differs from the picture before is the subject: much cheaper than drawing its mask too.
    """
    before = pen.image.copy()
    _subject(pen, subject)
    difference = cv2.absdiff(before, pen.image, before)  # into memory at hand: ten times faster than into new
    changed = cv2.bitwise_not(cv2.inRange(difference, (0, 0, 0), (0, 0, 0)))
    x, y, width, height = cv2.boundingRect(changed)
    if not width:
        return
    own, (low, high) = _own(pen, subject), _extent(subject.kind)
    (_, top), (_, foot) = own.to_px(((0.0, high), (0.0, low)))
    t = np.clip((np.arange(y, y + height) + 0.5 - top) / (foot - top), 0.0, 1.0)
    light, dark = np.clip(1 - 2.6 * t, 0.0, 1.0), np.clip(2.2 * t - 1.2, 0.0, 1.0)
    gain = np.round(200 * (1 + LIGHT * light**2 - DARK * dark**2)).astype(np.uint8)  # bytes are fast
    part = pen.image[y : y + height, x : x + width]
    lit = cv2.multiply(part, cv2.merge([np.repeat(gain[:, None], width, axis=1)] * 3), scale=1 / 200)
    cv2.copyTo(lit, changed[y : y + height, x : x + width], part)


def draw(scene: Scene, size: Size = 256) -> np.ndarray:
    """The picture, uint8 (h, w, 3) RGB."""
    pen = _pen(scene, size)
    paint(pen, scene)
    far_to_near = sorted(scene.subjects, key=_foot)
    for subject in far_to_near:
        _shadow(pen, scene, subject)
    for subject in far_to_near:
        _shaded(pen, subject)
    fall(pen, scene.weather, scene.seed)
    return restyle(pen.image, scene.style)


def mask(scene: Scene, size: Size = 256) -> np.ndarray:
    """Where subjects cover the place, outlines included, shadows not: bool (h, w)."""
    pen = dataclasses.replace(_pen(scene, size), mono=WHITE)
    for subject in scene.subjects:
        _subject(pen, subject)
    return pen.image[..., 0] > 127


def depth(scene: Scene, size: Size = 256) -> np.ndarray:
    """Nearness, uint8 (h, w): 0 for the sky, the ground from 50 at the horizon to 220 at the lower edge.

    A subject is as near as the ground it stands on (or hovers over), and a little more so that its feet show.
    """
    pen = _pen(scene, size)

    def nearness(y):
        return 50 + 170 * np.clip((y - scene.horizon) / (1 - scene.horizon), 0.0, 1.0)

    rows = (np.arange(pen.image.shape[0]) + 0.5 - pen.image.shape[0] / 2 - pen.shift_px[1]) / pen.unit + 0.5
    pen.image[:] = np.where(rows >= scene.horizon, nearness(rows), 0).astype(np.uint8)[:, None, None]
    for subject in sorted(scene.subjects, key=_foot):
        value = round(float(nearness(_foot(subject)))) + 12
        _subject(dataclasses.replace(pen, mono=(value,) * 3), subject)
    return pen.image[..., 0]


def edges(scene: Scene, size: Size = 256) -> np.ndarray:
    """Canny edges of the picture, uint8 (h, w), 0 or 255: of all three colours, as ControlNet's are."""
    return cv2.Canny(draw(scene, size), *CANNY)


def joints(scene: Scene, size: Size = 256) -> np.ndarray:
    """OpenPose's 18 joints of every figure, in pixels (x, y): (figures, 18, 2); other subjects have none."""
    pen = _pen(scene, size)
    found = [
        _own(pen, s).to_px(figures.joints(s.pose, s.variation, s.phase))
        for s in scene.subjects
        if KINDS[s.kind].figure
    ]
    return np.array(found).reshape(-1, 18, 2)


def skeleton(scene: Scene, size: Size = 256) -> np.ndarray:
    """The figures' joints and limbs in OpenPose's colours, uint8 (h, w, 3) RGB; all black without figures."""
    pen = _pen(scene, size)
    for subject in sorted(scene.subjects, key=_foot):
        if KINDS[subject.kind].figure:
            posed = figures.joints(subject.pose, subject.variation, subject.phase)
            figures.draw_skeleton(_own(pen, subject), posed)
    return pen.image


def clip(
    scene: Scene, motion_px: tuple[float, float], frames: int, size: Size = 256, cycles: float = 0.0
) -> np.ndarray:
    """`frames` pictures, uint8 (f, h, w, 3), each moved by `motion_px` (right, down) from the one before.

    Meanwhile every figure goes through `cycles` cycles of its pose: cycles/frames of one a
    frame, so that the frame after the last would be the first again where `cycles` is whole.
    """
    return np.stack([draw(s, size) for s in clip_scenes(scene, motion_px, frames, size, cycles)])


def clip_scenes(
    scene: Scene, motion_px: tuple[float, float], frames: int, size: Size = 256, cycles: float = 0.0
) -> list[Scene]:
    """The scene of each frame of `clip`, for what else is to be known of it (joints, masks)."""
    width = size if isinstance(size, int) else size[1]
    x, y = scene.camera
    return [
        dataclasses.replace(
            scene,
            camera=(x + k * motion_px[0] / width, y + k * motion_px[1] / width),
            subjects=tuple(
                dataclasses.replace(s, phase=(s.phase + k * cycles / frames) % 1.0) for s in scene.subjects
            ),
        )
        for k in range(frames)
    ]

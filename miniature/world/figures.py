"""Figures drawn around OpenPose's 18 joints: robot, panda, astronaut, bear, alien, person."""

from dataclasses import replace

import numpy as np

from t2v.detectors.skeleton import COLOURS, LIMBS

from .pen import INK, Pen, Shape, box, capsule, ellipse, smooth
from .poses import (
    L_ANKLE,
    L_ELBOW,
    L_HIP,
    L_KNEE,
    L_SHOULDER,
    L_WRIST,
    NECK,
    NOSE,
    R_ANKLE,
    R_ELBOW,
    R_HIP,
    R_KNEE,
    R_SHOULDER,
    R_WRIST,
    joints,
)

__all__ = ["alien", "astronaut", "bear", "draw_skeleton", "joints", "panda", "person", "robot"]

RIM = (196, 198, 212)  # around black fur, which would be lost on the moon otherwise
BODY, HEAD = np.array((0.0, 0.325)), np.array((0.0, 0.425))  # neck and nose in the drawings below


def _frames(pen: Pen, j) -> tuple[Pen, Pen]:
    """Pens for the body and for the head, each where its joint has gone."""

    def moved(by):
        return replace(pen, origin=tuple(np.array(pen.origin) + by * (pen.scale, pen.up * pen.scale)))

    return moved(j[NECK] - BODY), moved(j[NOSE] - HEAD)


def _limbs(j):
    arms = ((R_SHOULDER, R_ELBOW, R_WRIST), (L_SHOULDER, L_ELBOW, L_WRIST))
    legs = ((R_HIP, R_KNEE, R_ANKLE), (L_HIP, L_KNEE, L_ANKLE))
    return [[j[list(chain)] for chain in group] for group in (arms, legs)]


def _chain(points, *radii):
    return [
        capsule(a, b, r, r2)
        for a, b, r, r2 in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True)
    ]


def _foot(limb, rx, ry, drop=0.006) -> Shape:
    """Under the ankle and a little outwards, towards where the leg points."""
    knee, ankle = limb[1:]
    out = np.clip((ankle - knee)[0], -0.02, 0.02) * 0.6
    return ellipse(ankle[0] + out, ankle[1] - drop, rx, ry)


def _dark(colour) -> bool:
    return max(colour) < 60


def _limb(colour):
    """Limbs of black figures are lighter, so that they stand out from the body and from dark ground."""
    return (74, 72, 88) if _dark(colour) else colour


def _pale(colour, share=0.6):
    """Bellies and the like: lighter than the colour, still of it."""
    return (222, 226, 236) if min(colour) > 230 else tuple(int(c + (255 - c) * share) for c in colour)


def robot(pen: Pen, colour, j) -> None:
    arms, legs = _limbs(j)
    body, head = _frames(pen, j)
    metal = (176, 184, 198)
    for limb in legs:
        pen.shape(*_chain(limb, 0.028, 0.028, 0.028), colour=metal)
        x, y = limb[-1]
        pen.shape(box(x - 0.05, y - 0.035, x + 0.05, y + 0.015, 0.02), colour=colour)
    for limb in arms:
        pen.shape(*_chain(limb, 0.028, 0.028, 0.028), colour=metal)
        pen.shape(ellipse(*limb[-1], 0.038), colour=colour)
    body.shape(box(-0.105, 0.14, 0.105, 0.335, 0.02), colour=colour)
    body.fill(box(-0.055, 0.195, 0.055, 0.29, 0.015), (244, 246, 250))
    body.fill(ellipse(-0.022, 0.242, 0.018), (240, 60, 60))
    body.fill(ellipse(0.022, 0.242, 0.018), (60, 190, 90))
    head.line((0, 0.52), (0, 0.565), width=0.016)
    head.shape(ellipse(0, 0.575, 0.022), colour=(255, 210, 40))
    head.shape(box(-0.125, 0.35, 0.125, 0.525, 0.025), colour=colour)
    head.fill(box(-0.098, 0.395, 0.098, 0.49, 0.03), (36, 40, 58))
    for side in (-1, 1):
        head.fill(ellipse(side * 0.045, 0.445, 0.026), (110, 240, 255))


def panda(pen: Pen, colour, j) -> None:
    arms, legs = _limbs(j)
    body, head = _frames(pen, j)
    fur, milk = (44, 42, 52), (252, 252, 252)
    for limb in legs:
        pen.shape(*_chain(limb, 0.056, 0.05, 0.046), _foot(limb, 0.06, 0.036), colour=fur, ink=RIM)
    for limb in arms:
        pen.shape(*_chain(limb, 0.048, 0.044, 0.046), colour=fur, ink=RIM)
    body.shape(ellipse(0, 0.22, 0.135, 0.118), colour=colour)
    for side in (-1, 1):
        head.shape(ellipse(side * 0.105, 0.525, 0.046), colour=fur, ink=RIM)
    head.shape(ellipse(0, 0.43, 0.148, 0.122), colour=milk, ink=INK)
    for side in (-1, 1):
        head.fill(ellipse(side * 0.062, 0.437, 0.038, 0.046, side * -0.5), fur)
        head.fill(ellipse(side * 0.056, 0.443, 0.015), milk)
    head.fill(ellipse(0, 0.395, 0.026, 0.018), fur)
    head.line((-0.03, 0.368), (0, 0.357), (0.03, 0.368), colour=fur, width=0.012)


def astronaut(pen: Pen, colour, j) -> None:
    arms, legs = _limbs(j)
    body, head = _frames(pen, j)
    grey = (190, 198, 212)
    body.shape(box(-0.14, 0.17, 0.14, 0.36, 0.03), colour=grey)
    for limb in legs:
        pen.shape(*_chain(limb, 0.05, 0.046, 0.044), colour=_limb(colour))
        pen.shape(_foot(limb, 0.058, 0.034), colour=grey)
    for limb in arms:
        pen.shape(*_chain(limb, 0.046, 0.042, 0.04), colour=_limb(colour))
        pen.shape(ellipse(*limb[-1], 0.038), colour=grey)
    body.shape(box(-0.11, 0.135, 0.11, 0.335, 0.055), colour=colour)
    body.fill(box(-0.05, 0.2, 0.05, 0.265, 0.012), grey)
    head.shape(ellipse(0, 0.435, 0.138, 0.132), colour=colour)
    head.shape(ellipse(0, 0.43, 0.1, 0.086), colour=(70, 190, 235))
    head.fill(ellipse(-0.04, 0.465, 0.03, 0.018, 0.6), (225, 248, 255))


def bear(pen: Pen, colour, j) -> None:
    """A bear in fur of the colour: round ears, a sandy muzzle, a sandy belly."""
    arms, legs = _limbs(j)
    body, head = _frames(pen, j)
    sand = (226, 192, 150)
    for limb in legs:
        pen.shape(*_chain(limb, 0.058, 0.052, 0.048), _foot(limb, 0.064, 0.038), colour=_limb(colour))
    for limb in arms:
        pen.shape(*_chain(limb, 0.05, 0.047, 0.05), colour=_limb(colour))
    body.shape(ellipse(0, 0.22, 0.14, 0.122), colour=colour)
    body.fill(ellipse(0, 0.205, 0.075, 0.07), sand)
    for side in (-1, 1):
        head.shape(ellipse(side * 0.112, 0.525, 0.055), colour=colour)
        head.fill(ellipse(side * 0.112, 0.527, 0.028), sand)
    head.shape(ellipse(0, 0.43, 0.15, 0.125), colour=colour)
    head.fill(ellipse(0, 0.385, 0.075, 0.058), sand)
    for side in (-1, 1):
        head.fill(ellipse(side * 0.066, 0.462, 0.022, 0.026), (250, 250, 250) if _dark(colour) else INK)
    head.fill(ellipse(0, 0.41, 0.034, 0.023), INK)
    head.line((-0.032, 0.366), (0, 0.352), (0.032, 0.366), colour=INK, width=0.012)


def alien(pen: Pen, colour, j) -> None:
    """Thin limbs and a small body under a big pointed head with large eyes and two feelers."""
    arms, legs = _limbs(j)
    body, head = _frames(pen, j)
    for limb in legs:
        pen.shape(*_chain(limb, 0.032, 0.028, 0.028), _foot(limb, 0.052, 0.03, 0.012), colour=_limb(colour))
    for limb in arms:
        pen.shape(*_chain(limb, 0.03, 0.027, 0.027), ellipse(*limb[-1], 0.038), colour=_limb(colour))
    body.shape(
        smooth(
            (0.0, 0.35),
            (0.1, 0.315),
            (0.085, 0.2),
            (0.065, 0.135),
            (-0.065, 0.135),
            (-0.085, 0.2),
            (-0.1, 0.315),
        ),
        colour=colour,
    )
    for side in (-1, 1):
        head.line((side * 0.07, 0.52), (side * 0.11, 0.6), width=0.018)
        head.shape(ellipse(side * 0.112, 0.6, 0.024), colour=(255, 222, 60))
    head.shape(
        smooth(
            (0.0, 0.565),
            (0.105, 0.545),
            (0.17, 0.465),
            (0.125, 0.375),
            (0.045, 0.325),
            (-0.045, 0.325),
            (-0.125, 0.375),
            (-0.17, 0.465),
            (-0.105, 0.545),
        ),
        colour=colour,
    )
    eyes, glint = ((150, 255, 120), INK) if _dark(colour) else ((24, 20, 34), (250, 250, 250))
    for side in (-1, 1):
        head.fill(ellipse(side * 0.074, 0.446, 0.066, 0.042, side * 0.55), eyes)
        head.fill(ellipse(side * 0.074 + 0.02, 0.468, 0.014), glint)
    head.line((-0.026, 0.362), (0, 0.354), (0.026, 0.362), colour=eyes, width=0.014)


def person(pen: Pen, colour, j) -> None:
    """Shirt and trousers of the colour, the trousers darker; brown hair."""
    arms, legs = _limbs(j)
    body, head = _frames(pen, j)
    skin, hair, shoes = (248, 204, 166), (112, 70, 42), (96, 84, 84)
    trousers = _limb(colour) if _dark(colour) else tuple(int(0.7 * c) for c in colour)
    for limb in legs:
        pen.shape(*_chain(limb, 0.046, 0.04, 0.036), colour=trousers)
        pen.shape(_foot(limb, 0.05, 0.027, 0.01), colour=shoes)
    for limb in arms:
        pen.shape(ellipse(*limb[-1], 0.036), colour=skin, ink=INK)
        pen.shape(
            *_chain(limb[:2], 0.042, 0.038),
            capsule(limb[1], 0.35 * limb[1] + 0.65 * limb[2], 0.038),
            colour=colour,
        )
    body.shape(box(-0.052, 0.3, 0.052, 0.36, 0.02), colour=skin, ink=INK)
    body.shape(
        smooth(
            (0.05, 0.345),
            (0.105, 0.325),
            (0.1, 0.22),
            (0.1, 0.135),
            (-0.1, 0.135),
            (-0.1, 0.22),
            (-0.105, 0.325),
            (-0.05, 0.345),
        ),
        colour=colour,
    )
    head.shape(ellipse(0, 0.452, 0.124, 0.118), colour=hair, ink=INK)
    head.fill(ellipse(0, 0.425, 0.104, 0.095), skin)
    fringe = smooth((-0.112, 0.45), (-0.08, 0.545), (0.08, 0.545), (0.112, 0.45), (0.06, 0.492), (-0.02, 0.5))
    head.fill(fringe, hair)
    for side in (-1, 1):
        head.fill(ellipse(side * 0.042, 0.44, 0.017, 0.022), INK)
        head.fill(ellipse(side * 0.068, 0.4, 0.018, 0.013), (246, 164, 140))
    head.line((-0.032, 0.385), (0, 0.37), (0.032, 0.385), colour=(150, 60, 56), width=0.014)


def draw_skeleton(pen: Pen, j: np.ndarray) -> None:
    """Limbs at three fifths of their colour, then the joints on top, as OpenPose draws them."""
    for (a, b), colour in zip(LIMBS, COLOURS, strict=False):
        along = j[b] - j[a]
        turn = np.arctan2(along[1], along[0])
        limb = ellipse(*(j[a] + j[b]) / 2, max(np.hypot(*along) / 2, 0.004), 0.011, turn)
        pen.fill(limb, tuple(int(0.6 * c) for c in colour))
    for joint, colour in zip(j, COLOURS, strict=True):
        pen.fill(ellipse(*joint, 0.011), colour)

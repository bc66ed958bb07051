"""Figures drawn around OpenPose's 18 joints: robot, panda, astronaut."""

import numpy as np

from .pen import INK, Pen, box, capsule, ellipse

NOSE, NECK, R_SHOULDER, R_ELBOW, R_WRIST, L_SHOULDER, L_ELBOW, L_WRIST = range(8)
R_HIP, R_KNEE, R_ANKLE, L_HIP, L_KNEE, L_ANKLE, R_EYE, L_EYE, R_EAR, L_EAR = range(8, 18)
UPPER_ARM, LOWER_ARM = 0.085, 0.08

# angles of (upper arm, lower arm) from straight down, outwards, in degrees: the figure's right, then its left
ARMS = {"standing": ((28, 14), (28, 14)), "waving": ((28, 14), (118, 168))}
RIM = (196, 198, 212)  # around black fur, which would be lost on the moon otherwise


def joints(pose: str, variation: float) -> np.ndarray:
    """(18, 2) in the figure's own units: origin between the feet, y up, 0.55 tall, facing us.

    `pose` is a key of ARMS; `variation`, -1..1, swings the arms a little.
    """
    j = np.zeros((18, 2))
    j[NECK], j[NOSE] = (0, 0.325), (0, 0.425)
    for side, (shoulder, elbow, wrist, hip, knee, ankle, eye, ear) in (
        (-1, (R_SHOULDER, R_ELBOW, R_WRIST, R_HIP, R_KNEE, R_ANKLE, R_EYE, R_EAR)),
        (1, (L_SHOULDER, L_ELBOW, L_WRIST, L_HIP, L_KNEE, L_ANKLE, L_EYE, L_EAR)),
    ):
        upper, lower = np.radians(np.array(ARMS[pose][(side + 1) // 2]) + 7 * variation)
        j[shoulder] = side * 0.088, 0.305
        j[elbow] = j[shoulder] + UPPER_ARM * np.array([side * np.sin(upper), -np.cos(upper)])
        j[wrist] = j[elbow] + LOWER_ARM * np.array([side * np.sin(lower), -np.cos(lower)])
        j[hip] = side * 0.052, 0.165
        j[knee] = side * 0.060, 0.095
        j[ankle] = side * 0.064, 0.03
        j[eye] = side * 0.042, 0.445
        j[ear] = side * 0.095, 0.435
    return j


def _limbs(j):
    arms = ((R_SHOULDER, R_ELBOW, R_WRIST), (L_SHOULDER, L_ELBOW, L_WRIST))
    legs = ((R_HIP, R_KNEE, R_ANKLE), (L_HIP, L_KNEE, L_ANKLE))
    return [[j[list(chain)] for chain in group] for group in (arms, legs)]


def _chain(points, *radii):
    return [capsule(a, b, r, r2) for a, b, r, r2 in
            zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True)]


def robot(pen: Pen, colour, j) -> None:
    arms, legs = _limbs(j)
    metal = (176, 184, 198)
    for limb in legs:
        pen.shape(*_chain(limb, 0.026, 0.026, 0.026), colour=metal)
        x = limb[-1][0]
        pen.shape(box(x - 0.05, -0.005, x + 0.05, 0.045, 0.02), colour=colour)
    for limb in arms:
        pen.shape(*_chain(limb, 0.026, 0.026, 0.026), colour=metal)
        pen.shape(ellipse(*limb[-1], 0.036), colour=colour)
    pen.shape(box(-0.105, 0.13, 0.105, 0.335, 0.02), colour=colour)
    pen.fill(box(-0.055, 0.19, 0.055, 0.285, 0.015), (244, 246, 250))
    pen.fill(ellipse(-0.022, 0.237, 0.018), (240, 60, 60))
    pen.fill(ellipse(0.022, 0.237, 0.018), (60, 190, 90))
    pen.line((0, 0.52), (0, 0.565), width=0.016)
    pen.shape(ellipse(0, 0.575, 0.022), colour=(255, 210, 40))
    pen.shape(box(-0.125, 0.35, 0.125, 0.525, 0.025), colour=colour)
    pen.fill(box(-0.098, 0.395, 0.098, 0.49, 0.03), (36, 40, 58))
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.045, 0.445, 0.026), (110, 240, 255))


def panda(pen: Pen, colour, j) -> None:
    arms, legs = _limbs(j)
    fur, milk = (44, 42, 52), (252, 252, 252)
    for limb in legs:
        foot = ellipse(limb[-1][0] * 1.1, 0.028, 0.062, 0.036)
        pen.shape(*_chain(limb, 0.06, 0.055, 0.05), foot, colour=fur, ink=RIM)
    for limb in arms:
        pen.shape(*_chain(limb, 0.048, 0.044, 0.046), colour=fur, ink=RIM)
    pen.shape(ellipse(0, 0.215, 0.135, 0.125), colour=colour)
    for side in (-1, 1):
        pen.shape(ellipse(side * 0.105, 0.525, 0.046), colour=fur, ink=RIM)
    pen.shape(ellipse(0, 0.43, 0.148, 0.122), colour=milk, ink=INK)
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.062, 0.437, 0.038, 0.046, side * -0.5), fur)
        pen.fill(ellipse(side * 0.056, 0.443, 0.015), milk)
    pen.fill(ellipse(0, 0.395, 0.026, 0.018), fur)
    pen.line((-0.03, 0.368), (0, 0.357), (0.03, 0.368), colour=fur, width=0.01)


def astronaut(pen: Pen, colour, j) -> None:
    arms, legs = _limbs(j)
    grey = (190, 198, 212)
    pen.shape(box(-0.14, 0.17, 0.14, 0.36, 0.03), colour=grey)
    for limb in legs:
        pen.shape(*_chain(limb, 0.052, 0.048, 0.046), colour=colour)
        pen.shape(ellipse(limb[-1][0] * 1.1, 0.022, 0.06, 0.032), colour=grey)
    for limb in arms:
        pen.shape(*_chain(limb, 0.046, 0.042, 0.04), colour=colour)
        pen.shape(ellipse(*limb[-1], 0.038), colour=grey)
    pen.shape(box(-0.11, 0.13, 0.11, 0.335, 0.055), colour=colour)
    pen.fill(box(-0.05, 0.2, 0.05, 0.265, 0.012), grey)
    pen.shape(ellipse(0, 0.435, 0.138, 0.132), colour=colour)
    pen.shape(ellipse(0, 0.43, 0.1, 0.086), colour=(70, 190, 235))
    pen.fill(ellipse(-0.04, 0.465, 0.03, 0.018, 0.6), (225, 248, 255))


# OpenPose's limbs and colours as ControlNet's pose models expect them (RGB)
LIMBS = ((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
         (1, 0), (0, 14), (14, 16), (0, 15), (15, 17))
LIMB_COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0),
    (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255),
    (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)


def draw_skeleton(pen: Pen, j: np.ndarray) -> None:
    """Limbs at three fifths of their colour, then the joints on top, as OpenPose draws them."""
    for (a, b), colour in zip(LIMBS, LIMB_COLOURS, strict=False):
        along = j[b] - j[a]
        turn = np.arctan2(along[1], along[0])
        limb = ellipse(*(j[a] + j[b]) / 2, max(np.hypot(*along) / 2, 0.004), 0.011, turn)
        pen.fill(limb, tuple(int(0.6 * c) for c in colour))
    for joint, colour in zip(j, LIMB_COLOURS, strict=True):
        pen.fill(ellipse(*joint, 0.011), colour)

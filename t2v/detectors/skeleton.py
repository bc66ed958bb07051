"""OpenPose's skeletons: COCO's 17 joints turned into its 18, and drawn as ControlNet's models know them."""

from dataclasses import dataclass

import cv2
import numpy as np

# Which of COCO's joints is each of OpenPose's: nose, neck (COCO has none), right shoulder, elbow, wrist, left
# ones, right hip, knee, ankle, left ones, right eye, left eye, right ear, left ear.
NECK, R_SHOULDER, L_SHOULDER = 1, 2, 5
FROM_COCO = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
# Pairs of joints, in the order in which they are drawn: a later limb covers an earlier one.
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
# RGB once around the colour circle; limb k has colour k, joint k too.
COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0),
    (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255),
    (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
LIMB_OPACITY = 0.6
RADIUS_AT_512 = 4.0  # of joints, and half the width of limbs, in pixels where the shorter side has 512
SUBPIXEL_BITS = 4


@dataclass(frozen=True, eq=False)
class People:
    """Joints of the people in one frame.

    joints: float (p, n, 2), x and y in pixels (0, 0 is the middle of the first pixel); scores: float (p, n),
    0..1. n is 17 in COCO's order and 18 in OpenPose's.
    """

    joints: np.ndarray
    scores: np.ndarray


def coco_to_openpose(people: People) -> People:
    """In OpenPose's order; the neck is midway between the shoulders, as sure as the less sure of them."""
    places = [0 if place is None else place for place in FROM_COCO]
    joints, scores = people.joints[:, places].copy(), people.scores[:, places].copy()
    joints[:, NECK] = (joints[:, R_SHOULDER] + joints[:, L_SHOULDER]) / 2
    scores[:, NECK] = np.minimum(scores[:, R_SHOULDER], scores[:, L_SHOULDER])
    return People(joints, scores)


def draw_skeletons(people: People, height: int, width: int, min_score: float) -> np.ndarray:
    """A picture, uint8 RGB (height, width, 3): coloured limbs on black, joints on top of them.

    ``people`` in OpenPose's order. Joints with a score below ``min_score`` are left out, and so are limbs
    that need one. Thickness follows the shorter side, as the models were shown pictures of about 512 pixels.
    """
    picture = np.zeros((height, width, 3), np.uint8)
    radius = max(1.0, RADIUS_AT_512 * min(height, width) / 512)
    for joints, scores in zip(people.joints, people.scores, strict=True):
        seen = (scores >= min_score) & np.isfinite(joints).all(axis=1)
        for (a, b), colour in zip(LIMBS, COLOURS, strict=False):
            if seen[a] and seen[b]:
                _fill(picture, _limb(joints[a], joints[b], radius), _dimmed(colour))
        for joint, colour in zip(joints[seen], np.array(COLOURS)[seen].tolist(), strict=True):
            _fill(picture, _ellipse(joint, (radius, radius), 0.0), colour)
    return picture


def _dimmed(colour: tuple[int, int, int]) -> tuple[int, ...]:
    return tuple(int(LIMB_OPACITY * value) for value in colour)


def _limb(start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    along = end - start
    length = float(np.hypot(*along))
    return _ellipse((start + end) / 2, (max(length / 2, 0.5), radius), float(np.arctan2(along[1], along[0])))


def _ellipse(centre: np.ndarray, axes: tuple[float, float], turn: float) -> np.ndarray:
    """Corners (n, 2) of an ellipse around ``centre``, its half ``axes`` turned by ``turn`` radians."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    flat = np.stack([axes[0] * np.cos(angles), axes[1] * np.sin(angles)], axis=1)
    cos, sin = np.cos(turn), np.sin(turn)
    return centre + flat @ np.array([[cos, sin], [-sin, cos]])


def _fill(picture: np.ndarray, corners: np.ndarray, colour: tuple[int, ...]) -> None:
    far = 1 << 26  # OpenCV counts in 32 bits
    fixed = np.clip(np.round(corners * (1 << SUBPIXEL_BITS)), -far, far).astype(np.int32)
    cv2.fillConvexPoly(picture, fixed, colour, cv2.LINE_AA, SUBPIXEL_BITS)

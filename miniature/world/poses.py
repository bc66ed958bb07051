"""OpenPose's 18 joints of a figure in each pose, and how they move through the pose's cycle."""

from dataclasses import dataclass

import numpy as np

NOSE, NECK, R_SHOULDER, R_ELBOW, R_WRIST, L_SHOULDER, L_ELBOW, L_WRIST = range(8)
R_HIP, R_KNEE, R_ANKLE, L_HIP, L_KNEE, L_ANKLE, R_EYE, L_EYE, R_EAR, L_EAR = range(8, 18)
UPPER_ARM, LOWER_ARM, THIGH, SHIN = 0.085, 0.08, 0.079, 0.075
SOLE = 0.03  # height of an ankle whose foot is on the ground
HIP = (0.05, 0.184)
NECK_AT, NOSE_AT = (0.0, 0.344), (0.0, 0.444)  # of a figure that stands straight
SHOULDER = (0.088, NECK_AT[1] - 0.02)
EYE, EAR = (0.042, 0.02), (0.095, 0.01)  # from the nose
PROPORTIONS = {  # of a figure that stands straight, for programs that pose one; its limbs keep their lengths
    "neck": NECK_AT[1], "nose": NOSE_AT[1], "shoulder": SHOULDER, "upper_arm": UPPER_ARM,
    "lower_arm": LOWER_ARM, "hip": HIP, "thigh": THIGH, "shin": SHIN, "ankle": SOLE, "eye": EYE, "ear": EAR,
}  # fmt: skip


@dataclass(frozen=True)
class _Posture:
    """Angles from straight down in degrees, outwards: (right, left) of (upper, lower).

    Lengths are in the figure's own units, as in `joints`.
    """

    arms: tuple
    legs: tuple
    sway: float = 0.0  # of hips and shoulders to our right
    nod: float = 0.0  # of the head to our right, beyond the sway
    lift: float | None = None  # of the hips above standing; None keeps the lower foot on the ground


REST, STRAIGHT = (28, 14), (6, 3)


def _mix(a, b, t):
    return (1 - t) * np.array(a, float) + t * np.array(b, float)


def _standing(turn: float) -> _Posture:
    return _Posture((REST, REST), (STRAIGHT, STRAIGHT))


def _waving(turn: float) -> _Posture:
    return _Posture((REST, (118, 150 + 18 * np.cos(turn))), (STRAIGHT, STRAIGHT))


def _turns(turn: float) -> float:
    """0..1 and back over a cycle, staying long at both ends: which side's turn it is."""
    return 0.5 + 0.5 * np.tanh(2.2 * np.cos(turn)) / np.tanh(2.2)


def _walking(turn: float) -> _Posture:
    """Strides seen from the front: legs apart, one knee up at a time, and the other side's arm forward."""
    left = _turns(turn)
    legs = [_mix((22, 12), (64, -26), t * t) for t in (1 - left, left)]
    arms = [_mix((30, 18), (50, 84), t) for t in (left, 1 - left)]
    return _Posture(tuple(arms), tuple(legs), sway=-0.012 * (2 * left - 1), nod=0.008 * (2 * left - 1))


def _dancing(turn: float) -> _Posture:
    """A leg kicks out while the hips sway to the other; the arms go up in turns, a quarter later."""
    kick = _turns(turn)
    up = 0.5 + 0.5 * np.sin(turn + 0.8)
    arms = [_mix((62, 74), (120, 152), u) for u in (1 - up, up)]
    legs = [_mix((4, -2), (62, 34), k) for k in (1 - kick, kick)]
    return _Posture(tuple(arms), tuple(legs), sway=-0.03 * (2 * kick - 1), nod=0.02 * (2 * up - 1))


def _jumping(turn: float) -> _Posture:
    high = 0.5 - 0.5 * np.cos(turn)
    arm, leg = _mix((114, 138), (126, 152), high), _mix((44, 16), (58, -4), high)
    return _Posture((arm, arm), (leg, leg), lift=0.02 + 0.048 * high)


def _free(turn: float) -> _Posture:
    """Any limb anywhere, a different posture at every phase: what real clips show, and no caption names."""
    draw = np.random.default_rng(int(1e6 * turn)).uniform

    def arm():
        upper = draw(-10, 165)
        return upper, upper + draw(-80, 80)

    def leg():
        upper = draw(-5, 75)
        return upper, upper - draw(0, 90)

    return _Posture(
        (arm(), arm()), (leg(), leg()), sway=draw(-0.03, 0.03), nod=draw(-0.02, 0.02), lift=draw(0.0, 0.05)
    )


POSES = {
    "standing": _standing,
    "waving": _waving,
    "walking": _walking,
    "dancing": _dancing,
    "jumping": _jumping,
}
FREE = "free"  # for learning from skeletons alone


def joints(pose: str, variation: float, phase: float = 0.0) -> np.ndarray:
    """(18, 2) in the figure's own units: origin between the feet, y up, 0.57 tall, facing us.

    `pose` is a key of POSES, or FREE; `variation`, -1..1, swings the arms a little; `phase` runs through one
    cycle of the pose's movement from 0 to 1, where it is as at 0 again.
    """
    posture = (_free if pose == FREE else POSES[pose])(2 * np.pi * phase)
    j = np.zeros((18, 2))
    j[NECK], j[NOSE] = NECK_AT, NOSE_AT
    for side, (shoulder, elbow, wrist, hip, knee, ankle, eye, ear) in (
        (-1, (R_SHOULDER, R_ELBOW, R_WRIST, R_HIP, R_KNEE, R_ANKLE, R_EYE, R_EAR)),
        (1, (L_SHOULDER, L_ELBOW, L_WRIST, L_HIP, L_KNEE, L_ANKLE, L_EYE, L_EAR)),
    ):
        arm, leg = (limbs[(side + 1) // 2] for limbs in (posture.arms, posture.legs))
        j[shoulder] = side * SHOULDER[0], SHOULDER[1]
        _bend(j, (shoulder, elbow, wrist), (UPPER_ARM, LOWER_ARM), side, np.array(arm) + 7 * variation)
        j[hip] = side * HIP[0], HIP[1]
        _bend(j, (hip, knee, ankle), (THIGH, SHIN), side, leg)
        j[eye] = side * EYE[0], NOSE_AT[1] + EYE[1]
        j[ear] = side * EAR[0], NOSE_AT[1] + EAR[1]
    lowest = min(j[R_ANKLE, 1], j[L_ANKLE, 1])
    j += posture.sway, SOLE - lowest if posture.lift is None else posture.lift
    j[[NOSE, R_EYE, L_EYE, R_EAR, L_EAR], 0] += posture.nod
    return j


def _bend(j, chain, lengths, side, degrees) -> None:
    for a, b, length, angle in zip(chain[:-1], chain[1:], lengths, np.radians(degrees), strict=True):
        j[b] = j[a] + length * np.array([side * np.sin(angle), -np.cos(angle)])

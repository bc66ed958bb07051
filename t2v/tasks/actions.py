"""Actions of a figure that faces us, as paths of OpenPose's 18 joints: formulas of time, each a loop.

An action gives a posture for every phase of its cycle, in angles and in shares of the figure's own leg; a
figure (``t2v.weights.figure``) gives the lengths. Of a figure seen in perspective a limb that points at us is
short; a flat one's turns outwards instead, as in cartoons.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from t2v.weights.figure import Figure

NOSE, NECK = 0, 1
ARMS = (
    (2, 3, 4),
    (5, 6, 7),
)  # shoulder, elbow, wrist: first the right ones, on our left
LEGS = ((8, 9, 10), (11, 12, 13))  # hip, knee, ankle
EYES, EARS = (14, 15), (16, 17)
LEAST_FRAMES = 6  # to a cycle, or nobody could see what it is
FLAT_GAIN, FLAT_LIMITS = 1.2, (-28.0, 125.0)  # of a flat figure's limbs: how far forwards turns outwards


@dataclass(frozen=True)
class Limb:
    """Two segments from straight down, in degrees: away from the body's middle, and towards us."""

    upper_out: float
    lower_out: float
    upper_forward: float = 0.0
    lower_forward: float = 0.0


@dataclass(frozen=True)
class Posture:
    """arms, legs: right and left. In lengths of the straight leg: sway, of hips and shoulders to our right;
    nod, of the head beyond it; hop, how high the lower foot is above the ground."""

    arms: tuple[Limb, Limb]
    legs: tuple[Limb, Limb]
    sway: float = 0.0
    nod: float = 0.0
    hop: float = 0.0


@dataclass(frozen=True)
class Action:
    """doing, does: the words for it. period_s: of one cycle. posture: at a phase of it, in radians."""

    doing: str
    does: str
    period_s: float
    posture: Callable[[float], Posture]


@dataclass(frozen=True)
class Clip:
    """What a path is for: frames, (width, height) in pixels, and how far the figure goes on to the right and
    downwards from frame to frame, in pixels."""

    num_frames: int
    size: tuple[int, int]
    motion_px: tuple[float, float] = (0.0, 0.0)


def _stride(turn: float) -> tuple[float, float]:
    """How high the right and the left knee are, 0..1: one after the other, both down between."""
    return max(0.0, math.sin(turn)), max(0.0, -math.sin(turn))


def _walk(turn: float) -> Posture:
    """A knee up, and the other side's arm with it."""
    right, left = _stride(turn)
    legs = tuple(Limb(5, 3, 48 * up, -36 * up) for up in (right, left))
    arms = tuple(Limb(26, 14, 22 * up, 55 * up) for up in (left, right))
    sway = 0.06 * (left - right)
    return Posture((arms[0], arms[1]), (legs[0], legs[1]), sway=sway, nod=-0.5 * sway)


def _run(turn: float) -> Posture:
    """Higher and bent arms; both feet leave the ground between strides."""
    right, left = _stride(turn)
    legs = tuple(Limb(6, 2, 66 * up, -50 * up) for up in (right, left))
    arms = tuple(Limb(30, 30, 8 + 34 * up, 62 + 40 * up) for up in (left, right))
    hop = 0.16 * math.cos(turn) ** 2
    return Posture((arms[0], arms[1]), (legs[0], legs[1]), sway=0.05 * (left - right), hop=hop)


def _wave(turn: float) -> Posture:
    """The left arm is up, and its hand goes to and fro."""
    swing = math.sin(turn)
    arms = Limb(28, 14), Limb(118 + 5 * swing, 150 + 26 * swing)
    return Posture(arms, (Limb(6, 3), Limb(6, 3)), nod=0.05 * swing)


def _jump(turn: float) -> Posture:
    """Up with both arms in the first half of the cycle, bent knees in the second."""
    air, crouch = max(0.0, math.sin(turn)) ** 1.5, max(0.0, -math.sin(turn))
    arm = Limb(30 + 92 * air + 20 * crouch, 18 + 130 * air + 12 * crouch)
    leg = Limb(6 + 10 * air, 3 + 4 * air, 52 * crouch, -34 * crouch)
    return Posture((arm, arm), (leg, leg), hop=0.5 * air)


def _dance(turn: float) -> Posture:
    """A leg kicks out while the hips go to the other side; the arms go up in turns, a quarter later."""
    right, left = _stride(turn)
    up = 0.5 - 0.5 * math.cos(turn + 0.5)
    arms = tuple(Limb(58 + 66 * share, 72 + 82 * share) for share in (1 - up, up))
    legs = tuple(Limb(6 + 54 * kick, 2 + 34 * kick) for kick in (right, left))
    sway = 0.2 * (right - left)
    return Posture((arms[0], arms[1]), (legs[0], legs[1]), sway=sway, nod=-0.5 * sway)


REST = "stand"  # what a figure does that does nothing: none of ACTIONS, as nothing moves by it
STANDING = Posture((Limb(28, 14), Limb(28, 14)), (Limb(6, 3), Limb(6, 3)))
ACTIONS = {
    "walk": Action("walking", "walks", 1.2, _walk),
    "wave": Action("waving", "waves", 1.0, _wave),
    "dance": Action("dancing", "dances", 1.4, _dance),
    "jump": Action("jumping", "jumps", 1.1, _jump),
    "run": Action("running", "runs", 0.8, _run),
}


def cycles(action: str, num_frames: int, fps: float) -> int:
    """How often a video shows an action: in its own time, a whole number of times, so that it loops."""
    usual = round(num_frames / fps / ACTIONS[action].period_s)
    return max(1, min(usual, num_frames // LEAST_FRAMES))


def posture_of(shares: Mapping[str, float], phase: float) -> Posture:
    """The posture at a phase, 0..1, of actions in shares that add up to 1; keys of ACTIONS, or REST."""
    turn = 2 * math.pi * phase
    each = [STANDING if name == REST else ACTIONS[name].posture(turn) for name in shares]
    numbers = np.average([_numbers(one) for one in each], axis=0, weights=list(shares.values()))
    limbs = [Limb(*four) for four in numbers[:16].reshape(4, 4).tolist()]
    sway, nod, hop = numbers[16:].tolist()
    return Posture((limbs[0], limbs[1]), (limbs[2], limbs[3]), sway, nod, hop)


def _numbers(posture: Posture) -> np.ndarray:
    limbs = [astuple(limb) for limb in (*posture.arms, *posture.legs)]
    return np.array([*np.ravel(limbs), posture.sway, posture.nod, posture.hop])


def joints(figure: Figure, posture: Posture) -> np.ndarray:
    """(18, 2) in the figure's own units: origin between the feet, x to our right, y up."""
    found = np.zeros((18, 2))
    found[NECK, 1], found[NOSE, 1] = figure.neck, figure.nose
    for side, away in enumerate((-1, 1)):
        for chain, limb, root, lengths in (
            (ARMS[side], posture.arms[side], figure.shoulder, (figure.upper_arm, figure.lower_arm)),
            (LEGS[side], posture.legs[side], figure.hip, (figure.thigh, figure.shin)),
        ):
            upper = _direction(limb.upper_out, limb.upper_forward, figure.is_flat)
            lower = _direction(limb.lower_out, limb.lower_forward, figure.is_flat)
            found[chain[0]] = away * root[0], root[1]
            found[chain[1]] = found[chain[0]] + lengths[0] * upper * (away, 1)
            found[chain[2]] = found[chain[1]] + lengths[1] * lower * (away, 1)
        for joint, place in ((EYES[side], figure.eye), (EARS[side], figure.ear)):
            found[joint] = away * place[0], figure.nose + place[1]
    lowest = min(found[LEGS[0][2], 1], found[LEGS[1][2], 1])
    found += posture.sway * figure.leg, figure.ankle - lowest + posture.hop * figure.leg
    found[[NOSE, *EYES, *EARS], 0] += posture.nod * figure.leg
    return found


def _direction(out: float, forward: float, is_flat: bool) -> np.ndarray:
    """(away, up) of a segment of length 1 as we see it."""
    if is_flat:
        low, high = FLAT_LIMITS
        out, forward = out + min(max(FLAT_GAIN * forward, low), high), 0.0
    away, ahead = math.radians(out), math.radians(forward)
    return np.array([math.sin(away), -math.cos(away)]) * (1.0 if is_flat else math.cos(ahead))


def path(figure: Figure, shares: Sequence[Mapping[str, float]], often: int, clip: Clip) -> np.ndarray:
    """Joints in every frame, (f, 18, 2) in pixels, (0, 0) the middle of the first one.

    shares: of actions in each frame, as ``posture_of`` takes them. often: how many cycles they take.
    Halfway through the clip a figure that goes on is where it would stand.
    """
    width, height = clip.size
    unit = min(clip.size)
    foot = (figure.x - 0.5) * unit + width / 2 - 0.5, (figure.y - 0.5) * unit + height / 2 - 0.5
    scale = np.array((1, -1)) * figure.size * unit
    places = np.arange(clip.num_frames)[:, None] - (clip.num_frames - 1) / 2
    moved = np.array(foot) + places * np.array(clip.motion_px)
    posed = [
        joints(figure, posture_of(each, often * k / clip.num_frames % 1.0)) for k, each in enumerate(shares)
    ]
    return np.stack(posed) * scale + moved[:, None]

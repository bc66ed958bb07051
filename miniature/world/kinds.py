"""The table of subjects: a new one is a drawing function and a line here."""

from collections.abc import Callable
from dataclasses import dataclass

from . import animals, figures, things


@dataclass(frozen=True)
class Kind:
    """How a subject is drawn and where it belongs; lengths in picture units."""

    draw: Callable  # (pen, colour), and for figures (pen, colour, joints)
    half_width: float  # of its shadow
    ground: float = 0.85  # height in the picture, from the top, of the point it stands on
    size: float = 1.0
    hovers: bool = False  # its shadow lies on the ground below it
    figure: bool = False  # has OpenPose joints


KINDS = {
    "car": Kind(things.car, 0.29),
    "boat": Kind(things.boat, 0.27),
    "balloon": Kind(things.balloon, 0.13, ground=0.74, hovers=True),
    "rocket": Kind(things.rocket, 0.13, ground=0.80, hovers=True),
    "ball": Kind(things.ball, 0.15, size=1.05),
    "star": Kind(things.star, 0.14, ground=0.72, size=1.05, hovers=True),
    "house": Kind(things.house, 0.26),
    "cat": Kind(animals.cat, 0.16, size=1.05),
    "dog": Kind(animals.dog, 0.24, size=1.05),
    "horse": Kind(animals.horse, 0.24, size=1.05),
    "deer": Kind(animals.deer, 0.2),
    "fish": Kind(animals.fish, 0.2, ground=0.78, hovers=True),
    "robot": Kind(figures.robot, 0.15, ground=0.86, size=1.1, figure=True),
    "panda": Kind(figures.panda, 0.16, ground=0.86, size=1.12, figure=True),
    "astronaut": Kind(figures.astronaut, 0.16, ground=0.86, size=1.15, figure=True),
    "bear": Kind(figures.bear, 0.17, ground=0.86, size=1.12, figure=True),
    "alien": Kind(figures.alien, 0.14, ground=0.86, size=1.1, figure=True),
    "person": Kind(figures.person, 0.14, ground=0.86, size=1.12, figure=True),
}

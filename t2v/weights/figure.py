"""How a model's figures stand in its pictures: where, how large, how far their joints lie apart."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A figure that stands straight and faces us, and its place in the picture.

    x, y: of the point between its feet in picture units: the shorter side is 1, its middle 0.5, y down.
    size: picture units to a unit of the figure's own, in which all lengths below are; sizes: the same by the
    name of a kind of figure, where the model tells them apart. is_flat: limbs keep their lengths whatever
    they do, as a cut-out's; else they are seen in perspective, and shorten as they point at us.
    shoulder, hip: (half the width between both, height). eye, ear: (half the width, height above the nose).
    ankle: its height where the foot is on the ground.
    """

    x: float
    y: float
    size: float
    neck: float
    nose: float
    shoulder: tuple[float, float]
    upper_arm: float
    lower_arm: float
    hip: tuple[float, float]
    thigh: float
    shin: float
    ankle: float
    eye: tuple[float, float]
    ear: tuple[float, float]
    is_flat: bool = False
    sizes: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def leg(self) -> float:
        """Length of a straight leg, down to the ankle."""
        return self.thigh + self.shin


# A grown person, in shares of the body's height: segment lengths as Drillis and Contini measured them (1966).
PERSON = Figure(
    x=0.5,
    y=0.9,
    size=0.68,
    neck=0.818,
    nose=0.915,
    shoulder=(0.115, 0.818),
    upper_arm=0.186,
    lower_arm=0.146,
    hip=(0.07, 0.53),
    thigh=0.245,
    shin=0.246,
    ankle=0.039,
    eye=(0.02, 0.021),
    ear=(0.043, 0.01),
)


def read_figure(told: Mapping[str, Any] | None) -> Figure | None:
    """A figure as a card tells it in JSON, one entry a field; None where it tells none.

    ValueError or TypeError where anything is missing, unknown, or no number that a figure can have.
    """
    if told is None:
        return None
    pairs = ("shoulder", "hip", "eye", "ear")
    single = [one.name for one in fields(Figure) if one.name not in (*pairs, "is_flat", "sizes")]
    values: dict[str, Any] = {name: _length(told[name]) for name in single if name in told}
    values |= {name: (_length(told[name][0]), _length(told[name][1])) for name in pairs if name in told}
    values["sizes"] = {str(name): _length(size) for name, size in told.get("sizes", {}).items()}
    unknown = told.keys() - values.keys() - {"is_flat"}
    if unknown:
        raise ValueError(f"a figure has no {', '.join(sorted(unknown))}")
    return Figure(**values, is_flat=told.get("is_flat") is True)


def _length(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:60]} is not a length")
    if not 0 <= value <= 10:
        raise ValueError(f"{value:g} is no length of a figure")
    return float(value)

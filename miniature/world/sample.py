"""Which scenes are drawn for training, and which are kept from it: the one place for the distribution."""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from .kinds import KINDS
from .places import ALWAYS_NIGHT
from .scene import COLOURS, Scene, Subject

SPLITS = ("train", "held-out", None)
HELD_OUT_PERCENT = 10


@dataclass(frozen=True)
class Distribution:
    """Which scenes `sample_scene` yields, and how far things vary."""

    subjects: tuple[str, ...]
    places: tuple[str, ...]
    colours: tuple[str, ...] = tuple(COLOURS)
    times: dict[str, tuple[str, ...]] = field(default_factory=dict)  # place -> times; the others: day
    poses: tuple[str, ...] = ("standing", "waving")
    x_spread: float = 0.12
    y_spread: float = 0.02
    scales: tuple[float, float] = (0.88, 1.1)
    horizon: tuple[float, float] = (0.55, 0.61)


TRAINING = Distribution(
    subjects=("car", "boat", "balloon", "rocket", "ball", "star", "house", "cat", "dog", "robot", "panda",
              "astronaut"),
    places=("street", "grass", "beach", "snow", "desert", "moon", "city", "sea"),
    times=dict.fromkeys(ALWAYS_NIGHT, ("night",)),
)


def held_out(kind: str, colour: str, place: str) -> bool:
    """True for the tenth of all (subject, colour, place) triples that training never sees."""
    digest = hashlib.sha256(f"{kind}/{colour}/{place}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT


def sample_scene(rng: np.random.Generator, split: str | None = "train",
                 dist: Distribution = TRAINING) -> Scene:
    """A random scene: split "train" never holds a held-out triple, "held-out" holds only those, None any."""
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; allowed are {', '.join(map(repr, SPLITS))}.")
    while True:
        kind, colour, place = (str(rng.choice(names)) for names in (dist.subjects, dist.colours, dist.places))
        if split is None or held_out(kind, colour, place) == (split == "held-out"):
            break
    poses = dist.poses if KINDS[kind].figure else ("standing",)
    subject = Subject(
        kind=kind, colour=colour,
        x=0.5 + rng.uniform(-dist.x_spread, dist.x_spread),
        y=KINDS[kind].ground + rng.uniform(-dist.y_spread, dist.y_spread),
        scale=rng.uniform(*dist.scales), pose=str(rng.choice(poses)), variation=rng.uniform(-1.0, 1.0),
    )
    return Scene(
        place=place, subjects=(subject,), time=str(rng.choice(dist.times.get(place, ("day",)))),
        seed=int(rng.integers(2**31)), horizon=rng.uniform(*dist.horizon),
    )

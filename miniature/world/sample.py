"""Which scenes are drawn for training, and which are kept from it: the one place for the distribution."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from .kinds import KINDS
from .looks import WEATHER_FITS
from .places import ALWAYS_NIGHT
from .scene import COLOURS, Scene, Subject

SPLITS = ("train", "held-out", None)
HELD_OUT_PERCENT = 10
PAIR_X = 0.23  # how far two subjects stand from the middle
PAIR_SCALES = (0.58, 0.7)
FARTHEST = 0.22  # widths that camera and subject move apart in a clip of eight frames, at most


@dataclass(frozen=True)
class Distribution:
    """Which scenes `sample_scene` yields, how often (shares of 1), and how far things vary."""

    subjects: tuple[str, ...]
    places: tuple[str, ...]
    colours: tuple[str, ...] = tuple(COLOURS)
    poses: tuple[str, ...] = ("standing", "waving", "walking", "dancing", "jumping")
    night: float = 0.2  # of the places that know day and night
    weathers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # place -> what may fall there
    falling: float = 0.2  # of the scenes where something may fall
    styles: Mapping[str, float] = field(default_factory=dict)  # style -> share; the rest: plain
    pairs: float = 0.0  # scenes with two subjects
    empty: float = 0.0  # scenes with none
    x_spread: float = 0.12
    y_spread: float = 0.02
    scales: tuple[float, float] = (0.88, 1.1)
    horizon: tuple[float, float] = (0.55, 0.61)


TRAINING = Distribution(
    subjects=(
        "car",
        "boat",
        "balloon",
        "rocket",
        "ball",
        "star",
        "house",
        "cat",
        "dog",
        "horse",
        "deer",
        "fish",
        "robot",
        "panda",
        "astronaut",
        "bear",
        "alien",
        "person",
    ),
    places=("street", "grass", "beach", "snow", "desert", "moon", "city", "sea", "forest"),
    weathers=WEATHER_FITS,
    styles={"pencil sketch": 0.08, "pixel art": 0.08, "watercolour": 0.08},
    pairs=0.12,
)

FIGURES = tuple(kind for kind in TRAINING.subjects if KINDS[kind].figure)


def held_out(kind: str, colour: str, place: str) -> bool:
    """True for the tenth of all (subject, colour, place) triples that training never sees."""
    digest = hashlib.sha256(f"{kind}/{colour}/{place}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT


def belongs(scene: Scene, split: str | None) -> bool:
    """Whether a scene is of the split: "train" has no held-out triple, "held-out" a first subject of one."""
    kept = [held_out(s.kind, s.colour, scene.place) for s in scene.subjects]
    return split is None or (any(kept[:1]) if split == "held-out" else not any(kept))


def sample_scene(
    rng: np.random.Generator, split: str | None = "train", dist: Distribution = TRAINING
) -> Scene:
    """A random scene: split "train" never holds a held-out triple, "held-out" starts with one, None any."""
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; allowed are {', '.join(map(repr, SPLITS))}.")
    while True:
        place = _pick(rng, dist.places)
        scene = Scene(
            place=place,
            subjects=_subjects(rng, dist),
            time=_time(rng, dist, place),
            weather=_weather(rng, dist, place),
            style=_style(rng, dist),
            seed=int(rng.integers(2**31)),
            horizon=rng.uniform(*dist.horizon),
        )
        if belongs(scene, split):
            return scene


def another_frame(rng: np.random.Generator, scene: Scene) -> Scene:
    """The scene in another frame of a clip: camera or subjects have moved, or both, and figures moved on."""
    camera, subjects = [(True, False), (True, True), (not scene.subjects, True)][rng.integers(3)]
    moved = FARTHEST * rng.uniform(-1, 1, 2)
    return replace(
        scene,
        camera=(scene.camera[0] + camera * moved[0], scene.camera[1] + camera * rng.uniform(-0.06, 0.06)),
        subjects=tuple(
            replace(s, x=s.x + subjects * moved[1], phase=(s.phase + rng.uniform(0, 0.5)) % 1.0)
            for s in scene.subjects
        ),
    )


def _pick(rng: np.random.Generator, names: tuple[str, ...]) -> str:
    return names[rng.integers(len(names))]


def _subjects(rng: np.random.Generator, dist: Distribution) -> tuple[Subject, ...]:
    if dist.empty and rng.random() < dist.empty:  # nothing is drawn of rng where none are wanted
        return ()
    return _pair(rng, dist) if rng.random() < dist.pairs else (_subject(rng, dist),)


def _subject(rng: np.random.Generator, dist: Distribution, kind: str | None = None) -> Subject:
    kind = _pick(rng, dist.subjects) if kind is None else kind
    return Subject(
        kind=kind,
        colour=_pick(rng, dist.colours),
        x=0.5 + rng.uniform(-dist.x_spread, dist.x_spread),
        y=KINDS[kind].ground + rng.uniform(-dist.y_spread, dist.y_spread),
        scale=rng.uniform(*dist.scales),
        pose=_pick(rng, dist.poses) if KINDS[kind].figure else "standing",
        variation=rng.uniform(-1.0, 1.0),
        phase=rng.random(),
    )


def _pair(rng: np.random.Generator, dist: Distribution) -> tuple[Subject, Subject]:
    """Two different subjects side by side, smaller, so that neither hides the other."""
    kinds = [dist.subjects[i] for i in rng.permutation(len(dist.subjects))[:2]]
    made = []
    for side, kind in zip((-1, 1), kinds, strict=True):
        one = _subject(rng, dist, kind)
        x = 0.5 + side * PAIR_X + (one.x - 0.5) * 0.25
        made.append(
            Subject(kind, one.colour, x, one.y, rng.uniform(*PAIR_SCALES), one.pose, one.variation, one.phase)
        )
    return made[0], made[1]


def _time(rng: np.random.Generator, dist: Distribution, place: str) -> str:
    return "night" if place in ALWAYS_NIGHT or rng.random() < dist.night else "day"


def _weather(rng: np.random.Generator, dist: Distribution, place: str) -> str:
    falls = dist.weathers.get(place, ())
    return _pick(rng, falls) if falls and rng.random() < dist.falling else "clear"


def _style(rng: np.random.Generator, dist: Distribution) -> str:
    drawn = rng.random()
    for style, share in dist.styles.items():
        drawn -= share
        if drawn < 0:
            return style
    return "plain"

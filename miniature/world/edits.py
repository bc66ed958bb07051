"""Instructions, and the scene after each: what an editing model learns from."""

from dataclasses import replace

import numpy as np

from .kinds import KINDS
from .places import ALWAYS_NIGHT
from .sample import TRAINING, Distribution, held_out
from .scene import Scene
from .words import PLACE_PHRASES, with_article


def _colour(scene: Scene, rng, dist: Distribution):
    subject = scene.subjects[0]
    colour = _other(rng, dist.colours, subject.colour)
    texts = (f"make the {subject.kind} {colour}", f"turn the {subject.kind} {colour}")
    return texts, _with_first(scene, colour=colour)


def _place(scene: Scene, rng, dist: Distribution):
    place = _other(rng, dist.places, scene.place)
    phrase = PLACE_PHRASES[place][0]
    time = "night" if place in ALWAYS_NIGHT else "day" if scene.place in ALWAYS_NIGHT else scene.time
    kind = scene.subjects[0].kind
    return (f"put the {kind} {phrase}", f"make it {phrase}"), replace(scene, place=place, time=time)


def _time(scene: Scene, rng, dist: Distribution):
    time = "day" if scene.time == "night" else "night"
    return (f"make it {time}", f"turn it into {time}"), replace(scene, time=time)


def _subject(scene: Scene, rng, dist: Distribution):
    old = scene.subjects[0]
    new = _other(rng, dist.subjects, old.kind)
    changes = {"kind": new, "y": old.y + KINDS[new].ground - KINDS[old.kind].ground}
    if not KINDS[new].figure:
        changes["pose"] = "standing"
    thing = with_article(new)
    texts = (f"replace the {old.kind} with {thing}", f"turn the {old.kind} into {thing}")
    return texts, _with_first(scene, **changes)


EDITS = {"colour": _colour, "place": _place, "time": _time, "subject": _subject}


def edits(scene: Scene, rng: np.random.Generator, what: str | None = None, split: str | None = "train",
          dist: Distribution = TRAINING) -> tuple[str, Scene]:
    """(instruction, edited scene), changing one of EDITS (any when `what` is None) and nothing else.

    With split "train" the edited scene holds no combination kept from training, with "held-out" only such.
    """
    if what == "time" and scene.place in ALWAYS_NIGHT:
        raise ValueError(f"what is 'time', but {scene.place!r} knows only night; choose another.")
    while True:
        name = what
        if name is None:
            names = [n for n in EDITS if n != "time" or scene.place not in ALWAYS_NIGHT]
            name = names[rng.integers(len(names))]
        texts, edited = EDITS[name](scene, rng, dist)
        kept = [held_out(s.kind, s.colour, edited.place) for s in edited.subjects]
        if split is None or all(k == (split == "held-out") for k in kept):
            return texts[rng.integers(len(texts))], edited


def _other(rng, names: tuple[str, ...], but: str) -> str:
    rest = [n for n in names if n != but]
    return rest[rng.integers(len(rest))]


def _with_first(scene: Scene, **changes) -> Scene:
    return replace(scene, subjects=(replace(scene.subjects[0], **changes), *scene.subjects[1:]))

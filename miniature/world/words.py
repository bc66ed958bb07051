"""Captions of scenes and the words they are made of."""

import re

import numpy as np

from .places import ALWAYS_NIGHT
from .sample import TRAINING
from .scene import Scene

PLACE_PHRASES = {
    "street": ("on the street", "on a street", "in the street"),
    "grass": ("on the grass", "on grass", "on green grass"),
    "beach": ("on the beach", "on a beach", "at the beach"),
    "snow": ("in the snow", "in snow", "on the snow"),
    "desert": ("in the desert", "in a desert"),
    "moon": ("on the moon",),
    "city": ("in a city at night", "in the city at night"),
    "sea": ("on the sea", "at the sea", "in the sea"),
}
SAY_POSE = 0.6  # of the captions of a figure that does something, how many say so
DOINGS = {"waving": ("waving", "waving", "is waving", "that is waving")}
NOUNS = {"balloon": ("balloon", "balloon", "hot air balloon")}
OPENINGS = ("a photo of {}", "a picture of {}", "a cartoon of {}", "a drawing of {}", "{}, high quality",
            "{}, cartoon", "the {}")


def plain_caption(scene: Scene) -> str:
    """The one plain wording: "a red car on the street"."""
    things = " and ".join(with_article(f"{s.colour} {s.kind}") for s in scene.subjects)
    return f"{things} {PLACE_PHRASES[scene.place][0]}{_hour(scene)}"


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """A wording drawn from many, mostly the plain one; always colour, subject, place; at most 14 words."""
    def pick(choices):
        return choices[rng.integers(len(choices))]

    def thing(subject):
        words = with_article(f"{subject.colour} {pick(NOUNS.get(subject.kind, (subject.kind,)))}")
        doing = subject.pose in DOINGS and rng.random() < SAY_POSE
        return f"{words} {pick(DOINGS[subject.pose])}" if doing else words

    text = f"{' and '.join(map(thing, scene.subjects))} {pick(PLACE_PHRASES[scene.place])}{_hour(scene)}"
    if rng.random() < 0.3:
        opening = pick(OPENINGS)
        text = opening.format(text.split(" ", 1)[1] if opening.startswith("the ") else text)
    return text


def _hour(scene: Scene) -> str:
    return " at night" if scene.time == "night" and scene.place not in ALWAYS_NIGHT else ""


def with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def words_of(text: str) -> list[str]:
    """The words of a caption, lower case, without punctuation."""
    return re.findall(r"[a-z]+", text.lower())


def _vocabulary() -> dict[str, tuple[str, ...]]:
    listed = {"subjects": TRAINING.subjects, "colours": TRAINING.colours, "places": TRAINING.places}
    known = {word for words in listed.values() for word in words}
    texts = [p for place in TRAINING.places for p in PLACE_PHRASES[place]]
    texts += [opening.format("a an and") for opening in OPENINGS]
    texts += [n for kind in TRAINING.subjects for n in NOUNS.get(kind, ())]
    texts += [d for pose in TRAINING.poses for d in DOINGS.get(pose, ())]
    return listed | {"other": tuple(sorted({w for t in texts for w in words_of(t)} - known))}


VOCABULARY = _vocabulary()

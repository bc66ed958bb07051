"""Captions of scenes and the words they are made of."""

import re
from collections.abc import Sequence

import numpy as np

from .places import ALWAYS_NIGHT
from .sample import TRAINING
from .scene import Scene, Subject

MAX_WORDS = 20  # of a caption; longer wordings are not used
PLACE_PHRASES = {
    "street": ("on the street", "on a street", "in the street"),
    "grass": ("on the grass", "on grass", "on green grass"),
    "beach": ("on the beach", "on a beach", "at the beach"),
    "snow": ("in the snow", "in snow", "on the snow"),
    "desert": ("in the desert", "in a desert"),
    "moon": ("on the moon",),
    "city": ("in a city at night", "in the city at night"),
    "sea": ("on the sea", "at the sea", "in the sea"),
    "forest": ("in the forest", "in a forest", "in the woods"),
}
PLACES_ALONE = {  # of scenes without a subject
    "street": ("a street", "the street"),
    "grass": ("the grass", "green grass"),
    "beach": ("a beach", "the beach"),
    "snow": ("the snow",),
    "desert": ("a desert", "the desert"),
    "moon": ("the moon",),
    "city": ("a city at night", "the city at night"),
    "sea": ("the sea",),
    "forest": ("a forest", "the forest", "the woods"),
}
SAY_POSE = 0.8  # of the captions of a figure that does something, how many say so
DOINGS = {
    pose: (pose, pose, f"is {pose}", f"that is {pose}")
    for pose in ("waving", "walking", "dancing", "jumping")
}
NOUNS = {"balloon": ("balloon", "balloon", "hot air balloon")}
WEATHER_PHRASES = {
    "rain": ("in the rain", "in rain", "on a rainy day"),
    "snowfall": ("in falling snow", "while it snows", "on a snowy day"),
}
STYLE_PHRASES = {
    "pencil sketch": ("{}, pencil sketch", "a pencil sketch of {}", "{}, as a pencil sketch"),
    "pixel art": ("{}, pixel art", "pixel art of {}", "{}, as pixel art"),
    "watercolour": (
        "{}, watercolour",
        "a watercolour of {}",
        "a watercolour painting of {}",
        "{}, watercolor painting",
    ),
}
OPENINGS = (
    "a photo of {}",
    "a picture of {}",
    "a cartoon of {}",
    "a drawing of {}",
    "{}, high quality",
    "{}, cartoon",
    "the {}",
)


def plain_caption(scene: Scene) -> str:
    """The one plain wording: "a red car on the street", with style, weather and hour only where unusual."""
    return _compose(scene, lambda choices: choices[0], poses=False)


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """A wording drawn from many, mostly the plain one, of at most MAX_WORDS words.

    Always the colours, subjects and place; style, weather and hour where they are not the usual ones.
    """
    text = _compose(scene, lambda choices: choices[rng.integers(len(choices))], rng.random() < SAY_POSE)
    if scene.style == "plain" and rng.random() < 0.3 and not text.startswith(("on ", "in ", "at ")):
        opening = OPENINGS[rng.integers(len(OPENINGS))]
        text = opening.format(text.split(" ", 1)[1] if opening.startswith("the ") else text)
    return text if len(words_of(text)) <= MAX_WORDS else plain_caption(scene)


def _compose(scene: Scene, pick, poses: bool) -> str:
    if scene.subjects:
        things = " and ".join(_thing(subject, pick, poses) for subject in scene.subjects)
        parts = [things, pick(PLACE_PHRASES[scene.place])]
    else:
        # also as a prompt reads whose subject was taken out; a style's "… of" wants a noun
        cut = PLACE_PHRASES[scene.place] if scene.style == "plain" else ()
        parts = [pick((*PLACES_ALONE[scene.place], *cut))]
    if scene.time == "night" and scene.place not in ALWAYS_NIGHT:
        parts.append("at night")
    if scene.weather != "clear":
        told = WEATHER_PHRASES[scene.weather]
        parts.append(pick(told if scene.time == "day" else told[:-1]))  # not "at night on a rainy day"
    text = " ".join(parts)
    return pick(STYLE_PHRASES[scene.style]).format(text) if scene.style in STYLE_PHRASES else text


def _thing(subject: Subject, pick, poses: bool) -> str:
    words = with_article(f"{subject.colour} {pick(NOUNS.get(subject.kind, (subject.kind,)))}")
    return f"{words} {pick(DOINGS[subject.pose])}" if poses and subject.pose in DOINGS else words


def with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def words_of(text: str) -> list[str]:
    """The words of a caption, lower case, without punctuation."""
    return re.findall(r"[a-z]+", text.lower())


def _vocabulary() -> dict[str, tuple[str, ...]]:
    listed = {
        "subjects": TRAINING.subjects,
        "colours": TRAINING.colours,
        "places": TRAINING.places,
        "actions": tuple(DOINGS),
        "styles": tuple(STYLE_PHRASES),
        "weather": ("rain", "snow"),
        "times": ("day", "night"),
    }
    known = {word for phrases in listed.values() for phrase in phrases for word in words_of(phrase)}
    texts: list[str] = [phrase for place in TRAINING.places for phrase in PLACE_PHRASES[place]]
    for told in (NOUNS, DOINGS, WEATHER_PHRASES, STYLE_PHRASES):
        texts += [phrase for phrases in told.values() for phrase in phrases]
    texts += [opening.format("a an and") for opening in OPENINGS]
    return listed | {"other": _others(texts, known)}


def _others(texts: Sequence[str], known: set[str]) -> tuple[str, ...]:
    return tuple(sorted({word for text in texts for word in words_of(text)} - known))


VOCABULARY = _vocabulary()

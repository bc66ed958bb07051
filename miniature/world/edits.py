"""Instructions, and the scene after each: what an editing model learns from."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .kinds import KINDS
from .places import ALWAYS_NIGHT
from .sample import TRAINING, Distribution, belongs
from .scene import Scene
from .words import PLACE_PHRASES, with_article

Texts = tuple[str, ...]

TRIES = 100  # random edits looked at before a scene is given up

STYLE_TEXTS = {
    "pencil sketch": ("turn it into a pencil sketch", "make it a pencil sketch", "as a pencil sketch"),
    "pixel art": ("turn it into pixel art", "make it pixel art", "as pixel art"),
    "watercolour": ("turn it into a watercolour", "make it a watercolour painting", "as a watercolour"),
}
TIME_TEXTS = {
    "night": ("make it night", "turn day into night", "make it night time", "at night"),
    "day": ("make it day", "turn night into day", "make it day time", "by day"),
}
WEATHER_TEXTS = {
    "rain": ("make it rain", "let it rain", "add rain", "in the rain"),
    "snowfall": ("make it snow", "let it snow", "add falling snow", "while it snows"),
    "clear": ("make the sky clear", "stop the {falling}", "remove the {falling}", "clear weather"),
}


def _colour(scene: Scene, rng, dist: Distribution) -> tuple[Texts, Scene]:
    subject = scene.subjects[0]
    colour = _other(rng, dist.colours, subject.colour)
    texts = (
        f"make the {subject.kind} {colour}",
        f"turn the {subject.kind} {colour}",
        f"change the colour of the {subject.kind} to {colour}",
        f"a {colour} {subject.kind}",
    )
    return texts, _with_first(scene, colour=colour)


def _place(scene: Scene, rng, dist: Distribution) -> tuple[Texts, Scene]:
    """To another place; its weather clears where it does not fit there, night stays if it can."""
    place = _other(rng, dist.places, scene.place)
    phrases = PLACE_PHRASES[place]
    phrase = phrases[rng.integers(len(phrases))]
    time = "night" if place in ALWAYS_NIGHT else "day" if scene.place in ALWAYS_NIGHT else scene.time
    weather = scene.weather if scene.weather in dist.weathers.get(place, ()) else "clear"
    kind = scene.subjects[0].kind
    texts = (
        f"put the {kind} {phrase}",
        f"make it {phrase}",
        f"put it {phrase}",
        f"move the {kind} to the {place}",
    )
    return texts, replace(scene, place=place, time=time, weather=weather)


def _time(scene: Scene, rng, dist: Distribution) -> tuple[Texts, Scene]:
    time = "day" if scene.time == "night" else "night"
    return TIME_TEXTS[time], replace(scene, time=time)


def _weather(scene: Scene, rng, dist: Distribution) -> tuple[Texts, Scene]:
    weather = _other(rng, ("clear", *dist.weathers[scene.place]), scene.weather)
    falling = "rain" if scene.weather == "rain" else "snow"
    return tuple(t.format(falling=falling) for t in WEATHER_TEXTS[weather]), replace(scene, weather=weather)


def _subject(scene: Scene, rng, dist: Distribution) -> tuple[Texts, Scene]:
    old = scene.subjects[0]
    new = _other(rng, dist.subjects, old.kind)
    changes = {"kind": new, "y": old.y + KINDS[new].ground - KINDS[old.kind].ground}
    if not KINDS[new].figure:
        changes["pose"] = "standing"
    thing = with_article(new)
    texts = (
        f"replace the {old.kind} with {thing}",
        f"turn the {old.kind} into {thing}",
        f"make the {old.kind} {thing}",
        f"swap the {old.kind} for {thing}",
    )
    return texts, _with_first(scene, **changes)


def _style(scene: Scene, rng, dist: Distribution) -> tuple[Texts, Scene]:
    style = _other(rng, tuple(dist.styles), scene.style)
    return STYLE_TEXTS[style], replace(scene, style=style)


EDITS: dict[str, Callable[..., tuple[Texts, Scene]]] = {
    "colour": _colour,
    "place": _place,
    "time": _time,
    "weather": _weather,
    "subject": _subject,
    "style": _style,
}


def possible(scene: Scene, dist: Distribution = TRAINING) -> tuple[str, ...]:
    """Which of EDITS a scene allows: no hour where it is always night, no weather where none falls.

    A style cannot be taken back and colours cannot be seen in a sketch, so only plain pictures get a style
    and sketches keep their colours.
    """
    refused = {
        "time": scene.place in ALWAYS_NIGHT,
        "weather": not dist.weathers.get(scene.place),
        "style": scene.style != "plain" or not dist.styles,
        "colour": scene.style == "pencil sketch",
    }
    return tuple(name for name in EDITS if not refused.get(name, False))


def edits(
    scene: Scene,
    rng: np.random.Generator,
    what: str | None = None,
    split: str | None = "train",
    dist: Distribution = TRAINING,
) -> tuple[str, Scene]:
    """(instruction, edited scene), changing one of EDITS (any possible one when `what` is None) alone.

    With split "train" the edited scene holds no combination kept from training, with "held-out" its first
    subject is one. Raises ValueError where the scene does not allow it.
    """
    allowed = possible(scene, dist)
    if what is not None and what not in allowed:
        raise ValueError(
            f"what is {what!r}, but this scene ({scene.place}, {scene.style}) allows only "
            f"{', '.join(allowed)}; choose one of those."
        )
    for _ in range(TRIES):
        name = allowed[rng.integers(len(allowed))] if what is None else what
        texts, edited = EDITS[name](scene, rng, dist)
        if belongs(edited, split):
            return texts[rng.integers(len(texts))], edited
    raise ValueError(
        f"no {what or 'edit'} of this scene was found in split {split!r} in {TRIES} tries; "
        "take another scene."
    )


def _other(rng, names: Texts, but: str) -> str:
    rest = [n for n in names if n != but]
    return rest[rng.integers(len(rest))]


def _with_first(scene: Scene, **changes) -> Scene:
    return replace(scene, subjects=(replace(scene.subjects[0], **changes), *scene.subjects[1:]))

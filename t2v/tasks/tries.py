"""Trying before a video is made: several settings, of each of which one picture is drawn.

The first frame alone, the same with other seeds, and one setting over several values. What only moves a
picture leaves its first frame as it is: of that the last one is drawn.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from t2v.checks import InputError, check_int
from t2v.tasks.settings import WHOLE, Settings

MOST = 16  # pictures at once
SEEDS = 2**32
# settings that the first frame shows; what any other does, the last one shows
SHOWN_AT_FIRST = frozenset(
    {
        "prompt", "negative_prompt", "model", "seed", "width", "height", "upscale", "num_inference_steps",
        "guidance_scale", "scheduler", "spacing", "action", "dtype",
    }
)  # fmt: skip
NOT_SWEPT = {
    "fps",
    "chunk_size",
    "profile",
    "compiled",
    "also",
    "clip",
    "controlnet",
    "prompt",
}  # no picture tells, or no text says
# what changes nothing of a picture that a video begins with and that is kept as it is
HOW_IT_IS_DRAWN = {
    "negative_prompt", "seed", "num_inference_steps", "guidance_scale", "scheduler", "spacing",
    "guided_from", "guided_until", "cache_steps", "dtype",
}  # fmt: skip


@dataclass(frozen=True)
class Tries:
    """Settings to draw a picture each of, their seeds given, and a label for each. last: the last frame of
    each video is drawn, not its first."""

    each: tuple[Settings, ...]
    labels: tuple[str, ...]
    last: bool = False

    def check(self) -> None:
        """InputError for settings that cannot be run."""
        check_int("pictures", len(self.each), 1, MOST)
        for settings in self.each:
            settings.check()


def first_frame(settings: Settings) -> Tries:
    """The first frame of a video; a seed left open is drawn."""
    return variations(settings, 1)


def variations(settings: Settings, count: int) -> Tries:
    """The first frames of so many seeds: the one given and those after it, or some by chance."""
    count = check_int("count", count, 1, MOST)
    if settings.seed is None:
        seeds: list[int] = []
        while len(seeds) < count:
            seeds += [seed for seed in [secrets.randbelow(SEEDS)] if seed not in seeds]
    else:
        seeds = [(int(settings.seed) + number) % SEEDS for number in range(count)]
    return sweep(settings, "seed", seeds, "Seed")


def sweep(settings: Settings, field: str, values: Sequence[Any], name: str | None = None) -> Tries:
    """One setting over several values, all else the same, the seed too. name: of it in the labels.

    InputError where there is no such setting, for a value that it does not take, and where all pictures would
    be the one that the video begins with.
    """
    check_field(type(settings), field)
    if not values:
        raise InputError(f"{field} has no values to compare; give some, as 3, 5, 7.")
    if field in HOW_IT_IS_DRAWN and len(values) > 1 and keeps_picture(settings):
        raise InputError(
            f"strength is 1, which keeps the picture as it is, so all {len(values)} would look the same; "
            "choose a lower strength, as 0.6."
        )
    seeded = settings if settings.seed is not None else replace(settings, seed=secrets.randbelow(SEEDS))
    each = tuple(replace(seeded, **{field: value}) for value in values)
    tries = Tries(
        each,
        tuple(_label(field if name is None else name, value) for value in values),
        field not in SHOWN_AT_FIRST,
    )
    tries.check()
    return tries


def keeps_picture(settings: Settings) -> bool:
    """Whether the first frame is a picture that is given, as it is."""
    own = [getattr(settings, name, None) for name in ("first_frame", "strength", "skip_first_frame")]
    return own[0] is not None and own[1:] == [1, False]


def check_field(kind: type[Settings], field: object) -> str:
    """The field where a task's videos can be compared over it; InputError otherwise."""
    known = [one.name for one in kind.in_order() if one.name not in NOT_SWEPT]
    if field not in known:
        raise InputError(f"{str(field)[:60]!r} is no setting to compare; choose one of {', '.join(known)}.")
    return str(field)


def read_values(kind: type[Settings], field: str, text: str) -> list[Any]:
    """What somebody typed, "3, 5, 7", as values of a field; ``check`` refuses those out of range."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MOST:
        raise InputError(f"{field} has {len(parts)} values; at most {MOST} are compared at once.")
    return [_value(kind, field, part) for part in parts]


def _value(kind: type[Settings], field: str, text: str) -> Any:
    if isinstance(kind.__dataclass_fields__[field].default, bool):
        if text.lower() not in ("on", "off"):
            raise InputError(f"{field} is {text[:40]!r}; give on or off.")
        return text.lower() == "on"
    if field not in kind.limits:
        return text
    try:
        number = float(text)
    except ValueError:
        raise InputError(f"{field} is {text[:40]!r}; give numbers with commas between, as 3, 5, 7.") from None
    return int(number) if field in WHOLE and number.is_integer() else number


def _label(name: str, value: Any) -> str:
    if isinstance(value, bool):
        value = "on" if value else "off"
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{name.replace('_', ' ')} {shown}"

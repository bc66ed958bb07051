"""Prompts that change along the clip: "0: a red car on the street | 7: a red car on the street at night".

A prompt is of this form where at least two of its parts, between bars, begin with a number and a colon; any
other stays what it is. Without torch, so that settings can be checked at once.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from t2v.checks import InputError

BAR = "|"
BEGINS = re.compile(r"\s*(-?\d[\d.,]*)\s*(%?)\s*:(?!\d)(.*)", re.DOTALL)  # and so 16:9 does not
EXAMPLE = "'0: a street by day | 7: a street at night'"
MOST_SHOWN = 40  # characters of a part that a refusal quotes


@dataclass(frozen=True)
class OverTime:
    """A prompt over time. places: of its texts, rising: numbers of frames, or shares of the clip, 0..1."""

    texts: tuple[str, ...]
    places: tuple[float, ...]
    in_shares: bool

    def check(self, num_frames: int) -> None:
        """InputError where it names a frame that the video does not have."""
        last = num_frames - 1
        if not self.in_shares and self.places[-1] > last:
            raise InputError(
                f"prompt names frame {self.places[-1]:g}, and the last one is frame {last}; "
                "give a lower number, shares as in '100%: ...', or more frames."
            )

    def frames(self, num_frames: int) -> tuple[float, ...]:
        """The places in frames of a video of so many: 0..num_frames-1, between two where shares say so."""
        return tuple(place * (num_frames - 1) for place in self.places) if self.in_shares else self.places


def read_over_time(prompt: object) -> OverTime | None:
    """A prompt that is of the form; None for any other; InputError, one sentence, for one that goes wrong."""
    if not isinstance(prompt, str):
        return None
    parts = prompt.split(BAR)
    found = [BEGINS.fullmatch(part) for part in parts]
    if sum(one is not None for one in found) < 2:
        return None
    places, texts, signs = [], [], set()
    for part, one in zip(parts, found, strict=True):
        if one is None:
            shown = part.strip()[:MOST_SHOWN]
            raise InputError(f"prompt has a part without a number, '{shown}'; write it as in {EXAMPLE}.")
        number, sign, text = one.groups()
        places.append(_place(number, sign))
        texts.append(text.strip())
        signs.add(sign)
        if not texts[-1]:
            raise InputError(f"prompt says nothing at {number}{sign}; write what is to be seen there.")
    if len(signs) > 1:
        raise InputError("prompt has both frame numbers and shares; give all as in 7: or all as in 100%:.")
    for before, after in zip(places, places[1:], strict=False):
        if after <= before:
            raise InputError(
                f"prompt has {_told(after, signs)} behind {_told(before, signs)}; let the numbers rise."
            )
    return OverTime(tuple(texts), tuple(places), "%" in signs)


def texts_of(prompt: str) -> tuple[str, ...]:
    """The texts that a prompt tells a model: its own, or those of its parts; InputError as above."""
    over_time = read_over_time(prompt)
    return (prompt,) if over_time is None else over_time.texts


def with_each_text(prompt: str, change: Callable[[str], str]) -> str:
    """The prompt with each of its texts changed, and with the places they had."""
    try:
        is_plain = read_over_time(prompt) is None
    except InputError:  # whoever runs it is told
        is_plain = True
    if is_plain:
        return change(prompt)
    parts = [part.partition(":") for part in prompt.split(BAR)]
    return f" {BAR} ".join(f"{place.strip()}: {change(text.strip())}" for place, _, text in parts)


def shares_of(places: Sequence[float], frames: Sequence[int]) -> list[list[float]]:
    """How much of each text each frame is told: a row a frame, which adds up to 1, two of it not 0 at most.

    places: of the texts, rising, in frames. Before the first text there is that one alone, and so behind the
    last.
    """
    rows = []
    for frame in frames:
        row = [0.0] * len(places)
        after = next((number for number, place in enumerate(places) if place >= frame), len(places) - 1)
        before = max(after - 1, 0)
        apart = places[after] - places[before]
        share = min(max((frame - places[before]) / apart, 0.0), 1.0) if apart > 0 else 1.0
        row[before] = 1.0 - share
        row[after] += share
        rows.append(row)
    return rows


def _place(number: str, sign: str) -> float:
    try:
        value = float(number) / (100 if sign else 1)
    except ValueError:
        value = -1.0
    if sign and not 0 <= value <= 1:
        raise InputError(f"prompt has the share {number}%; give one from 0% to 100%.")
    if not sign and (value < 0 or value != int(value)):
        raise InputError(f"prompt has the frame number {number}; give a whole one from 0, or a share as 50%.")
    return value


def _told(place: float, signs: set[str]) -> str:
    return f"{place:.10g}" if "" in signs else f"{100 * place:.10g}%"

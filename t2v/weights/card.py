"""What a model says of itself: the card in its folder."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from t2v.diffusion.options import METHODS, SCHEDULERS
from t2v.weights.family import FAMILIES
from t2v.weights.figure import Figure, read_figure
from t2v.weights.files import read_object
from t2v.weights.source import LORA_FILE, Source

logger = logging.getLogger(__name__)

CARD = "miniature.json"


@dataclass(frozen=True)
class Card:
    """What a model says of itself in miniature.json; empty for models without one.

    words: group ("subjects", "colours" ...) -> words it knows. defaults: settings that suit it. tasks: task
    -> settings that suit it there, which win over ``defaults``. samplers: task -> the sampler that these were
    found with, "scheduler" among a task's settings in the file; elsewhere it is the family's.
    preview: 5 rows of RGB, latents @ rows[:4] + rows[4] -> -1..1. examples: prompts worth trying.
    figure: how its figures stand, where it tells; "sizes" in it names those that there are.
    keywords: its own style comes only with one of these in the prompt; () where nothing is asked for.
    keywords_last: and only where the prompt ends with it. method: of drawing videos from text that suits it;
    None: that of its family. presets: by name, what they set here instead of what the family says.
    few_steps: of a LoRA that was made to draw in few, the key of its kind in few_steps.py.
    half: the half precision in which it was found to draw as well, for processors that are quick in it;
    None: that was not looked at.
    """

    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: dict[str, float] = field(default_factory=dict)
    tasks: dict[str, dict[str, float]] = field(default_factory=dict)
    preview: tuple[tuple[float, ...], ...] = ()
    examples: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    keywords_last: bool = False
    method: str | None = None
    figure: Figure | None = None
    presets: dict[str, dict[str, float | str]] = field(default_factory=dict)
    samplers: dict[str, str] = field(default_factory=dict)
    few_steps: str | None = None
    half: str | None = None

    def suits(self, task: str) -> dict[str, float]:
        """The settings that suit it in a task: its own defaults, and over them those of the task."""
        return {**self.defaults, **self.tasks.get(task, {})}


def read_card(source: Source) -> Card:
    """The card of the miniature or of a local folder; an empty one where there is none or it is broken.

    A LoRA in a folder beside the model may have a card too: its words are known as well, and are keywords;
    its defaults win over the model's. Keywords of the DreamBooth models on offer are known without a card.
    """
    card = _read_file(source.folder / CARD)
    known = [family.dreambooth[source.base] for family in FAMILIES if source.base in family.dreambooth]
    card = replace(card, keywords=tuple(known)) if known else card
    for adapter in source.adapters:
        card = _with_adapter(card, lora_card(source, adapter))
    return card


def lora_card(source: Source, adapter: str) -> Card:
    """That of one LoRA alone, in a folder beside the model; an empty one as above."""
    beside = source.companion(adapter, LORA_FILE)
    return Card() if beside is None else _read_file(Path(beside) / CARD)


def _with_adapter(card: Card, own: Card) -> Card:
    if own == Card():
        return card
    groups = {**card.words, **own.words}
    words = {group: (*card.words.get(group, ()), *own.words.get(group, ())) for group in groups}
    keywords = tuple(phrase for phrases in own.words.values() for phrase in phrases)
    tasks = {task: {**card.tasks.get(task, {}), **suits} for task, suits in own.tasks.items()}
    return replace(
        card,
        words=words,
        defaults={**card.defaults, **own.defaults},
        tasks={**card.tasks, **tasks},
        samplers={**card.samplers, **own.samplers},
        keywords=(*card.keywords, *keywords),
        keywords_last=own.keywords_last,
    )


def _read_file(path: Path) -> Card:
    try:
        if not path.is_file():
            return Card()
        kept = read_object(path)
        tasks = kept.get("tasks", {})
        return Card(
            words={group: _texts(words) for group, words in kept.get("words", {}).items()},
            defaults=_suits(kept.get("defaults", {})),
            tasks={task: _suits(_numbers_of(suits)) for task, suits in tasks.items()},
            samplers={
                task: _sampler(suits["scheduler"]) for task, suits in tasks.items() if "scheduler" in suits
            },
            preview=_matrix(kept.get("preview", ())),
            examples=_texts(kept.get("examples", ())),
            keywords_last=kept.get("keywords_last") is True,
            method=_method(kept.get("method")),
            figure=read_figure(kept.get("figure")),
            few_steps=_text(kept.get("few_steps")),
            half=_half(kept.get("half")),
            presets={name: _preset(sets) for name, sets in kept.get("presets", {}).items()},
        )
    except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        logger.warning("The card %s is not used: %s", path, error)  # the model may draw all the same
        return Card()


def _texts(told: Sequence[Any]) -> tuple[str, ...]:
    if not isinstance(told, list | tuple) or not all(isinstance(one, str) for one in told):
        raise ValueError("words and examples must be lists of texts")
    return tuple(told)


def _text(told: object) -> str | None:
    if told is not None and not isinstance(told, str):
        raise ValueError(f"{str(told)[:60]} is not a text")
    return told


def _suits(told: Mapping[str, Any]) -> dict[str, float]:
    """Settings' numbers; a size is whole, and times come with the size at which they are right."""
    suits = {name: _number(value) for name, value in told.items()}
    size = [suits[name] for name in ("width", "height") if name in suits]
    if any(side < 1 for side in size) or ({"t0", "t1"} <= suits.keys() and len(size) < 2):
        raise ValueError("width and height must be there beside t0 and t1, and be above 0")
    if any(not 0 <= suits[name] <= 999 for name in ("t0", "t1") if name in suits):
        raise ValueError("t0 and t1 must be from 0 to 999")
    return suits


def _numbers_of(suits: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in suits.items() if name != "scheduler"}


def _sampler(told: object) -> str:
    if not isinstance(told, str) or told not in SCHEDULERS:
        raise ValueError(f"{str(told)[:60]} is no sampler")
    return told


def _preset(told: Mapping[str, Any]) -> dict[str, float | str]:
    return {name: value if isinstance(value, str) else _number(value) for name, value in told.items()}


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:60]} is not a number")
    return value


def _method(told: object) -> str | None:
    if told is not None and told not in METHODS:
        raise ValueError(f"{str(told)[:60]} is no method")
    return None if told is None else str(told)


def _half(told: object) -> str | None:
    if told not in (None, "bfloat16", "float16"):
        raise ValueError(f"{str(told)[:60]} is no half precision")
    return None if told is None else str(told)


def _matrix(told: Sequence[Any]) -> tuple[tuple[float, ...], ...]:
    rows = tuple(tuple(_number(value) for value in row) for row in told)
    if rows and (len(rows) != 5 or any(len(row) != 3 for row in rows)):
        raise ValueError("preview must be 5 rows of 3")
    return rows

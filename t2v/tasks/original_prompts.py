"""The words that the original added to prompts without saying so; here a choice that everybody sees.

They are part of the prompt that a result carries.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from t2v.checks import InputError
from t2v.diffusion.over_time import with_each_text
from t2v.tasks.settings import Settings


@dataclass(frozen=True)
class Added:
    """What is added behind a prompt, and as a negative prompt where none is given."""

    words: str
    negative: str = ""


_POOR = (
    "lowres, bad anatomy, bad hands, missing fingers, extra digit, {}, cropped, worst quality, low quality"
)
_EDGES = Added("best quality, extremely detailed", f"longbody, {_POOR.format('fewer digits')}")
ADDED: Mapping[str, Added] = {  # task -> as the original has it, its spelling too, as other words draw others
    "text-to-video": Added("high quality, HD, 8K, trending on artstation, high focus, dramatic lighting"),
    "pose": Added(
        "best quality, extremely detailed, HD, ultra-realistic, 8K, HQ, masterpiece, trending on artstation, "
        "art, smooth",
        f"longbody, {_POOR.format('fewer difits')}, deformed body, bloated, ugly, unrealistic",
    ),
    "canny": _EDGES,
    "depth": _EDGES,
}

S = TypeVar("S", bound=Settings)


def with_original_prompts(settings: S) -> S:
    """The settings with the original's words behind their prompt, and its negative prompt if they have none.

    InputError for a task to which it added none, as instructions, and for settings that cannot be run.
    """
    if settings.task not in ADDED:
        raise InputError(
            f"original_prompts is set, and the original added none to {settings.task}; leave it out."
        )
    settings.check()  # words alone are no prompt
    prompt, negative = original_words(settings.task, settings.prompt, settings.negative_prompt)
    words: dict[str, Any] = {"prompt": prompt, "negative_prompt": negative}
    return replace(settings, **words)


def original_words(task: str, prompt: str, negative: str) -> tuple[str, str]:
    """Prompt and negative prompt with what the original added in a task of ADDED; never twice."""
    added = ADDED[task]

    def with_words(text: str) -> str:
        if task == "text-to-video":
            text = re.sub(r"[,.]$", "", text.rstrip()).rstrip()
        return text if added.words in text else f"{text}, {added.words}"

    return with_each_text(prompt, with_words), negative if negative else added.negative

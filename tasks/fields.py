"""What the settings of all tasks share: how their fields are checked, and filled in where left None."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from checks import InputError, check_int, check_number, check_text

MAX_PROMPT_CHARS = 2000
MAX_WORK = 2**33  # frames x pixels x steps: 1000 frames of 512x512 at 32 steps
WHOLE = ("seed", "num_frames", "width", "height", "num_inference_steps", "t0", "t1", "chunk_size")
Limits = dict[str, tuple[float, float]]  # field -> least and largest value
See = Callable[[str, np.ndarray], None]  # told of a thing that the model sees: its name, uint8 (f, h, w, 3)


def optional(settings: Any) -> tuple[str, ...]:
    """Fields of a settings class or instance that may be None: those that are so by default."""
    return tuple(name for name, field in settings.__dataclass_fields__.items() if field.default is None)


def check_texts(settings: Any, about_prompt: str) -> None:
    """InputError for a bad prompt, negative_prompt or model. about_prompt: what an empty prompt lacks."""
    if not check_text("prompt", settings.prompt, MAX_PROMPT_CHARS).strip():
        raise InputError(f"prompt is empty; write {about_prompt}.")
    check_text("negative_prompt", settings.negative_prompt, MAX_PROMPT_CHARS)
    if not check_text("model", settings.model, 500).strip():
        raise InputError("model is empty; give miniature, a hub id or a folder.")


def check_numbers(settings: Any, limits: Limits) -> None:
    """InputError for a number outside its limits; None passes where it is the default."""
    may_lack = optional(settings)
    for field, (low, high) in limits.items():
        value = getattr(settings, field)
        if value is None and field in may_lack:
            continue
        if field in WHOLE:
            check_int(field, value, low, high, multiple_of=8 if field in ("width", "height") else 1)
        else:
            check_number(field, value, low, high)


def check_work(settings: Any) -> None:
    """Refuse what no machine could finish; what the model or the clip is yet to decide counts then."""
    factors = [settings.num_frames, settings.width, settings.height, settings.num_inference_steps]
    if None in factors:
        return
    work = factors[0] * factors[1] * factors[2] * factors[3]
    if work > MAX_WORK:
        raise InputError(
            f"num_frames x width x height x num_inference_steps is {work:.2g}; "
            f"at most {MAX_WORK:.2g} is allowed, so choose fewer frames, a smaller size or fewer steps."
        )


def fill(settings: Any, defaults: dict[str, float]) -> Any:
    """A copy in which fields left None take their defaults (field -> value), where there are some.

    Whole numbers come out as int, as pages and scripts may send 25.0.
    """
    values = {name: defaults.get(name) if value is None else value for name, value in vars(settings).items()}
    whole = {name: int(values[name]) for name in WHOLE if values.get(name) is not None}
    return replace(settings, **{**values, **whole})

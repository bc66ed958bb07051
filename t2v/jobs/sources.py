"""What a run is made from beside its words: the clip that it follows, or the picture that it begins with.

And the picture that is a prompt, where there is one.
"""

from dataclasses import replace
from typing import Any

from t2v.tasks.clip import ClipSettings

PICTURE, PROMPT = "first_frame", "picture_prompt"


def source_field(settings: Any) -> str | None:
    """The field of settings that names the file; None for settings that name none."""
    if isinstance(settings, ClipSettings):
        return "clip"
    return PICTURE if isinstance(getattr(settings, PICTURE, None), str) else None


def source_of(settings: Any) -> str | None:
    """The path of the file; None where there is none."""
    field = source_field(settings)
    path: str | None = None if field is None else getattr(settings, field)
    return path


def with_source(settings: Any, path: str) -> Any:
    """The same settings on another copy of their file."""
    field = source_field(settings)
    return settings if field is None else replace(settings, **{field: path})


def prompt_of(settings: Any) -> str | None:
    """The path of the picture that is a prompt; None where there is none."""
    path = getattr(settings, PROMPT, None)
    return path if isinstance(path, str) else None


def with_prompt(settings: Any, path: str) -> Any:
    """The same settings with another copy of that picture."""
    return settings if prompt_of(settings) is None else replace(settings, **{PROMPT: path})

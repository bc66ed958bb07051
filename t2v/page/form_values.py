"""What a page or a program sends → settings; ``settings.check()`` is the one place that refuses."""

import dataclasses
import types
import typing
from collections.abc import Sequence
from typing import Any

from t2v.tasks import Settings


def settings_from(settings_class: type[Settings], values: dict[str, Any]) -> Any:
    """Raw values of a page or a program → settings, not yet checked.

    Missing ones take the class's default, and whole numbers that come as 8.0 become 8. Everything else is
    passed on as it is.
    """
    hints = typing.get_type_hints(settings_class)
    chosen: dict[str, Any] = {}
    for field in dataclasses.fields(settings_class):
        value = values.get(field.name)
        if value is None:
            continue
        if isinstance(value, float) and value.is_integer() and _takes(hints[field.name], int):
            value = int(value)
        chosen[field.name] = value
    if "prompt" not in chosen:
        chosen["prompt"] = ""
    return settings_class(**chosen)


def values_of(settings_class: type[Settings], names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Raw values of a form's fields by their names; what was typed for a number becomes one."""
    hints = typing.get_type_hints(settings_class)
    found = {}
    for name, value in zip(names, values, strict=True):
        found[name] = _typed(value, hints.get(name)) if isinstance(value, str) else value
    return found


def _typed(text: str, hint: Any) -> Any:
    """What a text stands for: itself, nothing where it may be left empty, or a number."""
    if hint is str:
        return text
    if _takes(hint, str):
        return text if text.strip() else None
    return typed_number(text)


def typed_number(text: str) -> Any:
    """What somebody typed into a field for a number: None if empty, the text itself if it is no number."""
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _takes(hint: Any, kind: type) -> bool:
    return hint is kind or (isinstance(hint, types.UnionType) and kind in typing.get_args(hint))

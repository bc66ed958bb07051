"""Checks at the border: every refusal is one sentence with field, value, what is allowed."""

import difflib
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, TypeGuard

# Line ends and other commands to a terminal, marks that turn the direction of text, half letters
_NOT_FOR_LINES = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]"
)


class InputError(ValueError):
    """The user's input cannot be used; ``str(error)`` is the one sentence to show them.

    It is one line that can be printed and stored, whatever file's name or value it repeats.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(one_line(sentence))


def one_line(text: str) -> str:
    """A text as one line that can be printed and stored: line ends and the like as Python writes them."""
    return _NOT_FOR_LINES.sub(lambda found: ascii(found[0])[1:-1], text)


def nearest(name: str, known: Iterable[str], stands_for: Mapping[str, str] | None = None) -> str:
    """For a name that is not known ", did you mean 'num_frames'?", where a known one is like it; else "".

    Capitals count for nothing. stands_for: what is told in the place of a known name.
    """
    small = {one.casefold(): one for one in known}
    found = difflib.get_close_matches(name.casefold(), list(small), 1)
    if not found:
        return ""
    one = small[found[0]]
    return f", did you mean {(one if stands_for is None else stands_for[one])!r}?"


def counted(number: int, noun: str) -> str:
    """How many of what, as people write it: "1 frame", "2 frames"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def plain(value: Any) -> Any:
    """A number, text, flag or path of whatever class as Python's own int, float, str or bool.

    NumPy's numbers, arrays and tensors of one number, Fraction, Decimal and pathlib's paths: so they can be
    checked, compared and stored as JSON. Anything else comes back as it is.
    """
    if value is None or type(value) in (int, float, str, bool):
        return value
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, str):
        return str.__str__(value)
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, (Real, Decimal)) and not isinstance(value, bool):
        try:
            return float(value)
        except (OverflowError, ValueError):  # too large for any limit or a signalling NaN: checks say so
            return value
    return value


def make_plain(record: Any) -> None:
    """Make all fields of a frozen dataclass plain; for its ``__post_init__``."""
    for field in fields(record):
        object.__setattr__(record, field.name, plain(getattr(record, field.name)))


def _shown(value: object) -> str:
    """Python's way to write a value, in one line of at most 60 characters."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a number of thousands of digits, lists in lists without end, a class that is broken
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _is_finite(value: object) -> TypeGuard[int | float]:
    """Whether the value is a number (bool is none); whole numbers of any length are finite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, int) or math.isfinite(value)


def check_number(field: str, value: object, low: float, high: float) -> float:
    """A finite number with ``low <= value <= high``; InputError otherwise (also for NaN, text and bool)."""
    value = plain(value)
    if not _is_finite(value) or not low <= value <= high:
        point = " with a point, as in 1.5" if isinstance(value, str) and "," in value else ""
        raise InputError(f"{field} is {_shown(value)}; give a number from {low:g} to {high:g}{point}.")
    return float(value)


def check_int(field: str, value: object, low: int, high: int, multiple_of: int = 1) -> int:
    """A whole number with ``low <= value <= high``, divisible by ``multiple_of``; InputError otherwise."""
    value = plain(value)
    if not _is_finite(value) or value != int(value) or not low <= value <= high or int(value) % multiple_of:
        kind = "a whole number" if multiple_of == 1 else f"a multiple of {multiple_of}"
        raise InputError(f"{field} is {_shown(value)}; give {kind} from {low} to {high}.")
    return int(value)


def check_text(field: str, value: object, max_chars: int) -> str:
    """A text of at most ``max_chars`` characters; InputError otherwise."""
    if not isinstance(value, str):
        raise InputError(f"{field} is {_shown(value)}; give a text.")
    if len(value) > max_chars:
        raise InputError(f"{field} has {len(value)} characters; at most {max_chars} are allowed, shorten it.")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InputError(f"{field} holds a NUL or half a letter, which no text can; remove it.")
    return value


def check_flag(field: str, value: object) -> bool:
    """True or False; InputError otherwise."""
    if not isinstance(value, bool):
        raise InputError(f"{field} is {_shown(value)}; give true or false.")
    return value


def check_choice(field: str, value: object, choices: Iterable[str]) -> str:
    """One of ``choices``; InputError listing them otherwise."""
    allowed = list(choices)
    if not isinstance(value, str) or value not in allowed:  # arrays cannot even be compared
        raise InputError(f"{field} is {_shown(value)}; choose one of {', '.join(allowed)}.")
    return value

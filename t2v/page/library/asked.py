"""What a browser asks the library with, read from values that may be anything."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from t2v.checks import InputError
from t2v.library.days import day_of
from t2v.library.search import Query

LEAST_LIMIT, MOST_LIMIT = 0, 2**50

Values = Mapping[str, Any]


def query_of(values: Values, maker: str | None) -> Query:
    """Which videos are asked for, of one maker's, or of all."""
    return Query(
        words=str(values.get("words", ""))[:500],
        task=str(values.get("task", "")),
        model=str(values.get("model", "")),
        starred=values.get("starred") == "yes",
        deleted=values.get("deleted") == "yes",
        maker=maker,
        day=day_of(str(values.get("day", ""))),
        zone=_zone(values),
    )


def whole(values: Values, name: str) -> int:
    """A whole number; 0 for what is none."""
    text = str(values.get(name, "0"))
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _zone(values: Values) -> tzinfo | None:
    """Where days begin for who asks, as browsers name it; this machine's where that says nothing."""
    name = str(values.get("zone", ""))
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a machine may have no table of zones
        return None


def limit_of(values: Values) -> int:
    """The size in bytes that the folder is to have at most; InputError for what is none."""
    try:
        limit = int(values.get("limit_bytes", ""))
    except (TypeError, ValueError):
        limit = -1
    if not LEAST_LIMIT <= limit <= MOST_LIMIT:
        raise InputError("The limit is no size; give one of 0 or more.")
    return limit

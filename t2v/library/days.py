"""Days in what somebody searches for: yesterday, this morning, last week, nov 25, 25.11.2026, november."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december")  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS = ("morning", "afternoon", "evening", "night")  # of a day, which is found as a whole
YEARS = range(1971, 3000)  # of others not every machine can tell the seconds
ALSO_OTHER_WORDS = ("march", "may")  # of prompts: without a day they are no months
WRITTEN = (
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})"), "year month day"),
    (re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})"), "day month year"),
    (re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})"), "month day year"),
    (re.compile(r"(\d{4})-(\d{1,2})"), "year month"),
)


@dataclass(frozen=True)
class Term:
    """Words of a search that belong together, and the days that they may mean as well.

    words: as they were typed. days: the first day and the one after the last; None: they mean none.
    """

    words: tuple[str, ...]
    days: tuple[date, date] | None = None


def terms(words: Sequence[str], today: date) -> list[Term]:
    """A search, folded and split, in terms. Days without a year are the latest that are not to come."""
    found, place = [], 0
    while place < len(words):
        for length in (3, 2, 1):
            some = tuple(words[place : place + length])
            days = _days(tuple(word.rstrip(".,") for word in some), today) if len(some) == length else None
            if days is not None:
                break
        found.append(Term(some, days))
        place += len(some)
    return found


def seconds(days: tuple[date, date], zone: tzinfo | None) -> tuple[float, float]:
    """When these days begin and end, in seconds since 1970. zone: None is this machine's."""
    midnights = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in days)
    begin, end = (midnight.timestamp() for midnight in midnights)
    return begin, end


def day_of(text: str) -> date | None:
    """The day that a field for days gives, as 2026-11-25; None for no such day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _days(words: tuple[str, ...], today: date) -> tuple[date, date] | None:
    if len(words) == 1:
        return _one_word(words[0], today)
    if len(words) == 2 and words[0] in ("this", "last"):
        return _relative(words[0] == "last", words[1], today)
    return _named(words, today)


def _one_word(word: str, today: date) -> tuple[date, date] | None:
    if word in ("today", "yesterday"):
        return _day(today - timedelta(days=int(word == "yesterday")))
    if word in WEEKDAYS:
        return _day(today - timedelta(days=(today.weekday() - WEEKDAYS.index(word)) % 7))
    if word in MONTHS and word not in ALSO_OTHER_WORDS:
        month = 1 + MONTHS.index(word)
        return _month(today.year - (month > today.month), month)
    for pattern, names in WRITTEN:
        match = pattern.fullmatch(word)
        if match is not None:
            parts = dict(zip(names.split(), map(int, match.groups()), strict=True))
            return _made(parts["year"], parts["month"], parts.get("day"))
    return None


def _relative(is_last: bool, word: str, today: date) -> tuple[date, date] | None:
    if word == "week":
        monday = today - timedelta(days=today.weekday() + 7 * is_last)
        return monday, monday + timedelta(days=7)
    if word in PARTS:
        return _day(today - timedelta(days=int(is_last)))
    if word == "month":
        within = today.replace(day=1) - timedelta(days=int(is_last))
        return _month(within.year, within.month)
    days = _one_word(word, today) if word in WEEKDAYS else None
    if days is not None and is_last and days[0] == today:
        return _day(today - timedelta(days=7))
    return days


def _named(words: tuple[str, ...], today: date) -> tuple[date, date] | None:
    """A month by its name and a day, in either order, or a year; three: all of them, the year last."""
    months = [number for word in words for number, name in enumerate(MONTHS, 1) if _is_month(word, name)]
    numbers = [re.sub(r"(?<=\d)(st|nd|rd|th)$", "", word) for word in words if not _any_month(word)]
    if len(months) != 1 or not all(number.isdecimal() and len(number) <= 4 for number in numbers):
        return None
    month, values = months[0], [int(number) for number in numbers]
    if len(values) == 2:
        return _made(values[1], month, values[0]) if _any_month(words[0]) or _any_month(words[1]) else None
    if len(numbers[0]) == 4:
        return _made(values[0], month, None)
    this_year = _made(today.year, month, values[0])
    is_to_come = this_year is None or this_year[0] > today
    return _made(today.year - 1, month, values[0]) if is_to_come else this_year


def _is_month(word: str, name: str) -> bool:
    return word in (name, name[:3]) or (name == "september" and word == "sept")


def _any_month(word: str) -> bool:
    return any(_is_month(word, name) for name in MONTHS)


def _made(year: int, month: int, day: int | None) -> tuple[date, date] | None:
    try:
        days = _month(year, month) if day is None else _day(date(year, month, day))
    except (ValueError, OverflowError):  # there is no such day
        return None
    return days if year in YEARS else None


def _day(day: date) -> tuple[date, date]:
    return day, day + timedelta(days=1)


def _month(year: int, month: int) -> tuple[date, date]:
    first = date(year, month, 1)
    return first, (first + timedelta(days=31)).replace(day=1)

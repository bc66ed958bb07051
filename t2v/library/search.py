"""Finding videos again: by words of the prompt, days, task, model, star; the newest first, in pages."""

import sqlite3
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from t2v.library.days import seconds, terms
from t2v.library.entry import Entry
from t2v.library.index import HERE, Library, folded
from t2v.library.owner import Owner

MAX_WORDS = 20
MOST = 200  # videos a page


@dataclass(frozen=True)
class Query:
    """What is looked for. words: each has to stand somewhere in the prompt, or to name a day on which the
    video was made. task, model: "" for all. day: on which it was made; None: on any. zone: where days begin
    for who asks; None: as on this machine.

    maker: only this one's, as ``is_theirs`` says; None: everybody's. deleted: what lies in the bin instead.
    """

    words: str = ""
    task: str = ""
    model: str = ""
    starred: bool = False
    deleted: bool = False
    maker: str | None = None
    day: date | None = None
    zone: tzinfo | None = None


@dataclass(frozen=True)
class Found:
    """A page of videos, and how many there are on all pages."""

    videos: tuple[Entry, ...]
    total: int


@dataclass(frozen=True)
class Overview:
    """Of all videos that somebody may see: how many, their bytes, the tasks and models that there are."""

    total: int
    size_bytes: int
    tasks: tuple[str, ...]
    models: tuple[str, ...]


def search(library: Library, query: Query, offset: int = 0, limit: int = 60) -> Found:
    """The videos that fit, the newest first, from number ``offset`` on.

    A plain look through all folded prompts: it finds parts of words, in every script, and of twenty thousand
    takes no longer than an index of words would (``benchmarks/library.py``).
    """
    where, values = _where(query)
    with library.database.reading() as connection:
        (total,) = connection.execute(f"SELECT count(*) FROM videos WHERE {where}", values).fetchone()
    page = [*values, max(0, min(limit, MOST)), max(0, offset)]
    entries = library.ask(f"WHERE {where} ORDER BY made_s DESC, id DESC LIMIT ? OFFSET ?", page)
    return Found(tuple(entries), total)


def nothing_found(query: Query) -> str:
    """One sentence on a search that finds nothing, in the words of who searched."""
    typed = query.words.split()[:MAX_WORDS]
    if query.task or query.model or query.starred or (typed and query.day is not None):
        return "No video fits all of that. Choose less."
    if query.day is not None:
        return "No video from that day."
    found = terms([folded(word) for word in typed], datetime.now(query.zone).date())
    days = [" ".join(term.words) for term in found if term.days is not None]
    words = [word for term in found if term.days is None for word in term.words]
    made = f"No video from {' and '.join(days)}" if days else "No video"
    if not words:
        return f"{made}."
    if len(words) == 1:
        return f"{made} has “{words[0]}” in its prompt."
    return f"{made} has all of “{' '.join(words)}” in its prompt. Try fewer words."


def all_words(library: Library, query: Query) -> list[str]:
    """The prompts, folded, each once, of the videos that fit but for the words."""
    where, values = _where(replace(query, words=""))
    with library.database.reading() as connection:
        rows = connection.execute(f"SELECT DISTINCT words FROM videos WHERE {where}", values)
        return [row[0] for row in rows]


def neighbours(library: Library, query: Query, entry: Entry) -> tuple[Entry | None, Entry | None]:
    """The next newer and the next older of the videos that fit."""
    where, values = _where(query)
    place = [*values, entry.made_s, entry.id]
    up, down = "> (?, ?) ORDER BY made_s, id", "< (?, ?) ORDER BY made_s DESC, id DESC"
    newer, older = (library.ask(f"WHERE {where} AND (made_s, id) {way} LIMIT 1", place) for way in (up, down))
    return next(iter(newer), None), next(iter(older), None)


def overview(library: Library, maker: str | None = None) -> Overview:
    """What there is to choose from. maker: as in Query."""
    where, values = _where(Query(maker=maker))
    with library.database.reading() as connection:
        asked = f"SELECT count(*), coalesce(sum(size_bytes), 0) FROM videos WHERE {where}"
        total, size = connection.execute(asked, values).fetchone()
        tasks, models = (_all_of(connection, column, where, values) for column in ("task", "model"))
    return Overview(total, size, tasks, models)


def _all_of(connection: sqlite3.Connection, column: str, where: str, values: list[Any]) -> tuple[str, ...]:
    asked = f"SELECT DISTINCT {column} FROM videos WHERE {where} AND {column} != '' ORDER BY {column}"
    return tuple(row[0] for row in connection.execute(asked, values))


def _where(query: Query) -> tuple[str, list[Any]]:
    conditions = [HERE if not query.deleted else "is_ours AND gone_s IS NULL AND bin IS NOT NULL"]
    values: list[Any] = []
    for term in terms(folded(query.words).split()[:MAX_WORDS], datetime.now(query.zone).date()):
        stand = " AND ".join("instr(words, ?) > 0" for _ in term.words)
        values.extend(term.words)
        if term.days is not None:  # a song of yesterday, and what was made then
            stand = f"({stand} OR made_s >= ? AND made_s < ?)"
            values.extend(seconds(term.days, query.zone))
        conditions.append(stand)
    if query.day is not None:
        conditions.append("made_s >= ? AND made_s < ?")
        values.extend(seconds((query.day, query.day + timedelta(days=1)), query.zone))
    for column, wanted in (("task", query.task), ("model", query.model)):
        if wanted:
            conditions.append(f"{column} = ?")
            values.append(wanted)
    if query.starred:
        conditions.append("star")
    if query.maker is not None:
        nobodys = " OR maker IS NULL" if isinstance(query.maker, Owner) else ""
        conditions.append(f"(maker = ?{nobodys})")
        values.append(str(query.maker))
    return " AND ".join(conditions), values

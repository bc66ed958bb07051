"""One video of the library, and the table that it is a row of."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TABLE = """CREATE TABLE videos (
    id TEXT PRIMARY KEY,
    file TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    is_ours INTEGER NOT NULL,
    made_s REAL NOT NULL,
    task TEXT NOT NULL DEFAULT '',
    prompt TEXT NOT NULL DEFAULT '',
    words TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    seed INTEGER,
    frames INTEGER NOT NULL DEFAULT 0,
    fps REAL NOT NULL DEFAULT 0,
    width INTEGER NOT NULL DEFAULT 0,
    height INTEGER NOT NULL DEFAULT 0,
    settings TEXT NOT NULL DEFAULT '{}',
    maker TEXT,
    private TEXT NOT NULL DEFAULT '{}',
    star INTEGER NOT NULL DEFAULT 0,
    gone_s REAL,
    bin TEXT
)"""


def first(connection: sqlite3.Connection) -> None:
    """words: the prompt, folded, to search in. gone_s: since when the file is away. bin: its name there."""
    connection.execute(TABLE)
    for columns in ("made_s", "fingerprint"):
        connection.execute(f"CREATE INDEX videos_{columns} ON videos ({columns})")
    here = "gone_s IS NULL AND bin IS NULL"  # a file that went leaves its name to others
    connection.execute(f"CREATE UNIQUE INDEX videos_file ON videos (file) WHERE {here}")
    connection.execute("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)")


MIGRATIONS = (first,)


@dataclass(frozen=True)
class Entry:
    """A video as the index knows it; ``settings`` are what the file carries, {} where it carries none.

    file: in the library's folder, with slashes. made_s: seconds since 1970. maker: who asked for it, None
    where nobody knows. private: where its clip and weights lie, by the settings' names, as far as that is
    known; files carry their names alone. twins: how many others have the very same content. deleted: whether
    it lies in the bin.
    """

    id: str
    file: str
    fingerprint: str
    size_bytes: int
    made_s: float
    task: str
    prompt: str
    model: str
    seed: int | None
    frames: int
    fps: float
    width: int
    height: int
    settings: Mapping[str, Any]
    maker: str | None
    private: Mapping[str, str]
    star: bool
    deleted: bool
    twins: int


TWINS = """(SELECT count(*) FROM videos AS other WHERE other.fingerprint = videos.fingerprint
    AND other.id != videos.id AND +other.maker IS videos.maker
    AND other.gone_s IS NULL AND other.bin IS NULL) AS twins"""


def entry_of(row: sqlite3.Row) -> Entry:
    """The entry of a row of the table, asked for with TWINS."""
    plain = {name: row[name] for name in Entry.__dataclass_fields__ if name in row.keys()}  # noqa: SIM118
    return Entry(
        **plain
        | {
            "settings": json.loads(row["settings"]),
            "private": json.loads(row["private"]),
            "star": bool(row["star"]),
            "deleted": row["bin"] is not None,
        }
    )

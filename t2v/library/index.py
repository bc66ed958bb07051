"""Your videos: an index of an output folder, filled and repaired from the files, which are the truth.

What only the index knows (who made a video, its star) stays with the content: a file that was renamed, moved
with the folder, or comes back after a while has them again.
"""

import json
import logging
import secrets
import sqlite3
import threading
import time
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from t2v.library.database import Database
from t2v.library.entry import MIGRATIONS, TWINS, Entry, entry_of
from t2v.library.look_inside import Inside, Stat, look_inside, videos_in

logger = logging.getLogger(__name__)

INDEX = ".library.sqlite3"
BATCH = 50  # files a change of the index: a first scan shows what it has, the newest first
GONE_KEPT_S = 90 * 24 * 3600  # as long a file may be away and still have its star
LIES = "gone_s IS NULL AND bin IS NULL"
HERE = f"is_ours AND {LIES}"


@dataclass(frozen=True)
class Made:
    """What is known of a run beside its file. maker: who asked for it, None where nobody is told apart.

    private: where its clip and its weights lie, by the names of the settings. settings: for a file that
    carries none.
    """

    maker: str | None = None
    private: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


class Library:
    """The index of a folder, from any thread. ``sqlite3.Error`` where the folder can have none.

    folder: of the videos, which is made. Only files that carry this program's settings, or that ``add`` is
    told of, are videos of the library; others that lie there are nobody's business.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database = Database(self.folder / INDEX, MIGRATIONS)
        self._scanning = threading.Lock()
        self._revision = 0

    @property
    def revision(self) -> int:
        """Another number whenever something has changed."""
        return self._revision

    def changed(self) -> None:
        """To be called after a change, so that ``revision`` tells of it."""
        self._revision += 1

    def close(self) -> None:
        """Let go of the index."""
        self.database.close()

    def path(self, entry: Entry) -> Path:
        """Where the video lies, unless it is in the bin."""
        return self.folder / entry.file

    # What changes it

    def scan(self) -> bool:
        """Look for files that came, went or changed; whether there were any. Only those are opened."""
        with self._scanning:
            there = {path.relative_to(self.folder).as_posix(): stat for path, stat in videos_in(self.folder)}
            known = self._known()
            gone = [file for file in known if file not in there]
            other = [file for file, stat in there.items() if known.get(file) != stat]
            other.sort(key=lambda file: there[file].changed_ns, reverse=True)
            if gone:
                with self.database.writing() as connection:
                    for file in gone:
                        _is_gone(connection, file)
                self.changed()
            for start in range(0, len(other), BATCH):
                self._take({file: there[file] for file in other[start : start + BATCH]})
            self._forget()
            return bool(gone or other)

    def add(self, path: Path, made: Made) -> Entry | None:
        """A run's video, just finished, and what of it only the index knows. None where it is gone again.

        Also of a video that carries no settings: whoever calls this knows that it is one of ours.
        """
        file = path.resolve().relative_to(self.folder).as_posix()
        try:
            stat, inside = path.stat(), look_inside(path)
        except OSError as error:
            logger.warning("%s is not in the library: %s", file, error.strerror)
            return None
        if inside.settings is None:
            inside = replace(inside, settings=made.settings)
        with self.database.writing() as connection:
            self._put(connection, file, Stat(stat.st_size, stat.st_mtime_ns), inside)
            change = f"UPDATE videos SET maker = ?, private = ? WHERE file = ? AND {LIES}"
            connection.execute(change, [made.maker, json.dumps(dict(made.private)), file])
        self.changed()
        return self._one(f"file = ? AND {HERE}", file)

    def star(self, video: str, on: bool) -> None:
        """Put a star on a video, or take it off."""
        with self.database.writing() as connection:
            connection.execute("UPDATE videos SET star = ? WHERE id = ?", [on, video])
        self.changed()

    def remember(self, name: str, value: Any) -> None:
        """A fact about the folder, such as its limit; as JSON."""
        with self.database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", [name, json.dumps(value)])
        self.changed()

    # What it knows

    def fact(self, name: str) -> Any:
        """What was last remembered under this name, or None."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT value FROM facts WHERE name = ?", [name]).fetchone()
        return None if row is None else json.loads(row["value"])

    def find(self, video: str) -> Entry | None:
        """The video of this id, also in the bin; None where there is none."""
        return self._one("id = ? AND is_ours AND gone_s IS NULL", video)

    def holding(self, path: Path) -> Entry | None:
        """The video that lies at this path, None where none of the library does."""
        if not path.is_relative_to(self.folder):
            return None
        return self._one(f"file = ? AND {HERE}", path.relative_to(self.folder).as_posix())

    def with_content(self, fingerprint: str) -> list[Entry]:
        """The videos with this content, also those in the bin."""
        return self.ask("WHERE fingerprint = ? AND is_ours AND gone_s IS NULL", [fingerprint])

    def ask(self, rest: str, values: Iterable[object]) -> list[Entry]:
        """The entries for the rest of a query: our own SQL, with the values beside it."""
        with self.database.reading() as connection:
            rows = connection.execute(f"SELECT *, {TWINS} FROM videos {rest}", list(values)).fetchall()
        return [entry_of(row) for row in rows]

    def _one(self, where: str, value: str) -> Entry | None:
        return next(iter(self.ask(f"WHERE {where}", [value])), None)

    def _known(self) -> dict[str, Stat]:
        with self.database.reading() as connection:
            rows = connection.execute(f"SELECT file, size_bytes, changed_ns FROM videos WHERE {LIES}")
            return {row["file"]: Stat(row["size_bytes"], row["changed_ns"]) for row in rows}

    # The scan's side

    def _take(self, files: Mapping[str, Stat]) -> None:
        found: list[tuple[str, Stat, Inside]] = []
        for file, stat in files.items():
            try:
                found.append((file, stat, look_inside(self.folder / file)))
            except OSError as error:  # it went meanwhile, or may not be read
                logger.info("%s is not in the library: %s", file, error.strerror)
        with self.database.writing() as connection:
            for file, _, inside in found:
                _is_gone(connection, file, but=inside.fingerprint)  # another video has its name now
            for one in found:
                self._put(connection, *one)
        self.changed()

    def _put(self, connection: sqlite3.Connection, file: str, stat: Stat, inside: Inside) -> None:
        """The row of a file, with what was known of its content before."""
        columns: dict[str, Any] = {
            "file": file,
            "gone_s": None,
            "size_bytes": stat.size_bytes,
            "changed_ns": stat.changed_ns,
        }
        _is_gone(connection, file, but=inside.fingerprint)
        asked = f"SELECT id FROM videos WHERE file = ? AND {LIES}"
        row = connection.execute(asked, [file]).fetchone()
        if row is None:
            asked = "SELECT id FROM videos WHERE fingerprint = ? AND gone_s NOT NULL ORDER BY gone_s DESC"
            row = connection.execute(asked, [inside.fingerprint]).fetchone()
        if row is None:
            columns |= {"id": secrets.token_hex(8), "made_s": stat.changed_ns / 1e9} | _columns(inside)
            names, places = ", ".join(columns), ", ".join("?" * len(columns))
            connection.execute(f"INSERT INTO videos ({names}) VALUES ({places})", list(columns.values()))
            return
        if inside.settings is not None:  # else what it was added with stays
            columns |= _columns(inside)
        sets = ", ".join(f"{name} = ?" for name in columns)
        connection.execute(f"UPDATE videos SET {sets} WHERE id = ?", [*columns.values(), row["id"]])

    def _forget(self) -> None:
        with self.database.writing() as connection:
            connection.execute("DELETE FROM videos WHERE gone_s < ?", [time.time() - GONE_KEPT_S])


def _is_gone(connection: sqlite3.Connection, file: str, but: str = "") -> None:
    """The video at a file is not there any more, unless its content is this."""
    away = f"UPDATE videos SET gone_s = ? WHERE file = ? AND {LIES} AND fingerprint != ?"
    connection.execute(away, [time.time(), file, but])


def _columns(inside: Inside) -> dict[str, Any]:
    settings: Mapping[str, Any] = {} if inside.settings is None else inside.settings
    prompt, seed = settings.get("prompt", ""), settings.get("seed")
    is_number = isinstance(seed, int) and abs(seed) < 2**63
    return {
        "fingerprint": inside.fingerprint,
        "is_ours": inside.settings is not None,
        "task": settings.get("task", ""),
        "prompt": prompt,
        "words": folded(prompt),
        "model": str(settings.get("model") or ""),
        "seed": seed if is_number else None,
        "frames": inside.frames,
        "fps": inside.fps,
        "width": inside.width,
        "height": inside.height,
        "settings": json.dumps(settings),
    }


def folded(text: str) -> str:
    """A text as it is searched in: capitals, accents' ways of writing and wide letters make no difference."""
    return unicodedata.normalize("NFKC", text).casefold()

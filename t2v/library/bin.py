"""Deleting with undo: what is deleted lies in a hidden folder for a day. Making room."""

import logging
import time
from collections.abc import Iterable
from pathlib import Path

from t2v.library.database import unused
from t2v.library.entry import Entry
from t2v.library.index import HERE, Library

logger = logging.getLogger(__name__)

BIN = ".deleted"
KEPT_S = 24 * 3600
LIMIT = "limit_bytes"  # the fact's name


def delete(library: Library, entries: Iterable[Entry]) -> list[str]:
    """Move videos into the bin; the ids of those that could be moved."""
    folder = library.folder / BIN
    folder.mkdir(exist_ok=True)
    done = []
    for entry in entries:
        if entry.deleted:
            continue
        # The name alone says when it may go, should the index be lost.
        target = unused(folder / f"{int(time.time())}-{entry.id}-{Path(entry.file).name[-100:]}")
        with library.database.writing() as connection:
            try:
                library.path(entry).rename(target)
            except OSError as error:
                logger.warning("%s could not be deleted: %s", entry.file, error.strerror)
                continue
            connection.execute("UPDATE videos SET bin = ? WHERE id = ?", [target.name, entry.id])
        done.append(entry.id)
    library.changed()
    return done


def restore(library: Library, entries: Iterable[Entry]) -> list[str]:
    """Move videos out of the bin to where they were; where another lies there by now, beside it."""
    done = []
    for entry in entries:
        with library.database.writing() as connection:
            row = connection.execute("SELECT bin FROM videos WHERE id = ?", [entry.id]).fetchone()
            if row is None or row["bin"] is None:
                continue
            target = _free(library.path(entry))
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                (library.folder / BIN / row["bin"]).rename(target)
            except OSError as error:
                logger.warning("%s could not be brought back: %s", entry.file, error.strerror)
                continue
            file = target.relative_to(library.folder).as_posix()
            connection.execute(f"UPDATE videos SET gone_s = ? WHERE file = ? AND {HERE}", [time.time(), file])
            connection.execute("UPDATE videos SET bin = NULL, file = ? WHERE id = ?", [file, entry.id])
        done.append(entry.id)
    library.changed()
    return done


def sweep(library: Library, kept_s: float = KEPT_S) -> int:
    """Remove what has lain in the bin for so long, and rows of what is not there any more; bytes freed."""
    freed = 0
    for path in (library.folder / BIN).glob("*-*-*"):
        try:
            if time.time() - int(path.name.partition("-")[0]) >= kept_s:
                size = path.stat().st_size
                path.unlink()
                freed += size
        except (OSError, ValueError) as error:  # somebody else's file
            logger.info("%s stays: %s", path.name, error)
    left = {path.name for path in (library.folder / BIN).glob("*")}
    with library.database.writing() as connection:
        rows = connection.execute("SELECT id, bin FROM videos WHERE bin IS NOT NULL").fetchall()
        lost = [(row["id"],) for row in rows if row["bin"] not in left]
        connection.executemany("DELETE FROM videos WHERE id = ?", lost)
    if freed or lost:
        library.changed()
    return freed


def bytes_in_bin(library: Library) -> int:
    """How much of the disk the bin takes."""
    return sum(path.stat().st_size for path in (library.folder / BIN).glob("*") if path.is_file())


def would_go(library: Library, limit_bytes: int) -> list[Entry]:
    """The videos that a clean-up to this limit removes: the oldest without a star, as few as do."""
    videos = library.ask(f"WHERE {HERE} ORDER BY made_s, id", [])
    over = sum(entry.size_bytes for entry in videos) - limit_bytes
    going = []
    for entry in videos:
        if over <= 0:
            break
        if not entry.star:
            going.append(entry)
            over -= entry.size_bytes
    return going


def clean_up(library: Library, entries: Iterable[Entry]) -> int:
    """Remove these videos, those that got a star meanwhile left out, and empty the bin; bytes freed."""
    ids = [entry.id for entry in entries]
    fresh = [found for one in ids if (found := library.find(one)) is not None and not found.star]
    delete(library, fresh)
    return sweep(library, kept_s=0)


def _free(path: Path) -> Path:
    """The path, or beside it the first whose name is not taken."""
    number = 2
    wanted = path
    while wanted.exists():
        wanted, number = path.with_stem(f"{path.stem}-{number}"), number + 1
    return wanted

"""A SQLite file that threads and programs share: opened, brought up to date, written in whole changes."""

import itertools
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)

Migration = Callable[[sqlite3.Connection], None]
BUSY_S = 10.0  # how long a change waits for another program's
NOT_OURS = (sqlite3.DatabaseError, OSError)


class Database:
    """One connection for all threads, in write-ahead mode; ``reading`` and ``writing`` take it in turn.

    migrations: functions that bring an empty file up to date, one after the other; how many have run is kept
    in the file, so that a list may only ever grow. durable: a change survives a power cut once ``writing``
    has ended; without it the last ones may be lost, never half made. A file that is no database, or that a
    newer program has changed, is put aside under another name and begun anew.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration], *, durable: bool = False) -> None:
        self.path = path
        self._migrations = migrations
        self._synchronous = "FULL" if durable else "NORMAL"
        self._lock = threading.RLock()
        try:
            self._connection = self._opened()
        except sqlite3.OperationalError:
            raise  # it cannot be opened or is in use: nothing is wrong with the file
        except NOT_OURS as error:
            logger.warning("%s is put aside and begun anew: %s", path.name, error)
            self._put_aside()
            self._connection = self._opened()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, to ask; rows have names."""
        with self._lock:
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction: all that is done in it is kept, or where it raises nothing."""
        with self._lock:
            if self._connection.in_transaction:  # a change within a change is part of it
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":  # it begins as a database does, and is broken further on
                raise sqlite3.DatabaseError(found)
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")  # two programs that start at once take turns
        try:
            (done,) = connection.execute("PRAGMA user_version").fetchone()
            if done > len(self._migrations):
                raise sqlite3.DatabaseError("a newer version of this program has changed it")
            for migration in self._migrations[done:]:
                migration(connection)
            connection.execute(f"PRAGMA user_version = {len(self._migrations)}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _put_aside(self) -> None:
        aside = unused(self.path.with_name(f"{self.path.name}.unread"))
        for ending in ("", "-wal", "-shm"):
            old = self.path.with_name(self.path.name + ending)
            if old.exists():
                old.replace(aside.with_name(aside.name + ending))


def unused(path: Path) -> Path:
    """The path, or with a number behind it the first that nothing lies at."""
    numbered = (path.with_name(f"{path.name}.{number}") for number in itertools.count(2))
    return next(one for one in itertools.chain([path], numbered) if not one.exists())

"""What outlives the program of its queue: in a SQLite file, the runs that wait, are drawn or ended lately.

Each change is one transaction, and is on the disk before anybody is told of it: at whatever moment the
program is killed or the power goes, a run that was acknowledged is there once, waiting, interrupted or ended.
"""

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from t2v.checks import InputError
from t2v.jobs.clip_costs import clip_costs_table
from t2v.jobs.job import FINISHED, Job
from t2v.jobs.kept import KeptSources
from t2v.jobs.sources import prompt_of, source_of, with_prompt
from t2v.jobs.stored import Past, settings_from_text, text_of
from t2v.jobs.time_left import courses_table
from t2v.jobs.workshop import told
from t2v.library.database import Database
from t2v.program import hold, let_go

logger = logging.getLogger(__name__)

NAME = ".queue"
MOST_PROGRAMS = 8  # on one output folder that keep their queues


def _first(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT NOT NULL, visitor TEXT, source TEXT,"
        " round INTEGER NOT NULL, number INTEGER NOT NULL, settings TEXT NOT NULL, clip TEXT,"
        " made TEXT, output TEXT, seed INTEGER, error TEXT, took_s REAL, picture BLOB)"
    )


MIGRATIONS = (_first, clip_costs_table, courses_table)


class Ledger:
    """The runs of one program; safe from several threads.

    Programs on the same folder have a file each, ``.queue.sqlite3``, ``.queue-2.sqlite3`` and so on: beside
    each lies a lock of the operating system's, which the program holds that works it, and of which the kernel
    lets go when that is killed. So nobody takes the runs of a program that lives, and whoever starts next
    finds those of one that does not. Where nothing can be written the runs are kept in memory alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: int | None = None
        self.kept = KeptSources(None)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = self._opened()
        except (sqlite3.Error, OSError) as error:
            logger.warning("Runs that wait will not outlive this program: %s", error)
            let_go(self._lock)
            self._lock = None
            self.kept = KeptSources(None)
            self._database = Database(Path(":memory:"), MIGRATIONS)

    def _opened(self) -> Database:
        for number in range(1, MOST_PROGRAMS + 1):
            name = NAME if number == 1 else f"{NAME}-{number}"
            self._lock = hold(self.folder / f"{name}.lock")
            if self._lock is not None:
                self.kept = KeptSources(self.folder / f"{name}-clips")
                return Database(self.folder / f"{name}.sqlite3", MIGRATIONS, durable=True)
        raise OSError("this folder knows no locks, or too many programs use it")

    @property
    def database(self) -> Database:
        """The file."""
        return self._database

    def close(self) -> None:
        """Let go of the file, for the next program."""
        self._database.close()
        let_go(self._lock)
        self._lock = None

    def recover(self) -> list[Job]:
        """All runs as the last program left them, in order; what it was drawing counts as interrupted.

        Unless the video is there whole: then only the note of it is missing. Files kept of no run go.
        """
        with self._database.writing() as change:
            for row in change.execute("SELECT id, output FROM runs WHERE state = 'running'").fetchall():
                is_whole = row["output"] is not None and (self.folder / row["output"]).is_file()
                state = "done" if is_whole else "interrupted"
                change.execute("UPDATE runs SET state = ? WHERE id = ?", [state, row["id"]])
            rows = change.execute("SELECT * FROM runs ORDER BY number").fetchall()
        jobs = [job for row in rows if (job := self._job(row)) is not None]
        self.kept.drop_all_but({job.id for job in jobs})
        return jobs

    def submit(self, job: Job) -> None:
        """A new run. InputError where it cannot be noted: it might be lost."""
        clip = None if job.kept_clip is None else str(job.kept_clip.relative_to(self.folder))
        values = [job.id, job.state, job.visitor, job.source, *job.slot, text_of(job.settings), clip]
        try:
            with self._database.writing() as change:
                change.execute(
                    "INSERT INTO runs (id, state, visitor, source, round, number, settings, clip)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    values,
                )
        except sqlite3.Error as error:
            logger.error("A run could not be noted in the queue's file: %s", error)
            raise InputError(told(error)) from error

    def begin(self, job: Job) -> None:
        """It is drawn from now on."""
        self._update(job.id, state="running")

    def plan(self, job: Job, path: Path) -> None:
        """What it is drawn as, and where its video will lie once it is whole."""
        made = job.as_asked(job.resolved).filled()
        output = str(path.relative_to(self.folder))
        self._update(job.id, made=text_of(made), output=output, seed=job.resolved.seed)

    def end(self, job: Job, forgotten: Iterable[Job] = (), moved: Iterable[Job] = ()) -> None:
        """It has ended, in whatever way; forgotten: ended ones that nobody remembers."""
        output = None if job.output is None else str(job.output.relative_to(self.folder))
        ended: dict[str, Any] = {"state": job.state, "error": job.error, "output": output}
        ended |= {"took_s": job.took_s(), "picture": job.picture, "round": job.round}
        with self._told_of_failures(), self._database.writing():
            self._write(job.id, **ended)
            self._forget(forgotten)
            self._place(moved)
        for other in forgotten:
            self.kept.drop(other.id)
        self.kept.make_room(self._ended_with_sources())

    def remove(self, job: Job, moved: Iterable[Job] = ()) -> None:
        """It was never asked for. moved: others that have taken its place."""
        with self._told_of_failures(), self._database.writing():
            self._forget([job])
            self._place(moved)
        self.kept.drop(job.id)

    def place(self, moved: Iterable[Job]) -> None:
        """Runs that wait have changed places."""
        with self._told_of_failures(), self._database.writing():
            self._place(moved)

    def again(self, job: Job) -> None:
        """One that was interrupted waits once more, at its new place."""
        self._update(job.id, state="queued", round=job.round, number=job.number, output=None)

    # Rows

    def _job(self, row: sqlite3.Row) -> Job | None:
        """The run of a row; None, told in the log, where this version cannot read its settings."""
        try:
            settings = settings_from_text(row["settings"])
            made = None if row["made"] is None else settings_from_text(row["made"])
        except InputError as error:
            logger.warning("A run of the queue is left out: %s", error)
            return None
        job = Job(row["id"], settings, row["visitor"], row["source"], row["state"])
        job.round, job.number = row["round"], row["number"]
        job.kept_clip = None if row["clip"] is None else self.folder / row["clip"]
        if job.kept_clip is not None and not os.path.isfile(source_of(settings) or ""):
            job.asked_from = source_of(settings)
            job.settings = job.to_draw()  # the upload went with the program that took it
        job.kept_picture = self.kept.picture(job.id, settings)
        if job.kept_picture is not None and not os.path.isfile(prompt_of(settings) or ""):
            job.asked_picture = prompt_of(settings)
            job.settings = with_prompt(job.settings, str(job.kept_picture))
        job.resolved = None if made is None else Past.of(made)
        if job.state == "done" and row["output"] is not None:
            job.output = self.folder / row["output"]
        job.error, job.past_s, job.picture = row["error"], row["took_s"], row["picture"]
        return job

    def _ended_with_sources(self) -> list[str]:
        """Runs that have ended and of which something may be kept, the latest first."""
        ended = f"state IN ({', '.join(repr(state) for state in FINISHED if state != 'interrupted')})"
        with self._told_of_failures(), self._database.reading() as asked:
            found = asked.execute(f"SELECT id FROM runs WHERE {ended} ORDER BY rowid DESC")
            return [row["id"] for row in found]
        return []

    def _update(self, job_id: str, **values: Any) -> None:
        with self._told_of_failures(), self._database.writing():
            self._write(job_id, **values)

    def _write(self, job_id: str, **values: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in values)
        with self._database.writing() as change:
            change.execute(f"UPDATE runs SET {names} WHERE id = ?", [*values.values(), job_id])

    def _forget(self, jobs: Iterable[Job]) -> None:
        with self._database.writing() as change:
            change.executemany("DELETE FROM runs WHERE id = ?", [[job.id] for job in jobs])

    def _place(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._write(job.id, round=job.round, number=job.number)

    @contextmanager
    def _told_of_failures(self) -> Iterator[None]:
        """A run goes on where the disk takes no notes any more; the log says what will be missing."""
        try:
            yield
        except sqlite3.Error as error:
            logger.error("The queue's file could not be written, and will not know of this change: %s", error)

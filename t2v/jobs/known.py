"""The runs that a queue knows: what is drawn, what waits in order, and what has ended lately.

Nothing here takes a lock or writes a file: the queue does, around it.
"""

import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from t2v.checks import InputError, counted
from t2v.jobs import order
from t2v.jobs.job import Job, JobView
from t2v.jobs.sources import prompt_of, source_of
from t2v.library.owner import is_theirs


def new_id() -> str:
    """Of a run; nobody can guess another's."""
    return secrets.token_hex(12)


class KnownRuns:
    """Of one queue; its lock is held. recovered: what an earlier program left. max_kept: ended runs that are
    remembered, the oldest are forgotten first."""

    def __init__(self, recovered: Iterable[Job], max_kept: int) -> None:
        self._jobs = {job.id: job for job in recovered}  # in order of submission
        self._max_kept = max_kept
        self._made: set[Path] = set()  # videos of jobs that are forgotten
        self.waiting = order.in_order(job for job in self.all() if job.state == "queued")
        self.running: Job | None = None
        self.round = max((job.round for job in self.all() if job.state != "queued"), default=0)

    def all(self) -> Sequence[Job]:
        """In order of submission."""
        return list(self._jobs.values())

    def find(self, job_id: str) -> Job:
        """The run of this id; InputError if it is not known (any more)."""
        job = self._jobs.get(job_id) if isinstance(job_id, str) else None  # a program may send anything
        if job is None:
            raise InputError("This run is not known any more (the program was restarted); run it again.")
        return job

    def has_ended(self, job_id: str) -> bool:
        """Whether the run has ended; one that is not known (any more) has."""
        job = self._jobs.get(job_id)
        return job is None or job.finished

    def check_room(self, job: Job, max_waiting: int) -> None:
        """InputError where so many wait already, or too many of the same source."""
        waiting = len(self.waiting)
        if waiting >= max_waiting:
            full = f"The queue is full ({counted(waiting, 'run')} waiting)"
            raise InputError(f"{full}; try again in a few minutes.")
        share = max(1, max_waiting // 4)
        own = sum(job.source is not None and other.source == job.source for other in self.waiting)
        if own >= share:
            raise InputError(f"{counted(own, 'run')} of yours wait already; try again when one has begun.")

    def give_place(self, job: Job) -> None:
        """A run's place behind its person's others; it waits there after ``wait``."""
        order.join(job, self.all(), self.round)

    def wait(self, job: Job) -> None:
        """It waits from now on."""
        self._jobs[job.id] = job
        self.waiting = order.in_order([*self.waiting, job])

    def leave(self, job: Job) -> list[Job]:
        """Out of the queue; returns those that moved up."""
        moved = order.leave(job, self.waiting)
        self.waiting = order.in_order(other for other in self.waiting if other is not job)
        return moved

    def swap(self, job: Job, by: int) -> list[Job]:
        """A run changes places with its person's one before it (by = -1) or after it (1): both, or none."""
        moved = order.swap(job, self.waiting, by)
        self.waiting = order.in_order(self.waiting)
        return moved

    def next(self) -> Job:
        """The run whose turn it is; there is one."""
        job = self.running = self.waiting.pop(0)
        self.round = job.round
        return job

    def too_many(self) -> list[Job]:
        """Ended runs that are to be forgotten."""
        finished = [job for job in self.all() if job.finished]
        return finished[: max(0, len(finished) - self._max_kept)]

    def forget(self, job: Job) -> None:
        """It is not known any more; its video still is."""
        self._made.update(path for path in (job.output, *job.seen.values()) if path is not None)
        del self._jobs[job.id]

    def view(self, job: Job) -> JobView:
        """How it stands now."""
        if job.state != "queued":
            return job.view(0)
        running = [] if self.running is None else [self.running]
        ahead = [*running, *self.waiting[: self.waiting.index(job)]]
        return job.view(len(ahead), sum(other.visitor != job.visitor for other in ahead))

    def of_visitor(self, visitor: str | None) -> list[JobView]:
        """A visitor's own runs: what is drawn, those that wait in order, those that ended, latest first."""
        mine = [job for job in self.all() if is_theirs(job.visitor, visitor)]
        running = [job for job in mine if job.state == "running"]
        waiting = [job for job in self.waiting if is_theirs(job.visitor, visitor)]
        ended = [job for job in reversed(mine) if job.finished]
        return [self.view(job) for job in (*running, *waiting, *ended)]

    def kept_source(self, path: str, visitor: str | None) -> Path | None:
        """What is kept of a clip or picture that one of a visitor's runs was asked for with, from there."""
        for job in reversed(self.all()):
            if is_theirs(job.visitor, visitor):
                for kept, *places in _sources(job):
                    if kept is not None and path in places and kept.is_file():
                        return kept
        return None

    def has_made(self, path: Path) -> bool:
        """Whether this is the finished video of a run, or what one of them saw, also of one forgotten."""
        known = any(path == job.output or path in job.seen.values() for job in self.all())
        return known or path in self._made


def _sources(job: Job) -> tuple[tuple[Any, ...], ...]:
    """Of what a run is made from: (what is kept, where it lay when it was asked for, what settings say)."""
    return (
        (job.kept_clip, job.asked_from, source_of(job.settings)),
        (job.kept_picture, job.asked_picture, prompt_of(job.settings)),
    )

"""A run is a job: submit it, follow it, stop it. One worker thread a device takes them in turn.

The work happens there and not in a page's handler, so a closed or reloaded page loses nothing, two windows
take turns, and a stop reaches exactly its own job. What waits, is drawn or has ended lately is in a ledger
beside the videos, and is there again when the program has ended in whatever way and starts anew.
"""

import contextvars
import logging
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.jobs.clip_costs import ClipCosts, Size
from t2v.jobs.ended import settle, tidy
from t2v.jobs.job import Job, JobView
from t2v.jobs.known import KnownRuns, new_id
from t2v.jobs.ledger import Ledger
from t2v.jobs.time_left import Courses
from t2v.jobs.worker import Worker
from t2v.jobs.workshop import sweep
from t2v.library.index import Library
from t2v.tasks.clip import ClipSettings
from t2v.tasks.tries import Tries

logger = logging.getLogger(__name__)

MOST_TIMED = 8  # runs that wait to be timed


class Jobs:
    """The queue of one device: ``submit`` → ``follow`` … → ``stop``, from any thread.

    What waited when the last program of this output folder ended is drawn now; the run that it was drawing is
    "interrupted", and is drawn only if ``again`` is called for it. max_waiting: jobs that may wait; more are
    refused with one sentence. max_kept: finished jobs remembered, the oldest are forgotten first (their
    videos stay in the output folder). warm_up: settings that the worker runs once before the first job and
    throws away, so that the weights are loaded when somebody presses Run. library:
    where finished videos are kept.
    """

    def __init__(
        self,
        engine: Engine,
        output_folder: str | Path,
        *,
        max_waiting: int = 20,
        max_kept: int = 100,
        warm_up: Any = None,
        library: Library | None = None,
    ) -> None:
        self.output_folder = Path(output_folder).resolve()
        self._max_waiting = max_waiting
        self._warm_up_settings = warm_up
        self._cut_off: Job | None = None  # what was drawn when the program was told to end
        self._closed = False
        self._changed = threading.Condition()
        self._ledger = Ledger(self.output_folder)
        sweep(self.output_folder)
        self._known = KnownRuns(self._ledger.recover(), max_kept)
        device = str(getattr(engine, "device", ""))
        self.clip_costs = ClipCosts(self._ledger.database, device)
        courses = Courses(self._ledger.database, device)
        self._to_time: list[tuple[ClipSettings, Size]] = []  # runs whose pace is to be measured
        self._worker = Worker(engine, self.output_folder, self._changed, self._ledger.plan, library, courses)
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def submit(
        self,
        settings: Any,
        visitor: str | None = None,
        source: str | None = None,
        tries: Tries | None = None,
    ) -> str:
        """Queues one run and returns its id. InputError for settings out of range or a full queue.

        visitor: whose run it is; people take turns. source: from where they ask, where that is somebody of
        many (None: the visitor): nobody may take more than a quarter of the queue. tries: what is drawn of
        the settings in the place of their video, one picture each; such a run does not outlive the program.
        """
        (settings if tries is None else tries).check()
        job = Job(new_id(), settings, visitor, visitor if source is None else source)
        job.tries, job.context = tries, contextvars.copy_context()
        with self._changed:
            self._check_room(job)  # before a large clip is copied
        if tries is None:
            job.kept_clip = self._ledger.kept.keep(job.id, settings)
            job.kept_picture = self._ledger.kept.keep_picture(job.id, settings)
        try:
            with self._changed:
                self._check_room(job)
                self._known.give_place(job)
                if tries is None:
                    self._ledger.submit(job)
                self._known.wait(job)
                self._changed.notify_all()
        except InputError:
            self._ledger.kept.drop(job.id)
            raise
        return job.id

    def _check_room(self, job: Job) -> None:
        if self._closed:
            raise InputError("The program is shutting down; start it again, then run this.")
        self._known.check_room(job, self._max_waiting)

    def measure_cost(self, settings: ClipSettings, size: Size) -> bool:
        """Whether ``clip_costs`` will know such runs at this size: an idle device times a few frames.

        Once for each, of what is cheap to time, and not while there are runs: they come first, and tell it.
        """
        with self._changed:
            is_busy = self._known.running is not None or self._known.waiting or self._closed
            if is_busy or self.clip_costs.is_known(settings, size) or not self._worker.may_time(settings):
                return False
            if len(self._to_time) < MOST_TIMED and self.clip_costs.begin(settings, size):
                self._to_time.append((settings, size))
                self._changed.notify_all()
            return self.clip_costs.is_under_way(settings, size)

    def follow(self, job_id: str) -> JobView:
        """How the job stands now. InputError if this id is not known (any more)."""
        with self._changed:
            return self._known.view(self._known.find(job_id))

    def has_ended(self, job_id: str) -> bool:
        """Whether there is no more to follow: a job that is not known (any more) has ended, too."""
        with self._changed:
            return self._known.has_ended(job_id)

    def runs(self, visitor: str | None = None) -> list[JobView]:
        """A visitor's own runs: what is drawn, those that wait in order, those that ended, latest first."""
        with self._changed:
            return self._known.of_visitor(visitor)

    def kept_source(self, path: str, visitor: str | None = None) -> Path | None:
        """What is kept of a clip or picture that one of a visitor's runs was asked for with, from there."""
        with self._changed:
            return self._known.kept_source(path, visitor)

    def stop(self, job_id: str) -> None:
        """Stops this job: at once if it waits, within a step if it runs; nothing happens if it has ended."""
        with self._changed:
            job = self._known.find(job_id)
            job.stop_asked = True
            if job.state == "queued":
                self._end(job, "stopped", moved=self._leave(job))

    def remove(self, job_id: str) -> None:
        """Takes this job out of the queue as if it had never been asked for, or forgets one that has ended.

        Its video stays. InputError for one that is being drawn: stop it first.
        """
        with self._changed:
            job = self._known.find(job_id)
            if job.state == "running":
                raise InputError("This run is being drawn; stop it first.")
            moved = self._leave(job) if job.state == "queued" else []
            self._ledger.remove(job, moved)
            self._known.forget(job)

    def move(self, job_id: str, by: int) -> None:
        """A waiting job changes places with its visitor's one before it (by = -1) or after it (1)."""
        with self._changed:
            job = self._known.find(job_id)
            if job.state == "queued":
                self._ledger.place(self._known.swap(job, by))
                self._changed.notify_all()

    def again(self, job_id: str) -> None:
        """An interrupted job waits once more, behind its visitor's others; nothing happens to any other."""
        with self._changed:
            job = self._known.find(job_id)
            if job.state != "interrupted":
                return
            self._check_room(job)
            self._known.give_place(job)
            self._ledger.again(job)
            job.state, job.stop_asked = "queued", False
            job.past_s = job.resolved = job.picture = None
            self._known.wait(job)
            self._changed.notify_all()

    def has_made(self, path: Path) -> bool:
        """Whether this is the finished video of one of its jobs, or what one of them saw."""
        with self._changed:
            return self._known.has_made(path)

    def close(self, timeout_s: float = 30.0) -> None:
        """Stops every job and the worker; waits for the step under way.

        For the next program of this output folder those that wait still do, and the one that was drawn is
        interrupted.
        """
        with self._changed:
            self._closed = True
            for job in self._known.waiting:
                job.state = "stopped"  # to those who follow it; nobody has asked for that
            self._known.waiting.clear()
            running = self._known.running
            if running is not None and not running.stop_asked:
                self._cut_off = running
                running.stop_asked = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        with self._changed:
            running = self._known.running
            if running is not None and running.output is None:  # its step takes too long
                tidy(running)
            self._ledger.close()

    def _leave(self, job: Job) -> list[Job]:
        """Out of the queue; returns those that moved up."""
        moved = self._known.leave(job)
        self._changed.notify_all()
        return moved

    def _end(self, job: Job, state: str, error: str | None = None, moved: Iterable[Job] = ()) -> None:
        settle(job, state, error)
        forgotten = self._known.too_many()
        if job is not self._cut_off or state != "stopped":
            self._ledger.end(job, forgotten, moved)
        for other in forgotten:
            self._known.forget(other)

    # The worker's side

    def _is_idle(self) -> bool:
        return not self._known.waiting and not self._closed

    def _next(self) -> Job:
        """The run whose turn it is, which begins; the lock is held."""
        job = self._known.next()
        job.state, job.started_s = "running", time.monotonic()
        self._ledger.begin(job)
        self._worker.begin(job)
        return job

    def _work(self) -> None:
        if self._warm_up_settings is not None:
            self._worker.warm_up(self._warm_up_settings)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._known.waiting or self._closed or self._to_time)
                if self._closed:
                    return
                job = self._next() if self._known.waiting else None
                timed = None if job is not None else self._to_time.pop(0)
            if timed is not None:
                self._worker.measure_cost(*timed, self.clip_costs, self._is_idle)
            if job is None:
                continue
            state, error = job.context.run(self._worker.run, job)
            with self._changed:
                self._known.running = None
                self._end(job, state, error)
                if state == "done" and job.tries is None:
                    self._worker.learn(job, self.clip_costs)
                took_s = job.took_s()
            where = "" if job.output is None else f": {job.output}"
            logger.info("Run %s %s after %.1f s%s", job.id, state, took_s, where)

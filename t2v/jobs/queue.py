"""A run is a job: submit it, follow it, stop it. One worker thread a device takes them in turn.

The work happens there and not in a page's handler, so a closed or reloaded page loses nothing, two windows
take turns, and a stop reaches exactly its own job. Jobs live in memory: they are gone when the program ends,
their videos are not.
"""

import logging
import secrets
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from t2v.checks import InputError, counted
from t2v.engine.engine import Engine
from t2v.jobs.job import Job, JobView
from t2v.jobs.worker import Worker
from t2v.jobs.workshop import sweep
from t2v.library.index import Library

logger = logging.getLogger(__name__)


class Jobs:
    """The queue of one device: ``submit`` → ``follow`` … → ``stop``, from any thread.

    max_waiting: jobs that may wait; more are refused with one sentence. max_kept: finished jobs remembered,
    the oldest are forgotten first (their videos stay in the output folder). warm_up: settings that the worker
    runs once before the first job and throws away, so that the weights are loaded when somebody presses Run.
    library: where finished videos are kept.
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
        self._max_kept = max_kept
        self._warm_up_settings = warm_up
        self._jobs: dict[str, Job] = {}  # in order of submission
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._made: set[Path] = set()  # videos of jobs that are forgotten
        self._closed = False
        self._changed = threading.Condition()
        sweep(self.output_folder)
        self._worker = Worker(engine, self.output_folder, self._changed, library)
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def submit(self, settings: Any, visitor: str | None = None) -> str:
        """Queues one run and returns its id. InputError for settings out of range or a full queue.

        visitor: who asks, where that is somebody of many; nobody may take more than a quarter of the queue.
        """
        settings.check()
        job = Job(id=secrets.token_hex(12), settings=settings, visitor=visitor)
        with self._changed:
            if self._closed:
                raise InputError("The program is shutting down; start it again, then run this.")
            waiting = len(self._waiting)
            if waiting >= self._max_waiting:
                full = f"The queue is full ({counted(waiting, 'run')} waiting)"
                raise InputError(f"{full}; try again in a few minutes.")
            share = max(1, self._max_waiting // 4)
            own = sum(visitor is not None and other.visitor == visitor for other in self._waiting)
            if own >= share:
                raise InputError(
                    f"{counted(own, 'run')} of yours wait already; try again when one has begun."
                )
            self._jobs[job.id] = job
            self._waiting.append(job)
            self._changed.notify_all()
        return job.id

    def follow(self, job_id: str) -> JobView:
        """How the job stands now. InputError if this id is not known (any more)."""
        with self._changed:
            return self._view(self._find(job_id))

    def stop(self, job_id: str) -> None:
        """Stops this job: at once if it waits, within a step if it runs; nothing happens if it has ended."""
        with self._changed:
            job = self._find(job_id)
            job.stop_asked = True
            if job.state == "queued":
                self._waiting.remove(job)
                self._end(job, "stopped")

    def has_made(self, path: Path) -> bool:
        """Whether this is the finished video of one of its jobs, or what one of them saw."""
        with self._changed:
            known = any(path == job.output or path in job.seen.values() for job in self._jobs.values())
            return known or path in self._made

    def close(self, timeout_s: float = 30.0) -> None:
        """Stops every job and the worker; waits for the step under way."""
        with self._changed:
            self._closed = True
            for job in list(self._waiting):
                self._end(job, "stopped")
            self._waiting.clear()
            if self._running is not None:
                self._running.stop_asked = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        with self._changed:
            if self._running is not None and self._running.output is None:  # its step takes too long
                _tidy(self._running)

    def _find(self, job_id: str) -> Job:
        job = self._jobs.get(job_id) if isinstance(job_id, str) else None  # a program may send anything
        if job is None:
            raise InputError("This run is not known any more (the program was restarted); run it again.")
        return job

    def _view(self, job: Job) -> JobView:
        ahead = 0
        if job.state == "queued":
            ahead = self._waiting.index(job) + (self._running is not None)
        return job.view(ahead)

    def _end(self, job: Job, state: str, error: str | None = None) -> None:
        job.state, job.error, job.ended_s = state, error, time.monotonic()
        job.preview = None  # only a running job's is looked at
        if state != "done":
            _tidy(job)
        finished = [other for other in self._jobs.values() if other.finished]
        for other in finished[: max(0, len(finished) - self._max_kept)]:
            self._made.update(path for path in (other.output, *other.seen.values()) if path is not None)
            del self._jobs[other.id]

    # The worker's side

    def _work(self) -> None:
        if self._warm_up_settings is not None:
            self._worker.warm_up(self._warm_up_settings)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job = self._running = self._waiting.popleft()
                job.state, job.started_s = "running", time.monotonic()
                self._worker.begin(job)
            state, error = self._worker.run(job)
            with self._changed:
                self._running = None
                self._end(job, state, error)
                took_s = job.took_s()
            where = f": {job.output}" if state == "done" else ""
            logger.info("Run %s %s after %.1f s%s", job.id, state, took_s, where)


def _tidy(job: Job) -> None:
    """What led to no video is of no use to anybody."""
    for path in job.seen.values():
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s could not be removed: %s", path, error)
    job.seen = {}

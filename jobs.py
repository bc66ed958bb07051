"""A run is a job: submit it, follow it, stop it. One worker thread a device takes them in turn.

The work happens here and not in a page's handler, so a closed or reloaded page loses nothing, two windows
take turns, and a stop reaches exactly its own job. Jobs live in memory: they are gone when the program ends,
their videos are not.
"""

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from checks import InputError, counted
from job import Job, JobView
from model import Model
from results import new_output_path, write_result
from steps import Cancelled, Step
from tasks.clip import ClipSettings
from untrusted import heeding
from utils import write_video

logger = logging.getLogger(__name__)

OUT_OF_MEMORY = "This run needs more memory than there is; lower the chunk size, the size or the frames."
SEEN = "seen"  # the folder, beside the results, of what models saw
OWN_FAULT = "The program itself failed in this run ({kind}), not your input; the details are in its log."


class Jobs:
    """The queue of one device: ``submit`` → ``follow`` … → ``stop``, from any thread.

    max_waiting: jobs that may wait; more are refused with one sentence. max_kept: finished jobs remembered,
    the oldest are forgotten first (their videos stay in the output folder). warm_up: settings that the worker
    runs once before the first job and throws away, so that the weights are loaded when somebody presses Run.
    """

    def __init__(self, model: Model, output_folder: str | Path, *, max_waiting: int = 20, max_kept: int = 100,
                 warm_up: Any = None):
        self.model = model
        self.output_folder = Path(output_folder).resolve()
        self._max_waiting = max_waiting
        self._max_kept = max_kept
        self._warm_up_settings = warm_up
        self._jobs: dict[str, Job] = {}  # in order of submission
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._loaded: str | None = None  # the model of the last run
        self._closed = False
        self._changed = threading.Condition()
        self._worker = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._worker.start()

    def submit(self, settings: Any) -> str:
        """Queues one run and returns its id. InputError for settings out of range or a full queue."""
        settings.check()
        job = Job(id=secrets.token_hex(12), settings=settings)
        with self._changed:
            if self._closed:
                raise InputError("The program is shutting down; start it again, then run this.")
            waiting = len(self._waiting)
            if waiting >= self._max_waiting:
                told = counted(waiting, "run")
                raise InputError(f"The queue is full ({told} waiting); try again in a few minutes.")
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
        self._worker.join(timeout_s)
        with self._changed:
            if self._running is not None and self._running.output is None:  # its step takes too long
                _tidy(self._running)

    def _find(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
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
            del self._jobs[other.id]

    # The worker's side

    def _work(self) -> None:
        self._warm_up()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job = self._running = self._waiting.popleft()
                job.state, job.started_s = "running", time.monotonic()
                job.label = "Starting" if job.settings.model == self._loaded else "Loading the model"
            state, error = self._run(job)
            with self._changed:
                self._running = None
                self._end(job, state, error)
            where = f": {job.output}" if state == "done" else ""
            logger.info("Run %s %s after %.1f s%s", job.id, state, job.ended_s - job.started_s, where)

    def _warm_up(self) -> None:
        if self._warm_up_settings is None:
            return
        started_s = time.monotonic()
        try:
            self.model.generate(self.model.resolve(self._warm_up_settings))
        except InputError as error:
            logger.warning("The model could not be loaded beforehand: %s", error)
        except Exception:
            logger.exception("The model could not be loaded beforehand; the first run will say why.")
        else:
            self._loaded = self._warm_up_settings.model
            logger.info("Model ready after %.1f s.", time.monotonic() - started_s)

    def _run(self, job: Job) -> tuple[str, str | None]:
        try:
            with heeding(partial(self._stop_if_asked, job)):  # also while a long clip is decoded
                resolved = self.model.resolve(job.settings)
                with self._changed:
                    job.resolved, self._loaded = resolved, resolved.model
                    if isinstance(resolved, ClipSettings):
                        job.label = "Looking at the clip"
                self._stop_if_asked(job)
                job.output = self._write(job)
            return "done", None
        except Cancelled:
            return "stopped", None
        except InputError as error:
            logger.info("Run %s refused: %s", job.id, error)
            return "failed", str(error)
        except (MemoryError, torch.OutOfMemoryError):
            logger.exception("Run %s ran out of memory.", job.id)
            return "failed", OUT_OF_MEMORY
        except Exception as error:
            logger.exception("Run %s failed.", job.id)
            return "failed", OWN_FAULT.format(kind=type(error).__name__)

    def _on_step(self, job: Job, step: Step) -> None:
        self._stop_if_asked(job)
        preview = self.model.preview(step.latents)
        with self._changed:
            job.took(step, preview)

    def _stop_if_asked(self, job: Job) -> None:
        if job.stop_asked:
            raise Cancelled

    def _write(self, job: Job) -> Path:
        """Frames go from the decoder straight to the file, so that length costs no memory."""
        try:
            self.output_folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            told = f"the output folder {self.output_folder} has become a file"
            raise InputError(f"{told}; move it away, then run this again.") from error
        path = new_output_path(self.output_folder, job.resolved)
        frames = self.model.frames(
            job.resolved, partial(self._on_step, job), partial(self._on_seen, job, path.stem)
        )
        return write_result(path, job.resolved, self._until_stop(job, frames))

    def _on_seen(self, job: Job, stem: str, name: str, frames: np.ndarray) -> None:
        folder = self.output_folder / SEEN
        folder.mkdir(exist_ok=True)
        path = write_video(folder / f"{stem}-{name}.mp4", self._unless_stopped(job, frames), job.resolved.fps)
        with self._changed:
            job.seen[name] = path

    def _unless_stopped(self, job: Job, frames: np.ndarray) -> Iterator[np.ndarray]:
        for frame in frames:
            self._stop_if_asked(job)
            yield frame

    def _until_stop(self, job: Job, frames: Generator[np.ndarray]) -> Iterator[np.ndarray]:
        with closing(frames):  # gives the device back
            for frame in frames:
                with self._changed:
                    job.label = "Decoding the frames"
                yield frame
                self._stop_if_asked(job)


def _tidy(job: Job) -> None:
    """What led to no video is of no use to anybody."""
    for path in job.seen.values():
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s could not be removed: %s", path, error)
    job.seen = {}

"""One run of a job on the engine: its video into the output folder, what it sees beside it.

Steps and what was seen are written into the job under the queue's lock; a stop that is asked for there ends
the run at its next step, frame or piece of a clip.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Condition
from typing import Any

import numpy as np

from t2v.checks import InputError
from t2v.diffusion.progress import Cancelled, Step
from t2v.engine.engine import Engine
from t2v.failures import OutOfMemory, is_out_of_memory
from t2v.jobs.cadence import Cadence
from t2v.jobs.clip_costs import ClipCost, ClipCosts, Size, is_cheap, measured
from t2v.jobs.job import Job
from t2v.jobs.kinds import kind_of
from t2v.jobs.picture import picture_of
from t2v.jobs.stills import draw_stills
from t2v.jobs.time_left import Course, Courses, Work
from t2v.jobs.workshop import FOLDER, SEEN, workshop
from t2v.library.index import Library
from t2v.library.keep import keep
from t2v.library.results import new_output_path, write_result
from t2v.library.space import check_space
from t2v.memory.compiled import told_of_compiling
from t2v.tasks import Resolved
from t2v.tasks.clip import ClipSettings, ResolvedClip
from t2v.video.guarded_ffmpeg import heeding
from t2v.video.write import write_video
from t2v.weights.fetching import Fetching, told_of_fetching

logger = logging.getLogger(__name__)

OUT_OF_MEMORY = "This run needs more memory than there is; lower the chunk size, the size or the frames."
LOADING = "Loading the model"
OWN_FAULT = "The program itself failed in this run ({kind}), not your input; the details are in its log."


class Worker:
    """Runs jobs one after the other; ``changed`` is the lock under which their fields are written.

    plan: hears of a run that is resolved, and where its video will lie, before it is drawn. library: gets the
    finished videos. courses: of earlier runs.
    """

    def __init__(
        self,
        engine: Engine,
        output_folder: Path,
        changed: Condition,
        plan: Callable[[Job, Path], None] = lambda job, path: None,
        library: Library | None = None,
        courses: Courses | None = None,
    ) -> None:
        self._engine = engine
        self._output_folder = output_folder
        self._changed = changed
        self._plan = plan
        self._library = library
        self._courses = Courses() if courses is None else courses
        self._loaded: str | None = None  # the model of the last run

    def begin(self, job: Job) -> None:
        """What a job is called that waits for its model; the lock is held."""
        job.label = "Starting" if job.settings.model == self._loaded else LOADING

    def warm_up(self, settings: Any) -> None:
        """Run the settings and throw the video away: the weights are loaded when somebody presses Run."""
        started_s = time.monotonic()
        try:
            self._engine.generate(settings)
        except InputError as error:
            logger.warning("The model could not be loaded beforehand: %s", error)
        except Exception:
            logger.exception("The model could not be loaded beforehand; the first run will say why.")
        else:
            self._loaded = settings.model
            logger.info("Model ready after %.1f s.", time.monotonic() - started_s)

    def may_time(self, settings: ClipSettings) -> bool:
        """Whether a few frames of such a run cost little."""
        return is_cheap(self._engine, settings)

    def measure_cost(
        self, settings: ClipSettings, size: Size, costs: ClipCosts, go_on: Callable[[], bool]
    ) -> None:
        """Time a few frames, for ``costs``, as long as it may go on."""
        self._loaded = None
        pace = measured(self._engine, settings, go_on)
        if self._engine.has_loaded(settings.model, settings.editor):
            self._loaded = settings.model
        if pace is not None:
            costs.learn(settings, size, pace)
        costs.end(settings, size, once=go_on())

    def learn(self, job: Job, costs: ClipCosts) -> None:
        """What a run that has made its video tells of the next ones; the lock is held."""
        run = job.resolved
        if job.kind is not None and job.ended_s is not None:
            course = Course.of(job.steps, job.ended_s, Work.of(run), job.drawn_from_s)
            self._courses.learn(job.kind, course)
        if not isinstance(run, ResolvedClip) or job.drawn_from_s is None or job.ended_s is None:
            return
        pace = ClipCost.of(run, job.drawn_from_s, [at_s for at_s, _ in job.steps], job.ended_s)
        if pace is not None:
            costs.learn(job.settings, (run.width, run.height), pace)

    def _fetching(self, job: Job, file: Fetching) -> None:
        """What a job is called that waits for files from the hub."""
        _stop_if_asked(job)
        with self._changed:
            job.label = LOADING if file.done == file.total else file.words

    def _compiling(self, job: Job, begins: bool) -> None:
        with self._changed:
            job.compiles(begins)

    def run(self, job: Job) -> tuple[str, str | None]:
        """Run the job; the state in which it ends ("done", "failed", "stopped"), and why it failed."""
        try:
            # also while a long clip is decoded, or weights are fetched
            heeds, fetches = heeding(partial(_stop_if_asked, job)), partial(self._fetching, job)
            with heeds, told_of_fetching(fetches), told_of_compiling(partial(self._compiling, job)):
                if job.tries is not None:
                    draw_stills(self._engine, job, self._changed, _stop_if_asked)
                    self._loaded = job.settings.model
                    return "done", None
                resolved = self._engine.resolve(job.to_draw())
                with self._changed:
                    job.resolved, self._loaded = resolved, job.settings.model
                    job.drawn_from_s = time.monotonic()
                    job.kind = kind_of(job.settings, resolved)
                    job.course = self._courses.like(job.kind)
                    if isinstance(resolved, ResolvedClip):
                        job.label = "Looking at the clip"
                _stop_if_asked(job)
                made, told = self._write(job, resolved), job.as_asked(resolved)
                job.output = keep(self._library, made, told, job.visitor)
            return "done", None
        except Cancelled:
            return "stopped", None
        except Exception as error:
            return "failed", _explain(job, error)

    def _write(self, job: Job, resolved: Resolved[Any]) -> Path:
        """Frames go from the decoder straight to the file, so that length costs no memory."""
        path = new_output_path(self._output_folder, resolved)
        self._plan(job, path)
        with workshop(self._output_folder) as folder:
            check_space(folder, resolved.num_frames, *resolved.size, FOLDER)
            on_seen = partial(self._on_seen, job, folder, path.stem, resolved.fps)
            on_step = partial(self._on_step, job, Cadence(self._engine.preview))
            frames = self._engine.frames(resolved, on_step, on_seen)
            made = write_result(folder / path.name, resolved, self._until_stop(job, frames))
            return made.replace(path)  # with sound and all

    def _on_step(self, job: Job, previews: Cadence, step: Step) -> None:
        _stop_if_asked(job)
        preview = previews.of(step.latents)
        with self._changed:
            job.took(step, preview)

    def _on_seen(self, job: Job, folder: Path, stem: str, fps: float, name: str, frames: np.ndarray) -> None:
        file = f"{stem}-{name}.mp4"
        made = write_video(folder / file, _unless_stopped(job, frames), fps)
        (folder / SEEN / file).mkdir(
            parents=True
        )  # a mark: until the run has ended this is of no finished one
        shown = self._output_folder / SEEN
        shown.mkdir(exist_ok=True)
        path = made.replace(shown / file)
        with self._changed:
            job.seen[name] = path

    def _until_stop(self, job: Job, frames: Generator[np.ndarray]) -> Iterator[np.ndarray]:
        with closing(frames):  # gives the device back
            for number, frame in enumerate(frames):
                with self._changed:
                    job.label = "Decoding the frames"
                    if number == 0:
                        job.picture = picture_of(frame)
                yield frame
                _stop_if_asked(job)


def _explain(job: Job, error: Exception) -> str:
    """The sentence for whoever asked for the run; the log gets the traceback."""
    if is_out_of_memory(error):
        logger.error("Run %s ran out of memory.", job.id, exc_info=error)
        return str(error) if isinstance(error, OutOfMemory) else OUT_OF_MEMORY
    if isinstance(error, InputError):
        logger.info("Run %s refused: %s", job.id, error)
        return str(error)
    logger.error("Run %s failed.", job.id, exc_info=error)
    return OWN_FAULT.format(kind=type(error).__name__)


def _stop_if_asked(job: Job) -> None:
    if job.stop_asked:
        raise Cancelled


def _unless_stopped(job: Job, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    for frame in frames:
        _stop_if_asked(job)
        yield frame

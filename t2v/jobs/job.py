"""One job of the queue: how it stands, as its worker changes it and as others see it."""

import time
from collections import deque
from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from t2v.diffusion.progress import Step
from t2v.jobs.kinds import Kind
from t2v.jobs.sources import prompt_of, source_of, with_prompt, with_source
from t2v.jobs.time_left import Course, Work, after_steps_s
from t2v.tasks.tries import Tries

FINISHED = ("done", "failed", "stopped", "interrupted")
RECENT_STEPS = 6  # the time left is judged by the pace of this many last steps


@dataclass(frozen=True, eq=False)
class JobView:
    """What one job looks like at one moment; a snapshot that never changes.

    state "interrupted": the program ended while it was drawn; it may be asked for again.
    asked_s: for how long it has been known here. kept_clip: its clip, or the picture it begins with, as long
    as that is kept for it; asked_from: where that lay when the run was asked for. kept_picture: a copy of the
    picture that is a prompt.
    ahead: how many runs come before this one (0 unless queued), others_ahead: how many of those are others'.
    resolved: the run with every default and the seed filled in; None until the job has begun.
    fraction: share of the arithmetic done, 0..1; steps on one frame cost less than steps on all.
    preview: uint8 (f, h, w, 3) RGB, small, of at most ``cadence.MOST_FRAMES`` frames, while the job runs and
    of a stopped one as far as it came; preview_number grows with each.
    picture: a small WebP of its first frame, as far as it came.
    seconds_left: None where it cannot be judged yet. step_s: how long the step under way still takes, after
    which a stop takes effect; None where that is not known. compiling: whether its networks are compiled just
    now, of which nobody knows how long it takes.
    seen: small MP4s of what the model saw of a clip, there before the first step: "clip" and the task's name
    of each ControlNet. Gone once the run has ended without a video. outlines: of its subjects, as in Step.
    tries: what is drawn in the place of a video, one picture each; stills: those that are drawn, which stay
    when the run has ended, however it did (``stills.Still``).
    """

    id: str
    state: str  # queued, running, done, failed, stopped, interrupted
    settings: Any
    resolved: Any = None
    visitor: str | None = None
    asked_s: float = 0.0
    kept_clip: Path | None = None
    asked_from: str | None = None
    kept_picture: Path | None = None
    ahead: int = 0
    others_ahead: int = 0
    step_done: int = 0
    step_total: int = 0
    fraction: float = 0.0
    label: str = ""
    stopping: bool = False
    compiling: bool = False
    step_s: float | None = None
    seconds_elapsed: float = 0.0
    seconds_left: float | None = None
    preview: np.ndarray | None = None
    preview_number: int = 0
    picture: bytes | None = None
    seen: Mapping[str, Path] = field(default_factory=dict)
    output: Path | None = None
    error: str | None = None
    outlines: tuple[np.ndarray, ...] = ()
    tries: Tries | None = None
    stills: tuple[Any, ...] = ()

    @property
    def finished(self) -> bool:
        return self.state in FINISHED


@dataclass(eq=False)
class Job:
    """A job as the worker changes it; read and written under the lock of its Jobs.

    visitor: whose it is. source: from where it was asked for, where that is somebody of many. round, number:
    its place in the queue, see ``t2v.jobs.order``. kept_clip: a copy of its clip or picture; asked_from:
    where that lay; kept_picture, asked_picture: the same of a picture that is a prompt. past_s: how long it
    took in an earlier program. context: in which it was asked for, and is drawn: who lends a GPU finds there
    for whom.
    """

    id: str
    settings: Any
    visitor: str | None = None
    source: str | None = None
    state: str = "queued"
    round: int = 0
    number: int = 0
    kept_clip: Path | None = None
    asked_from: str | None = None
    kept_picture: Path | None = None
    asked_picture: str | None = None
    past_s: float | None = None
    known_s: float = field(default_factory=time.monotonic)
    resolved: Any = None
    step_done: int = 0
    step_total: int = 0
    label: str = ""
    stop_asked: bool = False
    started_s: float | None = None
    drawn_from_s: float | None = None  # its weights being in memory
    compiled_from_s: float | None = None  # while its networks are being compiled
    has_compiled: bool = False  # in one of its steps, which tells little of the others' pace
    ended_s: float | None = None
    pace: deque[tuple[float, float]] = field(
        default_factory=lambda: deque(maxlen=RECENT_STEPS)
    )  # (time in s, fraction done)
    steps: list[tuple[float, float]] = field(default_factory=list)  # the same of all
    kind: Kind | None = None  # known once it is resolved
    course: Course | None = None  # of an earlier run like it
    preview: np.ndarray | None = None
    preview_number: int = 0
    picture: bytes | None = None
    seen: dict[str, Path] = field(default_factory=dict)
    output: Path | None = None
    error: str | None = None
    outlines: tuple[np.ndarray, ...] = ()
    tries: Tries | None = None
    stills: tuple[Any, ...] = ()
    context: Context = field(default_factory=Context)

    @property
    def finished(self) -> bool:
        return self.state in FINISHED

    @property
    def slot(self) -> tuple[int, int]:
        """Its place in the queue: lower ones come first."""
        return self.round, self.number

    def to_draw(self) -> Any:
        """Its settings, on the kept clip and pictures."""
        kept = self.settings if self.kept_clip is None else with_source(self.settings, str(self.kept_clip))
        return kept if self.kept_picture is None else with_prompt(kept, str(self.kept_picture))

    def as_asked(self, resolved: Any) -> Any:
        """What became of ``to_draw``, on what was asked for."""
        asked_from, picture = source_of(self.settings), prompt_of(self.settings)
        if self.kept_clip is not None and asked_from is not None:
            resolved = replace(resolved, asked=with_source(resolved.asked, asked_from))
        if self.kept_picture is not None and picture is not None:
            resolved = replace(resolved, asked=with_prompt(resolved.asked, picture))
        return resolved

    def took(self, step: Step, preview: np.ndarray | None) -> None:
        """One step more; preview: uint8 (f, h, w, 3) RGB of what it came to, None: the last one stays."""
        if step.label != self.label and self.pace:  # another kind of step, with a pace of its own
            self.pace = deque([self.pace[-1]], RECENT_STEPS)
        self.step_done, self.step_total, self.label = step.done, step.total, step.label
        self.pace.append((time.monotonic(), step.fraction))
        self.steps.append(self.pace[-1])
        if preview is not None:
            self.preview, self.preview_number = preview, self.preview_number + 1
        self.outlines = step.outlines

    def compiles(self, begins: bool) -> None:
        """Its networks are compiled from now on, or no longer; what that took is not its pace."""
        began_s, now_s = self.compiled_from_s, time.monotonic()
        self.compiled_from_s, self.has_compiled = now_s if begins else None, True
        if begins or began_s is None:
            return
        took_s = now_s - began_s
        self.pace = deque([(at_s + took_s, done) for at_s, done in self.pace], RECENT_STEPS)
        self.steps = [(at_s + took_s, done) for at_s, done in self.steps]
        if self.drawn_from_s is not None:
            self.drawn_from_s += took_s

    def took_s(self) -> float:
        """Seconds since it began, until it ended; 0 for one that has not begun."""
        if self.past_s is not None:
            return self.past_s
        if self.started_s is None:
            return 0.0
        return (time.monotonic() if self.ended_s is None else self.ended_s) - self.started_s

    def seconds_left(self, now_s: float) -> float | None:
        """How long it will still take, decoding, finishing and writing included.

        As a run like it went; else what the pace of the last steps says, and what usually follows upon them.
        None while its model is loaded or its networks are compiled, and until its first step where no run
        like it was drawn before.
        """
        if self.state != "running" or self.compiled_from_s is not None:
            return None
        work = Work.of(self.resolved)
        if self.steps:
            told_s = self._by_pace(work) if self.course is None else self.course.left_s(self.steps, work)
            since_s = self.steps[-1][0]
        elif self.course is None or self.drawn_from_s is None:
            return None
        else:
            told_s, since_s = self.course.before_steps_s(work), self.drawn_from_s
        return None if told_s is None else max(0.0, told_s - (now_s - since_s))

    def _by_pace(self, work: Work) -> float | None:
        """At its last step. The first step may have warmed things up: it counts only while it is alone."""
        first_s, first = self.pace[0]
        last_s, last = self.pace[-1]
        count = len(self.pace) - 1
        if count == 0:
            if self.drawn_from_s is None or self.has_compiled:
                return None
            first_s, first, count = self.drawn_from_s, 0.0, 1
        if last <= first:
            return None
        after_s = 0.0 if self.kind is None else after_steps_s((last_s - first_s) / count, self.kind, work)
        return (1 - last) * (last_s - first_s) / (last - first) + after_s

    def _step_s(self, now_s: float) -> float | None:
        """As long as the last one of its kind took, less what has gone by since."""
        if self.compiled_from_s is not None or self.state != "running":
            return None
        if len(self.pace) < 2 or self.step_done >= self.step_total:
            return None
        (before_s, _), (last_s, _) = self.pace[-2], self.pace[-1]
        return max(0.0, 2 * last_s - before_s - now_s)

    def view(self, ahead: int, others_ahead: int = 0) -> JobView:
        """How it stands now. ahead: how many runs come before it; others_ahead: how many of others."""
        return JobView(
            id=self.id,
            state=self.state,
            settings=self.settings,
            resolved=self.resolved,
            visitor=self.visitor,
            asked_s=time.monotonic() - self.known_s,
            kept_clip=self.kept_clip,
            asked_from=source_of(self.settings) if self.asked_from is None else self.asked_from,
            kept_picture=self.kept_picture,
            ahead=ahead,
            others_ahead=others_ahead,
            step_done=self.step_done,
            step_total=self.step_total,
            fraction=self.pace[-1][1] if self.pace else 0.0,
            label=self.label,
            stopping=self.stop_asked and not self.finished,
            compiling=self.compiled_from_s is not None and self.state == "running",
            step_s=self._step_s(time.monotonic()),
            seconds_elapsed=self.took_s(),
            seconds_left=self.seconds_left(time.monotonic()),
            preview=self.preview,
            preview_number=self.preview_number,
            picture=self.picture,
            seen=dict(self.seen),
            output=self.output,
            error=self.error,
            outlines=self.outlines,
            tries=self.tries,
            stills=self.stills,
        )

"""How long runs from clips take here: measured once for each kind and size, learned from runs, kept.

Before the first run of a kind two steps of a few frames are timed, where that costs little; each run that has
made its video then tells it better.
"""

import json
import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from t2v.checks import InputError
from t2v.diffusion.progress import Cancelled, Step
from t2v.engine.engine import Engine
from t2v.jobs.latest import Latest
from t2v.library.database import Database
from t2v.tasks.clip import ClipSettings
from t2v.weights.source import Source

logger = logging.getLogger(__name__)

FRAMES, STEPS = 4, 2  # that are timed
KEPT = 300  # kinds and sizes

Size = tuple[int, int]


def clip_costs_table(connection: sqlite3.Connection) -> None:
    """A migration of the queue's file."""
    connection.execute(
        "CREATE TABLE paces (kind TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,"
        " step_s REAL NOT NULL, frame_s REAL NOT NULL, steps INTEGER NOT NULL,"
        " PRIMARY KEY (kind, width, height))"
    )


@dataclass(frozen=True)
class ClipCost:
    """step_s: seconds that one step of one frame takes; frame_s: all else of a frame, as looking at it,
    decoding and writing it. steps: of a run that asks for no number of them."""

    step_s: float
    frame_s: float
    steps: int

    @classmethod
    def of(cls, run: Any, begun_s: float, steps_s: Sequence[float], ended_s: float) -> "ClipCost | None":
        """Of a run that was timed. steps_s: when each step was done; None for too few of them.

        The first step may have warmed things up, so that it is not counted among the others.
        """
        frames = run.num_frames
        if len(steps_s) < 2 or not begun_s <= steps_s[0] <= steps_s[-1] <= ended_s:
            return None
        step_s = (steps_s[-1] - steps_s[0]) / ((len(steps_s) - 1) * frames)
        before_s = max(0.0, steps_s[0] - begun_s - step_s * frames)
        return cls(step_s, (before_s + ended_s - steps_s[-1]) / frames, run.num_inference_steps)

    def expected_s(self, num_frames: int, steps: int | None) -> float:
        """Seconds for a run of so many frames."""
        return num_frames * (self.frame_s + self.step_s * (self.steps if steps is None else steps))


class ClipCosts:
    """What is known of one device's pace; safe from several threads. database: of the queue."""

    def __init__(self, database: Database, device: str) -> None:
        self._database, self._device = database, device
        self._lock = threading.Lock()
        self._tried: dict[tuple[str, Size], bool] = {}  # whether it is under way
        self._known: Latest[tuple[str, Size], ClipCost] = Latest(KEPT)
        for row in self._rows():
            cost = ClipCost(row["step_s"], row["frame_s"], row["steps"])
            self._known[row["kind"], (row["width"], row["height"])] = cost

    def is_known(self, settings: ClipSettings, size: Size) -> bool:
        """Whether runs of this kind were timed at this size, width and height in pixels."""
        with self._lock:
            return (self._kind(settings), size) in self._known

    def expected_s(self, settings: ClipSettings, num_frames: int, size: Size) -> float | None:
        """Seconds that a run takes; None where none of its kind was timed. From another size it is judged."""
        kind, pixels = self._kind(settings), math.prod(size)
        with self._lock:
            known = {other: pace for (of, other), pace in self._known.items() if of == kind}
        if not known:
            return None
        nearest = min(known, key=lambda other: abs(math.log(math.prod(other) / pixels)))
        seconds = known[nearest].expected_s(num_frames, settings.num_inference_steps)
        return seconds * pixels / math.prod(nearest)

    def begin(self, settings: ClipSettings, size: Size) -> bool:
        """Whether such runs are to be timed now: not where that was tried before."""
        key = self._kind(settings), size
        with self._lock:
            if key in self._tried:
                return False
            self._tried[key] = True
            return True

    def is_under_way(self, settings: ClipSettings, size: Size) -> bool:
        """Whether such runs are being timed, or wait for it."""
        with self._lock:
            return self._tried.get((self._kind(settings), size), False)

    def end(self, settings: ClipSettings, size: Size, once: bool = True) -> None:
        """They were timed, or could not be. once: it is not to be tried again."""
        with self._lock:
            self._tried[self._kind(settings), size] = False
            if not once:
                del self._tried[self._kind(settings), size]

    def learn(self, settings: ClipSettings, size: Size, pace: ClipCost) -> None:
        """What was timed last holds."""
        key = self._kind(settings), size
        with self._lock:
            self._known[key] = pace
        values = [key[0], *size, pace.step_s, pace.frame_s, pace.steps]
        old = "SELECT rowid FROM paces ORDER BY rowid DESC LIMIT -1 OFFSET ?"
        try:
            with self._database.writing() as change:
                change.execute("INSERT OR REPLACE INTO paces VALUES (?, ?, ?, ?, ?, ?)", values)
                change.execute(f"DELETE FROM paces WHERE rowid IN ({old})", [KEPT])
        except sqlite3.Error as error:
            logger.warning("How long a run takes could not be noted: %s", error)

    def _rows(self) -> list[sqlite3.Row]:
        try:
            with self._database.reading() as asked:
                return asked.execute("SELECT * FROM paces ORDER BY rowid").fetchall()
        except sqlite3.Error as error:
            logger.warning("How long runs take is not known: %s", error)
            return []

    def _kind(self, settings: ClipSettings) -> str:
        """Equal for runs that take as long for each step and frame."""
        ready = bool(getattr(settings, "control_ready", False))
        also = sorted(one.task for one in getattr(settings, "also", ()))
        steadied = bool(settings.steady)
        of_run = (settings.task, settings.model, settings.upscale, ready, also, steadied)
        return json.dumps([self._device, *of_run])


def is_cheap(engine: Engine, settings: ClipSettings) -> bool:
    """Whether a few steps can be timed without fetching weights, or reading gigabytes of them."""
    return Source.parse(settings.model).is_bundled or engine.has_loaded(settings.model, settings.editor)


def measured(engine: Engine, settings: ClipSettings, go_on: Callable[[], bool]) -> ClipCost | None:
    """Time a few frames of a run; None where it cannot be run, or was not to go on.

    The weights it needs are in memory then, as for the run itself.
    """

    def on_step(step: Step) -> None:
        steps_s.append(time.monotonic())
        if not go_on():
            raise Cancelled

    steps_s: list[float] = []
    wanted = FRAMES if settings.num_frames is None else min(FRAMES, int(settings.num_frames))
    try:
        usual = engine.resolve(replace(settings, prompt="a measure", num_frames=wanted, seed=0))
        run = replace(usual, num_inference_steps=min(STEPS, usual.num_inference_steps))
        begun_s = time.monotonic()
        for _ in engine.frames(run, on_step):
            pass
    except (InputError, Cancelled):  # the run will say what is wrong
        return None
    except Exception as error:
        logger.warning("How long a run takes could not be measured: %s", error)
        return None
    return ClipCost.of(usual, begun_s, steps_s, time.monotonic())

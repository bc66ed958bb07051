"""How much longer a run takes that is being drawn, judged by its steps so far and by a run like it.

Its steps are not all alike, and after the last one frames are decoded, finished and written: what a run like
it took for the rest, in proportion to what it had taken until then, tells more than the pace of some steps.
Of a kind that was never drawn, its kin tells what comes after the steps, and else what is usual.
"""

import json
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from t2v.jobs.kinds import Kind
from t2v.jobs.latest import Latest
from t2v.library.database import Database

logger = logging.getLogger(__name__)

KEPT = 60  # kinds
TRUST = 0.1  # of all its steps: for so much of them the earlier run's pace counts beside this one's
# Measured with the bundled models, for kinds that nothing is known of: how many of the last steps it takes to
# decode and write all frames, and how many more to double them. Where the steps draw one picture (ONE): to
# decode that, and how many more for each frame, to write it and to double it.
DECODED, DOUBLED = 2.1, 2.1
DECODED_ONE, WRITTEN_ONE, DOUBLED_ONE = 2.6, 0.05, 1.3
LATELY = 6  # steps: of more only the latter half tells how fast all goes

Steps = Sequence[tuple[float, float]]  # (time in s, share of the arithmetic done) after each


@dataclass(frozen=True)
class Work:
    """What of a run decides how long it takes, beside its kind: its frames, and the pixels of each."""

    num_frames: int = 1
    pixels: int = 1

    @classmethod
    def of(cls, resolved: Any) -> "Work":
        """resolved: None where that is not known yet; then all runs of a kind are taken to be alike."""
        return cls() if resolved is None else cls(resolved.num_frames, resolved.width * resolved.height)


@dataclass(frozen=True)
class Course:
    """How a run went. shares: of the arithmetic, after each step; seconds: when that was; whole_s: when the
    video was there.

    Times count from the first step. before_s: what went before it, the weights being in memory.
    is_one_picture: its steps cost the same however many frames it has. is_doubled: its frames were.
    """

    shares: tuple[float, ...]
    seconds: tuple[float, ...]
    whole_s: float
    work: Work = Work()
    before_s: float = 0.0
    is_one_picture: bool = False
    is_doubled: bool = False

    @classmethod
    def of(
        cls, steps: Steps, ended_s: float, work: Work | None = None, begun_s: float | None = None
    ) -> "Course | None":
        """None for too few steps to tell anything. begun_s: when its weights were in memory."""
        if len(steps) < 2 or steps[-1][0] <= steps[0][0] or steps[0][1] <= 0:
            return None
        first_s = steps[0][0]
        shares = tuple(share for _, share in steps)
        seconds = tuple(at_s - first_s for at_s, _ in steps)
        before_s = 0.0 if begun_s is None else first_s - begun_s
        return cls(shares, seconds, ended_s - first_s, Work() if work is None else work, before_s)

    @property
    def after_s(self) -> float:
        """From its last step to the video."""
        return self.whole_s - self.seconds[-1]

    def after_of_s(self, work: Work) -> float:
        """The same of other work: where the steps draw one picture, that is decoded once for all frames."""
        larger, more = work.pixels / self.work.pixels, work.num_frames / self.work.num_frames
        if self.is_one_picture:
            each = each_frame_steps(self.is_doubled)
            usual, was = (DECODED_ONE + each * one.num_frames for one in (work, self.work))
            more = usual / was
        return larger * more * self.after_s

    @property
    def is_even(self) -> bool:
        """Whether all of its steps hold as much arithmetic."""
        return abs(self.shares[0] * len(self.shares) - 1) < 0.01

    def before_steps_s(self, work: Work) -> float | None:
        """What is left where no step is done yet; None where it is not known how its steps compare."""
        more = work.num_frames / self.work.num_frames
        if more != 1 and not self.is_even:
            return None
        steps_s = (self.before_s + self.seconds[-1]) * (1.0 if self.is_one_picture else more)
        return steps_s * work.pixels / self.work.pixels + self.after_of_s(work)

    def left_s(self, steps: Steps, work: Work | None = None) -> float:
        """What is left at the last of a run's steps; there is one at least.

        Its steps take as long as its arithmetic says: with the frames where all steps hold them all, and else
        by the share of the first step; what follows as long as it has frames and pixels. How
        fast all goes is judged by the latter half of the steps, at first by a few of them: so the earlier
        run's own pace counts a little beside them.
        """
        work = self.work if work is None else work
        first, (last_s, share) = steps[0][1], steps[-1]
        larger, more = work.pixels / self.work.pixels, work.num_frames / self.work.num_frames
        drawing = larger * self.shares[0] / first * (more if self.is_even and not self.is_one_picture else 1)
        before_s = drawing * float(np.interp(share, self.shares, self.seconds))
        drawn_s = drawing * self.seconds[-1]
        after_s = self.after_of_s(work)
        usual_s = TRUST * drawn_s
        half_s, half = steps[len(steps) // 2 if len(steps) > LATELY else 0]  # the machine may have other work
        half_before_s = drawing * float(np.interp(half, self.shares, self.seconds))
        pace = (last_s - half_s + usual_s) / (before_s - half_before_s + usual_s)
        return (drawn_s - before_s + after_s) * pace


def after_steps_s(step_s: float, kind: Kind, work: Work) -> float:
    """What usually follows upon the last step, where no run of the kind or its kin was ever drawn.

    step_s: what one of its last steps takes.
    """
    if kind.is_one_picture:
        return step_s * (DECODED_ONE + each_frame_steps(kind.upscale == 2) * work.num_frames)
    return step_s * (DECODED + (DOUBLED if kind.upscale == 2 else 0.0))


def each_frame_steps(is_doubled: bool) -> float:
    """How many steps each frame of one picture takes after the last of them."""
    return WRITTEN_ONE + (DOUBLED_ONE if is_doubled else 0.0)


class Courses:
    """Of the last run of each kind, kept in a database where there is one; the queue's lock is held."""

    def __init__(self, database: Database | None = None, device: str = "") -> None:
        self._database, self._device = database, device
        self._kept: Latest[Kind, Course] = Latest(KEPT)
        self._kept.update(self._stored())

    def like(self, kind: Kind) -> Course | None:
        """Of a run of this kind, or a first guess from one that differs in whether its frames are doubled."""
        if kind in self._kept:
            return self._kept[kind]
        kin = next((one for one in reversed(self._kept) if replace(one, upscale=kind.upscale) == kind), None)
        if kin is None:
            return None
        course = self._kept[kin]
        doubling_s = self._doubling_s()  # a frame and pixel
        if doubling_s is None:
            usual = (after_steps_s(1.0, one, course.work) for one in (kind, kin))
            after_s = course.after_s * next(usual) / next(usual)
        else:
            more_s = doubling_s * course.work.num_frames * course.work.pixels
            after_s = course.after_s + (more_s if kind.upscale == 2 else -more_s)
        whole_s = course.seconds[-1] + max(0.0, after_s)
        return replace(course, whole_s=whole_s, is_doubled=kind.upscale == 2)

    def learn(self, kind: Kind, course: Course | None) -> None:
        """A run has made its video. course: None tells nothing."""
        if course is None:
            return
        course = replace(course, is_one_picture=kind.is_one_picture, is_doubled=kind.upscale == 2)
        self._kept[kind] = course
        self._store(kind, course)

    def _doubling_s(self) -> float | None:
        """What doubling took for a frame and pixel, by two runs alike in all else: all share one finisher."""
        for kind in reversed(self._kept):
            plain = self._kept.get(replace(kind, upscale=1))
            if kind.upscale == 2 and plain is not None:
                costs = [
                    one.after_s / (one.work.num_frames * one.work.pixels) for one in (self._kept[kind], plain)
                ]
                return max(0.0, costs[0] - costs[1])
        return None

    def _stored(self) -> dict[Kind, Course]:
        if self._database is None:
            return {}
        try:
            with self._database.reading() as asked:
                rows = asked.execute("SELECT * FROM courses WHERE device = ? ORDER BY rowid", [self._device])
                return dict(_read(row) for row in rows.fetchall())
        except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
            logger.warning("How long earlier runs took is not known: %s", error)
            return {}

    def _store(self, kind: Kind, course: Course) -> None:
        if self._database is None:
            return
        values = [self._device, json.dumps(asdict(kind)), json.dumps(asdict(course))]
        old = "SELECT rowid FROM courses ORDER BY rowid DESC LIMIT -1 OFFSET ?"
        try:
            with self._database.writing() as change:
                change.execute("INSERT OR REPLACE INTO courses VALUES (?, ?, ?)", values)
                change.execute(f"DELETE FROM courses WHERE rowid IN ({old})", [KEPT])
        except sqlite3.Error as error:
            logger.warning("How long a run took could not be noted: %s", error)


def courses_table(connection: sqlite3.Connection) -> None:
    """A migration of the queue's file."""
    connection.execute(
        "CREATE TABLE courses (device TEXT NOT NULL, kind TEXT NOT NULL, course TEXT NOT NULL,"
        " PRIMARY KEY (device, kind))"
    )


def _read(row: Mapping[str, Any]) -> tuple[Kind, Course]:
    kind, course = json.loads(row["kind"]), json.loads(row["course"])
    kind["controls"] = tuple(kind["controls"])
    course["is_doubled"] = kind["upscale"] == 2
    for name in ("shares", "seconds"):
        course[name] = tuple(course[name])
    return Kind(**kind), Course(**{**course, "work": Work(**course["work"])})

"""How a run went, for the time left of the next one of its kind.

Its steps are not all alike, and after the last one frames are decoded, finished and written: what a run like
it took for the rest, in proportion to what it had taken until then, tells more than the pace of some steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

KEPT = 20  # kinds
TRUST = 0.1  # of all its steps: for so much of them the earlier run's pace counts beside this one's


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
class Profile:
    """shares: of the arithmetic, after each step; seconds: when that was; whole_s: when the video was there.

    Times count from the first step.
    """

    shares: tuple[float, ...]
    seconds: tuple[float, ...]
    whole_s: float
    work: Work = Work()

    @classmethod
    def of(
        cls, steps: Sequence[tuple[float, float]], ended_s: float, work: Work | None = None
    ) -> "Profile | None":
        """steps: (time in s, share) of each; None for too few of them to tell anything."""
        if len(steps) < 2 or steps[-1][0] <= steps[0][0] or steps[0][1] <= 0:
            return None
        begun_s = steps[0][0]
        shares = tuple(share for _, share in steps)
        seconds = tuple(at_s - begun_s for at_s, _ in steps)
        return cls(shares, seconds, ended_s - begun_s, Work() if work is None else work)

    def left_s(self, steps: Sequence[tuple[float, float]], work: Work | None = None) -> float:
        """What is left at the last of a run's steps, (time in s, share) each; there is one at least.

        Its steps take as long as its arithmetic says, whose share the first step tells, and its frames as
        long to be decoded and written as they have pixels. How fast all goes is judged by the steps so far,
        at first by a few of them: so the earlier run's own pace counts a little beside them.
        """
        work = self.work if work is None else work
        (begun_s, first), (last_s, share) = steps[0], steps[-1]
        larger = work.pixels / self.work.pixels
        drawing = larger * self.shares[0] / first
        before_s = drawing * float(np.interp(share, self.shares, self.seconds))
        drawn_s = drawing * self.seconds[-1]
        after_s = larger * work.num_frames / self.work.num_frames * (self.whole_s - self.seconds[-1])
        usual_s = TRUST * drawn_s
        pace = (last_s - begun_s + usual_s) / (before_s + usual_s)
        return (drawn_s - before_s + after_s) * pace


class Profiles:
    """Of the last run of each kind."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], Profile] = {}

    def like(self, settings: Any) -> Profile | None:
        """Of a run like the one asked for."""
        return self._kept.get(kind_of(settings))

    def learn(
        self, settings: Any, steps: Sequence[tuple[float, float]], ended_s: float, work: Work | None = None
    ) -> None:
        """A run has made its video. The rest as for ``Profile.of``."""
        profile, kind = Profile.of(steps, ended_s, work), kind_of(settings)
        if profile is not None:
            self._kept.pop(kind, None)  # the latest stands last
            self._kept[kind] = profile
        for old in list(self._kept)[:-KEPT]:
            del self._kept[old]


def kind_of(settings: Any) -> tuple[Any, ...]:
    """Equal for runs that go alike."""
    method, move = getattr(settings, "method", None), getattr(settings, "move", None)
    return settings.task, settings.model, settings.upscale, method, move

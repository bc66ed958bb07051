"""How a run went, for the time left of the next one of its kind.

Its steps are not all alike, and after the last one frames are decoded, finished and written: what a run like
it took for the rest, in proportion to what it had taken until then, tells more than the pace of some steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

KEPT = 20  # kinds


@dataclass(frozen=True)
class Profile:
    """shares: of the arithmetic, after each step; seconds: when that was; whole_s: when the video was there.

    Times count from the first step.
    """

    shares: tuple[float, ...]
    seconds: tuple[float, ...]
    whole_s: float

    @classmethod
    def of(cls, steps: Sequence[tuple[float, float]], ended_s: float) -> "Profile | None":
        """steps: (time in s, share) of each; None for too few of them to tell anything."""
        if len(steps) < 2 or steps[-1][0] <= steps[0][0]:
            return None
        begun_s = steps[0][0]
        shares = tuple(share for _, share in steps)
        return cls(shares, tuple(at_s - begun_s for at_s, _ in steps), ended_s - begun_s)

    def left_s(self, share: float, taken_s: float) -> float | None:
        """What is left for a run that took so long for this share; None at its start, as nothing is known."""
        before_s = float(np.interp(share, self.shares, self.seconds))
        return None if before_s <= 0 else taken_s * (self.whole_s - before_s) / before_s


class Profiles:
    """Of the last run of each kind."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], Profile] = {}

    def like(self, settings: Any) -> Profile | None:
        """Of a run like the one asked for."""
        return self._kept.get(kind_of(settings))

    def learn(self, settings: Any, steps: Sequence[tuple[float, float]], ended_s: float) -> None:
        """A run has made its video. steps: as for ``Profile.of``."""
        profile, kind = Profile.of(steps, ended_s), kind_of(settings)
        if profile is not None:
            self._kept.pop(kind, None)  # the latest stands last
            self._kept[kind] = profile
        for old in list(self._kept)[:-KEPT]:
            del self._kept[old]


def kind_of(settings: Any) -> tuple[Any, ...]:
    """Equal for runs that go alike."""
    return settings.task, settings.model, settings.upscale, getattr(settings, "method", None)

"""Videos that follow a clip's edges."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks import InputError
from tasks import controlled
from tasks.controlled import ControlledSettings
from tasks.fields import Limits

LIMITS: Limits = {**controlled.LIMITS, "low_threshold": (0, 1000), "high_threshold": (1, 1000)}


@dataclass(frozen=True)
class CannySettings(ControlledSettings):
    """Edges by Canny: they begin where brightness changes by high_threshold, and go on to the low one."""

    task: ClassVar[str] = "canny"
    limits: ClassVar[Limits] = LIMITS
    hub_id: ClassVar[str] = "lllyasviel/control_v11p_sd15_canny"
    shows: ClassVar[str] = "edges"

    low_threshold: float = 100.0
    high_threshold: float = 200.0

    def check(self) -> None:
        """InputError, one sentence, for anything that cannot be run."""
        super().check()
        if self.low_threshold > self.high_threshold:
            raise InputError(
                f"low_threshold is {self.low_threshold:g} and high_threshold {self.high_threshold:g}; "
                "the low one must not be the larger."
            )

    def detect(self, frames: np.ndarray, device: str) -> np.ndarray:
        """White edges on black."""
        from detectors import canny

        return canny(frames, self.low_threshold, self.high_threshold)

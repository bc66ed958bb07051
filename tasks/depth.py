"""Videos that follow a clip's depth."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tasks.controlled import ControlledSettings


@dataclass(frozen=True)
class DepthSettings(ControlledSettings):
    """How near everything is, on one scale for the whole clip."""

    task: ClassVar[str] = "depth"
    hub_id: ClassVar[str] = "lllyasviel/control_v11f1p_sd15_depth"
    shows: ClassVar[str] = "depth"

    def detect(self, frames: np.ndarray, device: str) -> np.ndarray:
        """Near things bright, far ones dark."""
        from detectors import DepthDetector

        return DepthDetector(device=device)(frames)

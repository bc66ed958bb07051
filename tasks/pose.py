"""Videos that follow the people in a clip."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tasks.controlled import ControlledSettings


@dataclass(frozen=True)
class PoseSettings(ControlledSettings):
    """OpenPose skeletons of everybody in the clip; a clip that already is skeletons is recognised."""

    task: ClassVar[str] = "pose"
    hub_id: ClassVar[str] = "lllyasviel/control_v11p_sd15_openpose"

    def detect(self, frames: np.ndarray, device: str) -> np.ndarray:
        """Coloured limbs on black."""
        from detectors import PoseDetector, looks_like_skeleton

        return frames if looks_like_skeleton(frames) else PoseDetector(device=device)(frames)

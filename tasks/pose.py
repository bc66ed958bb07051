"""Videos that follow the people in a clip."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tasks.controlled import ControlledSettings

FIRST_FRAMES = 8  # of a clip, by which skeletons are recognised


@dataclass(frozen=True)
class PoseSettings(ControlledSettings):
    """OpenPose skeletons of everybody in the clip; a clip that already is skeletons is recognised."""

    task: ClassVar[str] = "pose"
    hub_id: ClassVar[str] = "lllyasviel/control_v11p_sd15_openpose"
    shows: ClassVar[str] = "skeletons"

    def suited(self, own_px: float, defaults: dict[str, float]) -> "PoseSettings":
        """As for every clip; one whose first frames are skeletons becomes ``control_ready``.

        Not so beside further ControlNets, which need a plain clip.
        """
        from detectors import looks_like_skeleton

        settings = super().suited(own_px, defaults)
        if settings.control_ready or settings.also:
            return settings
        first = replace(settings, num_frames=min(FIRST_FRAMES, settings.num_frames)).read(lines=True)
        return replace(settings, control_ready=looks_like_skeleton(first.frames))

    def detect(self, frames: np.ndarray, device: str) -> np.ndarray:
        """Coloured limbs on black."""
        from detectors import PoseDetector, looks_like_skeleton

        return frames if looks_like_skeleton(frames) else PoseDetector(device=device)(frames)

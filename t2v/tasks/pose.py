"""Videos that follow the people in a clip."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from t2v.tasks.clip import FIRST_FRAMES, Taken
from t2v.tasks.controlled import ControlledSettings
from t2v.tasks.words import ControlWords, TabWords
from t2v.weights.family import STABLE_DIFFUSION, STABLE_DIFFUSION_XL


@dataclass(frozen=True)
class PoseSettings(ControlledSettings):
    """OpenPose skeletons of everybody in the clip; a clip that already is skeletons is recognised."""

    task: ClassVar[str] = "pose"
    tab: ClassVar[TabWords] = TabWords(
        20, "Pose", "Who should move like that, and where?", "a white panda is dancing on the beach"
    )
    words: ClassVar[ControlWords] = ControlWords(
        shows="skeletons",
        pictures="Skeletons",
        nothing_yet="Its skeletons appear here",
        looking="Looking for people",
        also="Also follow skeletons",
        ready="My clip already shows skeletons, as OpenPose draws them",
        nothing_found="Nobody was found in these frames, so there is no movement to follow; take another "
        "part of the clip, or another clip.",
    )
    hub_ids: ClassVar[Mapping[str, str]] = {
        STABLE_DIFFUSION.key: "lllyasviel/control_v11p_sd15_openpose",
        STABLE_DIFFUSION_XL.key: "xinsir/controlnet-openpose-sdxl-1.0",
    }
    union_kind: ClassVar[int | None] = 0
    detects_slowly: ClassVar[bool] = True
    called: ClassVar[tuple[str, ...]] = ("openpose", "dwpose", "keypose", "pose")

    def looks_ready(self, taken: Taken) -> bool:
        """Whether the first frames are skeletons."""
        from t2v.detectors import looks_like_skeleton

        first = replace(taken, num_frames=min(FIRST_FRAMES, taken.num_frames), is_ready=True)
        return looks_like_skeleton(self.read(first).frames)

    def is_bare(self, taken: Taken) -> bool:
        """Skeletons are."""
        return taken.is_ready

    def detect(self, frames: np.ndarray, device: str) -> np.ndarray:
        """Coloured limbs on black."""
        from t2v.detectors import PoseDetector, looks_like_skeleton

        return frames if looks_like_skeleton(frames) else PoseDetector(device=device)(frames)

"""Videos that follow a clip's depth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from t2v.tasks.controlled import ControlledSettings
from t2v.tasks.words import ControlWords, TabWords
from t2v.weights.family import STABLE_DIFFUSION, STABLE_DIFFUSION_XL


@dataclass(frozen=True)
class DepthSettings(ControlledSettings):
    """How near everything is, on one scale for the whole clip."""

    task: ClassVar[str] = "depth"
    tab: ClassVar[TabWords] = TabWords(
        40, "Depth", "What should the video show?", "a green car in the desert"
    )
    words: ClassVar[ControlWords] = ControlWords(
        shows="depth",
        pictures="Depth",
        nothing_yet="Its depth appears here",
        looking="Judging the depth",
        also="Also follow depth",
        ready="My clip already shows depth, near things bright",
    )
    hub_ids: ClassVar[Mapping[str, str]] = {
        STABLE_DIFFUSION.key: "lllyasviel/control_v11f1p_sd15_depth",
        STABLE_DIFFUSION_XL.key: "diffusers/controlnet-depth-sdxl-1.0",
    }
    union_kind: ClassVar[int | None] = 1
    detects_slowly: ClassVar[bool] = True
    called: ClassVar[tuple[str, ...]] = ("depth", "midas", "zoe", "zoedepth")

    def detect(self, frames: np.ndarray, device: str) -> np.ndarray:
        """Near things bright, far ones dark."""
        from t2v.detectors import DepthDetector

        return DepthDetector(device=device)(frames)

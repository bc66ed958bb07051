"""Videos that follow a clip's edges."""

import itertools
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from t2v.checks import InputError
from t2v.tasks import controlled
from t2v.tasks.clip import FIRST_FRAMES, Taken
from t2v.tasks.controlled import ControlledSettings
from t2v.tasks.settings import Limits
from t2v.tasks.words import ControlWords, OwnNumber, TabWords
from t2v.weights.family import STABLE_DIFFUSION, STABLE_DIFFUSION_XL

LIMITS: Limits = {**controlled.LIMITS, "low_threshold": (0, 1000), "high_threshold": (1, 1000)}


@dataclass(frozen=True)
class CannySettings(ControlledSettings):
    """Edges by Canny: they begin where brightness changes by high_threshold, and go on to the low one.

    A clip that already is such edges is recognised.
    """

    task: ClassVar[str] = "canny"
    tab: ClassVar[TabWords] = TabWords(
        30, "Edges", "What should the video show?", "a yellow car on the street at night"
    )
    words: ClassVar[ControlWords] = ControlWords(
        shows="edges",
        pictures="Edges",
        nothing_yet="Its edges appear here",
        looking="Looking for edges",
        also="Also follow edges",
        ready="My clip already shows edges, white on black",
        nothing_found="No edges were found in these frames; with a lower High threshold there are more.",
    )
    limits: ClassVar[Limits] = LIMITS
    own: ClassVar[Mapping[str, OwnNumber]] = {
        "low_threshold": OwnNumber(
            label="Low threshold",
            hint="Lower: edges go on further.",
            option="--low-threshold",
            help="edges go on where brightness changes by so much",
            caption="thresholds {}",
        ),
        "high_threshold": OwnNumber(
            label="High threshold",
            hint="Lower: more edges.",
            option="--high-threshold",
            help="edges begin where brightness changes by so much",
            caption="and {}",
        ),
    }
    hub_ids: ClassVar[Mapping[str, str]] = {
        STABLE_DIFFUSION.key: "lllyasviel/control_v11p_sd15_canny",
        STABLE_DIFFUSION_XL.key: "diffusers/controlnet-canny-sdxl-1.0",
    }
    union_kind: ClassVar[int | None] = 3
    called: ClassVar[tuple[str, ...]] = ("canny", "edge")
    checkpoints: ClassVar[Mapping[str, str]] = STABLE_DIFFUSION.dreambooth

    _: KW_ONLY
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

    def looks_ready(self, taken: Taken) -> bool:
        """Whether the first frames are edges, at the clip's own size, as smaller ones are no longer sharp."""
        from t2v.detectors import looks_like_edges

        return looks_like_edges(itertools.islice(self.open(), FIRST_FRAMES))

    def detect(self, frames: np.ndarray, device: str) -> np.ndarray:
        """White edges on black."""
        from t2v.detectors import canny

        return canny(frames, self.low_threshold, self.high_threshold)

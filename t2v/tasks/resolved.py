"""A run with nothing left open, and what it is drawn with."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Generic

import numpy as np

from t2v.tasks.settings import S
from t2v.tasks.suits import Network

if TYPE_CHECKING:
    import torch

    from t2v.diffusion.canvas import Drawn
    from t2v.diffusion.controls import ControlNet
    from t2v.diffusion.progress import Step
    from t2v.diffusion.video_pipeline import VideoPipeline

See = Callable[[str, np.ndarray], None]  # told of a thing that the model sees: its name, uint8 (f, h, w, 3)


@dataclass(frozen=True, eq=False)
class Means:
    """What a run is drawn with. networks: its ControlNets, as it lists them. generator: seeded with its seed.

    on_step: hears of every step. see: called before the first with each thing that the model sees of a clip:
    "clip" and the fitted frames, the task's name and the pictures of each ControlNet.
    """

    pipeline: "VideoPipeline"
    networks: "Sequence[ControlNet]"
    generator: "torch.Generator"
    on_step: "Callable[[Step], None] | None" = None
    see: See = lambda name, frames: None


@dataclass(frozen=True)
class Resolved(ABC, Generic[S]):
    """A run with nothing left open: what was asked for, and the value of every field that may be None."""

    asked: S
    seed: int
    num_frames: int
    width: int
    height: int
    upscale: int
    fps: float
    num_inference_steps: int
    guidance_scale: float
    scheduler: str | None
    spacing: str | None
    ip_adapter: str | None
    dtype: str

    def filled(self) -> S:
        """The settings that ask for this very run: what a result carries. ``check`` passes."""
        known = {field.name for field in fields(self.asked)}
        chosen = {one.name: getattr(self, one.name) for one in fields(self) if one.name in known}
        return replace(self.asked, **chosen, chunk_size=int(self.asked.chunk_size))

    @property
    def networks(self) -> tuple[Network, ...]:
        """The ControlNets it wants."""
        return ()

    def call(self, means: Means) -> dict[str, Any]:
        """What every way of the pipeline is told of a run, beside the prompt and what is that way's own."""
        return {
            "negative_prompt": self.asked.negative_prompt,
            "num_inference_steps": self.num_inference_steps,
            "guidance_scale": self.guidance_scale,
            "scheduler": self.scheduler,
            "spacing": self.spacing,
            "chunk_size": int(self.asked.chunk_size),
            "cross_frame": self.asked.cross_frame_attention,
            "shortcuts": self.asked.shortcuts,
            "generator": means.generator,
            "on_step": means.on_step,
        }

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the finished frames in pixels."""
        return self.upscale * self.width, self.upscale * self.height

    @abstractmethod
    def draw(self, means: Means) -> "torch.Tensor | Drawn":
        """Latents of the video (1 f c h w), or what its frames are yet to be made of."""

    def still(self, means: Means) -> "torch.Tensor | Drawn":
        """What the video's first frame is made of, as cheaply as a task can draw it: of what comes of this,
        the first frame is the video's. Where the task knows no shorter way, the whole video."""
        return self.draw(means)

    def finished(self, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """What becomes of the decoded frames, one at a time: uint8 RGB (h, w, 3), as they are unless a task
        does more."""
        return frames

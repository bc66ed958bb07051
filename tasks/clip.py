"""What all tasks that follow a clip share: which of its frames are taken, at which size, and the run."""

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from checks import InputError, check_choice, check_flag, check_text
from choices import SCHEDULERS
from tasks import text_to_video
from tasks.fields import Limits, See, check_numbers, check_texts, check_work, fill
from utils import MAX_FPS, MIN_FPS, Video, clip_frames, fit_control, fit_video
from video_in import MAX_FRAMES, Clip

if TYPE_CHECKING:  # nothing heavy: settings are checked before anything is loaded
    import torch
    from diffusers import ControlNetModel

    from text_to_video_pipeline import Step, TextToVideoPipeline

MAX_TIME_S = 86_400.0

LIMITS: Limits = {
    **{
        name: text_to_video.LIMITS[name]
        for name in ("seed", "width", "height", "num_inference_steps", "guidance_scale", "chunk_size")
    },
    "num_frames": (1, MAX_FRAMES),
    "fps": (MIN_FPS, MAX_FPS),
    "start_s": (0, MAX_TIME_S),
    "end_s": (0, MAX_TIME_S),
}


@dataclass(frozen=True)
class ClipSettings(ABC):
    """Everything that decides a video made from a clip. None means: what suits the model (seed: drawn).

    clip: path of the video to follow. prompt: used as typed. start_s, end_s: the part of the clip that is
    taken; end_s None: to its end. fps: frames per second of the result, for which the clip is resampled;
    None: the clip's own. num_frames: at most so many; None: all. width, height: output pixels, multiples of
    8; None: in the clip's shape. The rest as in TextToVideoSettings.

    Of a task: ``limits`` of its numbers, ``suits``: what suits Stable Diffusion where fields are None,
    ``asks``: what its prompt tells.
    """

    task: ClassVar[str]
    limits: ClassVar[Limits] = LIMITS
    suits: ClassVar[dict[str, float]] = {}
    editor: ClassVar[bool] = False  # whether it needs an InstructPix2Pix UNet
    asks: ClassVar[str] = text_to_video.TextToVideoSettings.asks

    clip: str
    prompt: str
    negative_prompt: str = ""
    model: str = "miniature"
    seed: int | None = None
    start_s: float = 0.0
    end_s: float | None = None
    fps: float | None = None
    num_frames: int | None = None
    width: int | None = None
    height: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    chunk_size: int = 8
    scheduler: str = "ddim"
    cross_frame_attention: bool = True

    def check(self) -> None:
        """InputError, one sentence, for anything that cannot be run; cheap, no weights needed."""
        if not check_text("clip", self.clip, 4000).strip():
            raise InputError("clip is empty; give the path of a video.")
        if os.path.isdir(self.clip):
            raise InputError(f"clip is '{self.clip[:200]}', which is a folder; give the path of a video.")
        if not os.path.isfile(self.clip):
            told = f"clip is '{self.clip[:200]}', and there is no such file"
            raise InputError(f"{told}; put the video there, or give its path.")
        check_texts(self, self.asks)
        check_numbers(self, self.limits)
        if self.end_s is not None and self.end_s <= self.start_s:
            raise InputError(f"end_s is {self.end_s:g}; give a time after start_s ({self.start_s:g}).")
        check_choice("scheduler", self.scheduler, SCHEDULERS)
        check_flag("cross_frame_attention", self.cross_frame_attention)
        check_work(self)

    def filled(self, defaults: dict[str, float]) -> "ClipSettings":
        """A copy in which fields left None take their defaults (field -> value), where there are some."""
        return fill(self, defaults)

    def suited(self, own_px: float, defaults: dict[str, float]) -> "ClipSettings":
        """A copy filled in from the clip, which is read for it, and then from ``defaults``.

        own_px: the side of the square pictures that the model draws best; the video gets as many pixels, in
        the clip's shape. InputError where the clip cannot be read.
        """
        clip = self.open()
        width, height = fitted_size((clip.width, clip.height), (self.width, self.height), own_px)
        fps = min(max(clip.fps, MIN_FPS), MAX_FPS)
        own = {"width": width, "height": height, "fps": fps, "num_frames": clip.count()}
        return replace(self, **own).filled(defaults)

    def read(self, lines: bool = False) -> Video:
        """The wanted frames of the clip at the video's size; every field must be filled in.

        lines: whether they are edges, skeletons or the like, which are scaled without ringing.
        """
        fit = fit_control if lines else fit_video
        return fit(self.open(), width=self.width, height=self.height)

    def open(self) -> Clip:
        """The wanted frames of the clip at its own size, to loop over; InputError if it cannot be read."""
        return clip_frames(
            self.clip, start_s=self.start_s, end_s=self.end_s, fps=self.fps, max_frames=self.num_frames
        )

    def keeps_sound(self) -> bool:
        """Whether the video, every field filled in, is the whole clip at its own rate: then its sound fits.

        InputError where the clip cannot be read.
        """
        if self.start_s > 0:
            return False
        whole = clip_frames(self.clip, max_frames=min(self.num_frames + 1, MAX_FRAMES))
        return abs(whole.fps - self.fps) < 0.001 and whole.count() == self.num_frames

    def with_networks(self, choose: Callable[[str, str], str]) -> "ClipSettings":
        """A copy in which ControlNets left None are chosen by (task, hub id for Stable Diffusion)."""
        return self

    def networks(self) -> tuple[tuple[str, str], ...]:
        """The ControlNets wanted, as (task, source): none unless the task says so."""
        return ()

    @abstractmethod
    def conditions(
        self, pipeline: "TextToVideoPipeline", networks: "Sequence[ControlNetModel]", see: See
    ) -> dict:
        """What ``TextToVideoPipeline.guided`` gets from this task beside what all tasks give it.

        see: called with each thing that the model is to see.
        """

    def draw(
        self,
        pipeline: "TextToVideoPipeline",
        networks: "Sequence[ControlNetModel]",
        generator: "torch.Generator",
        on_step: "Callable[[Step], None] | None",
        on_seen: See | None = None,
    ) -> "torch.Tensor":
        """Latents of the video (1 f c h w); every field must be filled; networks: as ``networks()`` lists.

        on_seen: called before the first step with "clip" and the fitted frames, and with the task's name and
        the pictures of each ControlNet.
        """
        return pipeline.guided(
            self.prompt,
            negative_prompt=self.negative_prompt,
            num_inference_steps=self.num_inference_steps,
            guidance_scale=self.guidance_scale,
            scheduler=self.scheduler,
            chunk_size=self.chunk_size,
            cross_frame=self.cross_frame_attention,
            generator=generator,
            on_step=on_step,
            **self.conditions(pipeline, networks, _unseen if on_seen is None else on_seen),
        )


def _unseen(name: str, frames: np.ndarray) -> None:
    """Nobody looks at what the model sees."""


def fitted_size(
    clip: tuple[int, int], wanted: tuple[int | None, int | None], own_px: float
) -> tuple[int, int]:
    """(width, height) of the video, multiples of 8: what is wanted, the rest in the clip's shape.

    Where nothing is wanted, it has about own_px * own_px pixels.
    """
    width, height = wanted
    if width is None and height is None:
        scale = own_px / math.sqrt(clip[0] * clip[1])
        sides = (clip[0] * scale, clip[1] * scale)
    elif width is None:
        sides = (height * clip[0] / clip[1], height)
    else:
        sides = (width, width * clip[1] / clip[0] if height is None else height)
    low, high = LIMITS["width"]
    return tuple(math.floor(min(max(side, low), high) / 8 + 0.5) * 8 for side in sides)

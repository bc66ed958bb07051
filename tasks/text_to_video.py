"""Text to video: the paper's own task (Sect. 3.3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from checks import check_choice, check_flag
from choices import MAX_MOTION_PX, SCHEDULERS, WARPS, Motion
from tasks.fields import Limits, See, check_numbers, check_texts, check_work, fill

if TYPE_CHECKING:  # nothing heavy: settings are checked before anything is loaded
    import torch
    from diffusers import ControlNetModel

    from text_to_video_pipeline import Step, TextToVideoPipeline

# sliders, the command line and ``check`` all read these
LIMITS: Limits = {
    "seed": (0, 2**32 - 1),
    "num_frames": (1, 1000),
    "width": (64, 2048),
    "height": (64, 2048),
    "fps": (0.25, 60),
    "num_inference_steps": (1, 200),
    "guidance_scale": (0, 30),
    "motion_x": (-MAX_MOTION_PX, MAX_MOTION_PX),
    "motion_y": (-MAX_MOTION_PX, MAX_MOTION_PX),
    "t0": (0, 999),
    "t1": (0, 999),
    "chunk_size": (0, 1000),
}


@dataclass(frozen=True)
class TextToVideoSettings:
    """Everything that decides a video. None means: what suits the model (seed: drawn at random).

    width, height: output pixels, multiples of 8. fps: frames per second of the file. guidance_scale: 1 or
    less turns guidance off. motion_x, motion_y: output pixels per frame, to the right and downwards.
    t0, t1: the paper's T' and T (0..999). chunk_size: frames through the network at once, 0 for all; never
    changes the picture. cross_frame_attention, motion_field: the paper's ablation switches.
    """

    task: ClassVar[str] = "text-to-video"
    limits: ClassVar[Limits] = LIMITS
    editor: ClassVar[bool] = False  # whether it needs an InstructPix2Pix UNet
    asks: ClassVar[str] = "what the video should show"  # of its prompt

    prompt: str
    negative_prompt: str = ""
    model: str = "miniature"
    seed: int | None = None
    num_frames: int = 8
    width: int | None = None
    height: int | None = None
    fps: float = 4.0
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    motion_x: float | None = None
    motion_y: float | None = None
    t0: int | None = None
    t1: int | None = None
    chunk_size: int = 8
    scheduler: str = "ddim"
    cross_frame_attention: bool = True
    motion_field: bool = True
    warp: str = "subcell"

    def check(self) -> None:
        """InputError, one sentence, for anything that cannot be run; cheap, no weights needed."""
        check_texts(self, self.asks)
        check_numbers(self, self.limits)
        check_choice("scheduler", self.scheduler, SCHEDULERS)
        check_choice("warp", self.warp, WARPS)
        check_flag("cross_frame_attention", self.cross_frame_attention)
        check_flag("motion_field", self.motion_field)
        self.motion().check()
        check_work(self)

    def motion(self) -> Motion:
        """The motion part of these settings."""
        given = {"x": self.motion_x, "y": self.motion_y, "t0": self.t0, "t1": self.t1}
        known = {name: value for name, value in given.items() if value is not None}
        return Motion(**known, warp=self.warp, enabled=self.motion_field)

    def filled(self, defaults: dict[str, float]) -> "TextToVideoSettings":
        """A copy in which fields left None take the model's defaults (field -> value)."""
        return fill(self, defaults)

    def with_networks(self, choose: Callable[[str, str], str]) -> "TextToVideoSettings":
        """A copy in which its ControlNets are chosen: it has none."""
        return self

    def networks(self) -> tuple[tuple[str, str], ...]:
        """The ControlNets wanted: none."""
        return ()

    def draw(
        self,
        pipeline: "TextToVideoPipeline",
        networks: "Sequence[ControlNetModel]",
        generator: "torch.Generator",
        on_step: "Callable[[Step], None] | None",
        on_seen: See | None = None,
    ) -> "torch.Tensor":
        """Latents of the video (1 f c h w); every field must be filled; the generator is seeded with seed.

        on_seen is never called: the model sees nothing but the prompt.
        """
        return pipeline(
            self.prompt,
            negative_prompt=self.negative_prompt,
            num_frames=self.num_frames,
            height=self.height,
            width=self.width,
            num_inference_steps=self.num_inference_steps,
            guidance_scale=self.guidance_scale,
            motion=self.motion(),
            scheduler=self.scheduler,
            chunk_size=self.chunk_size,
            cross_frame=self.cross_frame_attention,
            generator=generator,
            on_step=on_step,
        )

"""diffusers' call of Text2Video-Zero, for scripts that were written for it: only their import changes.

    from t2v import TextToVideoZeroPipeline  # instead of: from diffusers import TextToVideoZeroPipeline

What it draws is this project's: the motion neither judders nor depends on the size, and a video drawn in
pieces by frame_ids is the one drawn at once.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.utils import BaseOutput
from einops import rearrange
from PIL import Image

from t2v.checks import InputError, check_choice, check_int, check_number
from t2v.diffusion.options import SCHEDULERS, Motion
from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.diffusion.progress import Cancelled, Step
from t2v.diffusion.sampling import make_scheduler
from t2v.program import bundled, quiet_loading

OUTPUT_TYPES = ("tensor", "np", "numpy", "pil", "pt", "latent")

OnStepEnd = Callable[[Any, int, int, dict[str, Any]], Any]


@dataclass
class TextToVideoZeroOutput(BaseOutput):
    """images: the frames, as output_type says. nsfw_content_detected: None, as nobody looks."""

    images: Any
    nsfw_content_detected: None = None


class TextToVideoZeroPipeline(TextToVideoPipeline):
    """``TextToVideoPipeline`` under diffusers' name and with its arguments.

    warp: how frames are moved; "reference" as diffusers does it, which judders.
    """

    warp = "subcell"

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, **options: Any) -> Any:
        """As diffusers', of a folder or hub id; the bundled model, known to be right, in silence."""
        place = pretrained_model_name_or_path
        is_bundled = Path(place).resolve().is_relative_to(bundled("miniature"))
        with quiet_loading() if is_bundled else nullcontext():
            return super().from_pretrained(place, **options)

    @torch.inference_mode()
    def __call__(  # type: ignore[override]  # the arguments are diffusers'
        self,
        prompt: str | Sequence[str] | None = None,
        video_length: int = 8,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        negative_prompt: str | Sequence[str] | None = None,
        num_videos_per_prompt: int = 1,
        eta: float = 0.0,
        generator: torch.Generator | None = None,
        latents: torch.Tensor | None = None,
        motion_field_strength_x: float = 12,
        motion_field_strength_y: float = 12,
        output_type: str = "tensor",
        return_dict: bool = True,
        callback: Callable[[int, int, torch.Tensor], Any] | None = None,
        callback_steps: int = 1,
        t0: int = 44,
        t1: int = 47,
        frame_ids: Sequence[int] | None = None,
        *,
        prompt_embeds: torch.Tensor | None = None,
        negative_prompt_embeds: torch.Tensor | None = None,
        callback_on_step_end: OnStepEnd | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
        chunk_size: int = 8,
    ) -> TextToVideoZeroOutput | tuple[Any, None]:
        """Draw a video: ``.images``, or (images, None) where return_dict is False.

        prompt: one text, or a list of one. t0, t1: T' and T as numbers of steps, counted from the clean end,
        0 <= t0 <= t1 < num_inference_steps. The strengths are pixels per frame, to the left and up.
        output_type: "tensor" and "np": float32 (f h w c) in 0..1; "pt": a tensor (f c h w) in 0..1; "pil": a
        list; "latent": (f c h w). callback(step, time, latents) is called every callback_steps steps;
        callback_on_step_end(pipeline, step, time, {"latents": ...}) after each, and what it returns is not
        taken. Their latents are the clean picture (f c h w) as seen then; setting ``_interrupt`` raises
        Cancelled. The rest as in ``TextToVideoPipeline``; raises InputError for values out of range.
        """
        check_choice("output_type", output_type, OUTPUT_TYPES)
        check_int("num_videos_per_prompt", num_videos_per_prompt, 1, 1)
        if list(callback_on_step_end_tensor_inputs) not in (["latents"], []):
            raise InputError(
                "callback_on_step_end_tensor_inputs names other tensors; only latents are given."
            )
        steps = check_int("num_inference_steps", num_inference_steps, 1, 1000)
        negative = "" if negative_prompt is None else _one("negative_prompt", negative_prompt)
        drawn = super().__call__(
            _one("prompt", prompt) if prompt_embeds is None else prompt_embeds,
            negative_prompt=negative if negative_prompt_embeds is None else negative_prompt_embeds,
            num_frames=video_length,
            height=height,
            width=width,
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            motion=self._motion((motion_field_strength_x, motion_field_strength_y), (t0, t1), steps),
            scheduler=self._sampler(),
            eta=eta,
            chunk_size=chunk_size,
            frame_ids=frame_ids,
            latents=latents,
            generator=generator,
            on_step=self._teller(callback, callback_steps, callback_on_step_end),
        )
        images = self._as_asked(drawn, output_type)
        return TextToVideoZeroOutput(images) if return_dict else (images, None)

    def _motion(self, strengths: tuple[float, float], indices: tuple[int, int], steps: int) -> Motion:
        x, y = (
            -check_number(f"motion_field_strength_{axis}", strength, -512, 512)
            for axis, strength in zip("xy", strengths, strict=True)
        )
        times = make_scheduler(self._sampler(), self.scheduler.config, steps).timesteps
        last = len(times) - 1
        t0, t1 = (check_int(name, index, 0, last) for name, index in zip(("t0", "t1"), indices, strict=True))
        return Motion(x, y, int(times[last - t0]), int(times[last - t1]), self.warp)

    def _sampler(self) -> str:
        """The sampler that the scheduler of the pipeline is, DDIM for those that are none of ours."""
        own = type(self.scheduler).__name__
        return next((name for name, kind in SCHEDULERS.items() if kind == own), "ddim")

    def _teller(
        self,
        callback: Callable[[int, int, torch.Tensor], Any] | None,
        callback_steps: int,
        at_end: OnStepEnd | None,
    ) -> Callable[[Step], None]:
        every = check_int("callback_steps", callback_steps, 1, 1000)
        self._interrupt = False

        def tell(step: Step) -> None:
            number, latents = step.done - 1, step.latents[0]
            if callback is not None and number % every == 0:
                callback(number, step.time, latents)
            if at_end is not None:
                at_end(self, number, step.time, {"latents": latents})
            if self._interrupt:
                raise Cancelled

        return tell

    def _as_asked(self, drawn: torch.Tensor, output_type: str) -> Any:
        if output_type == "latent":
            return drawn[0]
        frames = np.stack(list(self.decode(drawn)))
        if output_type == "pil":
            return [Image.fromarray(frame) for frame in frames]
        # a hair above, so that scripts that write (255 * frame).astype(uint8) lose nothing
        values = np.minimum(np.nextafter(frames / np.float32(255), np.float32(2)), np.float32(1))
        return rearrange(torch.from_numpy(values), "f h w c -> f c h w") if output_type == "pt" else values


def _one(field: str, given: Any) -> Any:
    """The one text of a list of one; InputError for a list of several, or none."""
    if not isinstance(given, (list, tuple)):
        return given
    if len(given) != 1:
        raise InputError(f"{field} is a list of {len(given)}; give one text, and call again for another.")
    return given[0]

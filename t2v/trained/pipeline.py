"""One of diffusers' pipelines of a trained video model, as the engine uses pipelines."""

import itertools
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from einops import rearrange

from t2v.diffusion.latent_preview import preview
from t2v.diffusion.pictures import check_numbers
from t2v.diffusion.progress import Step
from t2v.memory.memory import Memory
from t2v.trained.clean import watching
from t2v.trained.decoding import DECODERS
from t2v.trained.grey import grey
from t2v.trained.noise import drawn_in_float32
from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.video_kinds import MODELSCOPE, Made, VideoKind

logger = logging.getLogger(__name__)

DRAWING = "Drawing all frames"
# How the latents of each pipeline lie, as einops has it
LAYOUTS = {
    "TextToVideoSDPipeline": "b c f h w",
    "CogVideoXPipeline": "b f c h w",
    "WanPipeline": "b c f h w",
}
BESIDE = "transformer_2"  # draws the later steps of some


class TrainedPipeline:
    """Draws and decodes by a pipeline of diffusers'; latents are (1 f c h w), f counting groups of frames.

    own: diffusers' pipeline. kind: of the model; made: what for. Weights are kept by ``memory``.
    """

    def __init__(self, own: Any, kind: VideoKind, made: Made) -> None:
        self.own, self.kind, self.made = own, kind, made
        self.notes: list[str] = []
        self.memory = Memory(self._networks, self.tell)
        second = getattr(own, BESIDE, None)
        self.memory.beside = () if second is None else (second,)
        own.set_progress_bar_config(disable=True)

    def tell(self, sentence: str) -> None:
        """Add to the notes, each once, and to the log."""
        if sentence not in self.notes:
            logger.warning("%s", sentence)
            self.notes.append(sentence)

    def __call__(
        self,
        prompt: str,
        *,
        num_frames: int,
        num_inference_steps: int,
        generator: torch.Generator,
        on_step: Callable[[Step], None] | None = None,
        **call: Any,
    ) -> torch.Tensor:
        """Latents (1 f c h w) of a video, as diffusers' pipeline draws them from the same seed.

        num_frames: one and whole groups more (``Made.drawn``). call: more for diffusers' pipeline: its
        negative_prompt, height, width and guidance_scale. on_step: hears of every step; may raise Cancelled.
        InputError where no numbers come of it.
        """
        done = itertools.count(1)

        def step(noisy: torch.Tensor, time: Any) -> None:
            number = next(done)
            if on_step is not None:
                latents = seen.latents if seen.latents is not None else noisy.detach().float()
                latents = rearrange(latents, f"{self._layout_of(latents)} -> b f c h w", b=1)
                share = number / num_inference_steps
                on_step(Step(number, num_inference_steps, DRAWING, share, latents, int(time)))

        given = {**call, "num_frames": num_frames, "num_inference_steps": num_inference_steps}
        with watching(self.own.scheduler) as seen, drawn_in_float32(self.own):
            drawn = self.own(prompt, generator=generator, output_type="latent", **given, **self._heard(step))
        latents = rearrange(drawn.frames, f"{LAYOUTS[self.kind.pipeline]} -> b f c h w")
        return check_numbers(latents, self._networks()["unet"].dtype)  # type: ignore[arg-type]

    def decode(self, latents: torch.Tensor) -> Iterator[np.ndarray]:
        """Frames of drawn latents one at a time: uint8 RGB (h, w, 3)."""
        return DECODERS[self.kind.pipeline](self.own, latents, self.memory, self.tell)

    def preview(self, latents: torch.Tensor) -> np.ndarray:
        """A quick picture of a Step's latents: uint8 RGB (f, h, w, 3), in grey where nobody knows colours."""
        return preview(latents, STABLE_DIFFUSION.preview) if self.kind is MODELSCOPE else grey(latents)

    def _layout_of(self, latents: torch.Tensor) -> str:
        """How axes lie; ModelScope's sampler is given the frames as if they were pictures."""
        return "(b f) c h w" if latents.dim() == 4 else LAYOUTS[self.kind.pipeline]

    def _heard(self, step: Callable[[torch.Tensor, Any], None]) -> Mapping[str, Any]:
        """How this pipeline is told to call ``step`` with the latents and the time of each of its steps."""
        if self.kind is MODELSCOPE:
            return {"callback": lambda number, time, latents: step(latents, time)}

        def ended(own: Any, number: int, time: Any, had: dict[str, Any]) -> dict[str, Any]:
            step(had["latents"], time)
            return {}

        longest = getattr(self.own.transformer.config, "max_text_seq_length", None)
        words = {} if longest is None else {"max_sequence_length": longest}
        return {"callback_on_step_end": ended, **words}

    def _networks(self) -> dict[str, torch.nn.Module]:
        """By the names that ``Memory`` knows: what draws is the "unet" there, of whatever class it is."""
        return {
            "unet": getattr(self.own, self.kind.denoiser),
            "vae": self.own.vae,
            "text_encoder": self.own.text_encoder,
        }

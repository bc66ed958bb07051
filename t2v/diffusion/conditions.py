"""What a video is guided by: text, ControlNets' pictures, a source clip; and the noise predicted with them.

``Predictor`` is the one place where networks run: all frames at one time step, a chunk of frames at a time.
Frame 0 is in the first chunk, and its keys and values serve the chunks after it, in every network.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from einops import rearrange, repeat

from t2v.diffusion.attention import FirstFrameBank, cross_frame_attention
from t2v.diffusion.beside import Beside
from t2v.diffusion.controls import Control
from t2v.diffusion.picture_prompt import PicturePrompt, seeing_picture
from t2v.diffusion.pictures import check_numbers
from t2v.diffusion.time_rows import few_time_rows
from t2v.memory.memory import Memory


@dataclass(frozen=True, eq=False)
class Guidance:
    """The guidance branches b, from the least told to the most, and how far to go from each to the next.

    embeds: text (b n d), or (b f n d) where frames are told different things. scales: w >= 0 for each of the
    b - 1 steps: (text,), or (picture, text) in the three branches of InstructPix2Pix (neither, picture,
    picture and text). shown: which branches see the source clip, where there is one. embedding: (1, e) for
    networks that take the scale as an input. late: the share of the steps, 0..1, in which all frames are told
    what the first one is. beside: what Stable Diffusion XL is told too. picture: a picture as a prompt.
    """

    embeds: torch.Tensor
    scales: tuple[float, ...] = ()
    shown: tuple[bool, ...] = (True,)
    embedding: torch.Tensor | None = None
    late: float = 0.0
    beside: Beside | None = None
    picture: PicturePrompt | None = None

    @property
    def tells_apart(self) -> bool:
        """Whether frames are told different things."""
        return self.embeds.ndim == 4

    def added(self, frames: slice, latents: torch.Tensor, done: float) -> dict[str, Any]:
        """What networks take beside the text of these frames. latents: (f c h w); done: as in ``text``."""
        if self.beside is None:
            return {}
        return {"added_cond_kwargs": self.beside.rows(frames, latents, done < self.late)}

    def text(self, start: int, count: int, done: float) -> torch.Tensor:
        """What so many frames from number ``start`` are told in each branch: ((b f) n d).

        done: share of the steps, 0..1.
        """
        if not self.tells_apart or done < self.late:
            first = self.embeds[:, 0] if self.tells_apart else self.embeds
            return repeat(first, "b n d -> (b f) n d", f=count)
        return rearrange(self.embeds[:, start : start + count], "b f n d -> (b f) n d")

    def combine(self, predictions: torch.Tensor) -> torch.Tensor:
        """((b f) c h w) to (f c h w): the least told, plus scale * (more told - less told) at each step."""
        branches = rearrange(predictions, "(b f) c h w -> b f c h w", b=len(self.embeds))
        combined = branches[0]
        for scale, less, more in zip(self.scales, branches[:-1], branches[1:], strict=True):
            combined = combined + scale * (more - less)
        return combined


@dataclass(frozen=True, eq=False)
class Predictor:
    """Predicts the noise in all frames. chunk_size: frames in a network at once; never changes the result.

    memory: of the networks; where there is too little, fewer frames are in them at once. bank: the UNet's.
    controls: each with its network's own bank. source: latents of the source clip (f c h w), not scaled, for
    UNets that take them as further channels; None for others.
    """

    unet: UNet2DConditionModel
    memory: Memory
    bank: FirstFrameBank
    guidance: Guidance
    chunk_size: int
    controls: Sequence[tuple[Control, FirstFrameBank]] = ()
    source: torch.Tensor | None = None

    def __call__(self, latents: torch.Tensor, time: torch.Tensor, step: int, num_steps: int) -> torch.Tensor:
        """The noise in latents (f c h w), as the scheduler scaled them, at time step number ``step``.

        InputError where it is no number, in float32 too; OutOfMemory where no profile has room.
        """

        def chunked(at_once: int) -> torch.Tensor:
            return self._chunked(at_once, latents, time, step, num_steps)

        noise = self.memory.predict(chunked, self.chunk_size, latents, len(self.guidance.embeds))
        return check_numbers(noise, self.unet.dtype)

    def _chunked(
        self, at_once: int, latents: torch.Tensor, time: torch.Tensor, step: int, num_steps: int
    ) -> torch.Tensor:
        branches, dtype, device = len(self.guidance.embeds), self.unet.dtype, self.memory.device
        acting = [pair for pair in self.controls if pair[0].acts(step, num_steps)]
        noise = torch.empty_like(latents, dtype=torch.float32)
        for start in range(0, len(latents), at_once):
            frames = slice(start, start + at_once)
            noisy = repeat(latents[frames].to(device, dtype), "f c h w -> (b f) c h w", b=branches)
            text = self.guidance.text(start, len(latents[frames]), step / num_steps).to(device, dtype)
            told = self.guidance.added(frames, latents[frames].to(device), step / num_steps)
            for bank in (self.bank, *(bank for _, bank in acting)):
                bank.expect(branches, first_chunk=start == 0)
            added = self._added([control.residuals(noisy, time, text, frames, told) for control, _ in acting])
            predicted = self.unet(
                self._beside_source(noisy, frames),
                time,
                encoder_hidden_states=text,
                timestep_cond=_beside(self.guidance.embedding, noisy),
                **told,
                **added,
            ).sample
            noise[frames] = self.guidance.combine(predicted.float())
        return noise

    def _added(self, residuals: list[list[torch.Tensor]]) -> dict[str, Any]:
        """The residuals of all acting ControlNets, summed, as the UNet takes them."""
        if not residuals:
            return {}
        *down, middle = (
            sum(parts[1:], parts[0]).to(self.unet.dtype) for parts in zip(*residuals, strict=True)
        )
        return {"down_block_additional_residuals": tuple(down), "mid_block_additional_residual": middle}

    def _beside_source(self, noisy: torch.Tensor, frames: slice) -> torch.Tensor:
        """((b f) c h w) to ((b f) 2c h w): the source's channels follow, zeros in branches not shown it."""
        if self.source is None:
            return noisy
        source = self.source[frames].to(noisy)
        seen = [source if shown else torch.zeros_like(source) for shown in self.guidance.shown]
        return torch.cat([noisy, torch.cat(seen)], dim=1)


def _beside(values: torch.Tensor | None, noisy: torch.Tensor) -> torch.Tensor | None:
    """On the device and in the precision of what is computed with."""
    return None if values is None else values.to(noisy)


@contextmanager
def ready_to_predict(
    unet: UNet2DConditionModel,
    memory: Memory,
    guidance: Guidance,
    chunk_size: int,
    *,
    cross_frame: bool = True,
    controls: Sequence[Control] = (),
    source: torch.Tensor | None = None,
) -> Iterator[Predictor]:
    """A Predictor, with all that it needs installed in the networks; taken out again, come what may."""
    with ExitStack() as installed:
        installed.enter_context(memory.narrowed_after())

        def prepare(network: torch.nn.Module) -> FirstFrameBank:
            installed.enter_context(few_time_rows(network, len(guidance.embeds), guidance.tells_apart))
            return installed.enter_context(cross_frame_attention(network, cross_frame))

        bank, pairs = prepare(unet), []
        installed.enter_context(seeing_picture(unet, guidance.picture, len(guidance.embeds)))
        for control in controls:
            pairs.append((control, prepare(control.network)))
        yield Predictor(unet, memory, bank, guidance, chunk_size, pairs, source)

"""What a video is guided by: text, ControlNets' pictures, a source clip; and the noise predicted with them.

``Predictor`` is the one place where networks run: all frames at one time step, a chunk of frames at a time.
Frame 0 is in the first chunk, and its keys and values serve the chunks after it, in every network.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from einops import rearrange, repeat
from PIL import Image

from t2v.checks import InputError, check_number
from t2v.diffusion.attention import FirstFrameBank, cross_frame_attention
from t2v.diffusion.options import check_window

MAX_CONTROL_SCALE = 100.0


@dataclass(frozen=True, eq=False)
class Guidance:
    """The guidance branches b, from the least told to the most, and how far to go from each to the next.

    embeds: text (b n d), or (b f n d) where frames are told different things. scales: w >= 0 for each of the
    b - 1 steps: (text,), or (picture, text) in the three branches of InstructPix2Pix (neither, picture,
    picture and text). shown: which branches see the source clip, where there is one. embedding: (1, e) for
    networks that take the scale as an input. late: the share of the steps, 0..1, in which all frames are told
    what the first one is.
    """

    embeds: torch.Tensor
    scales: tuple[float, ...] = ()
    shown: tuple[bool, ...] = (True,)
    embedding: torch.Tensor | None = None
    late: float = 0.0

    def text(self, start: int, count: int, done: float) -> torch.Tensor:
        """What so many frames from number ``start`` are told in each branch: ((b f) n d).

        done: share of the steps, 0..1.
        """
        if self.embeds.ndim == 3 or done < self.late:
            first = self.embeds if self.embeds.ndim == 3 else self.embeds[:, 0]
            return repeat(first, "b n d -> (b f) n d", f=count)
        return rearrange(self.embeds[:, start : start + count], "b f n d -> (b f) n d")

    def combine(self, predictions: torch.Tensor) -> torch.Tensor:
        """((b f) c h w) to (f c h w): the least told, plus scale * (more told - less told) at each step."""
        branches = rearrange(predictions, "(b f) c h w -> b f c h w", b=len(self.embeds))
        combined = branches[0]
        for scale, less, more in zip(self.scales, branches[:-1], branches[1:], strict=True):
            combined = combined + scale * (more - less)
        return combined


class Packed:
    """Frames, uint8 (f, h, w, 3), each compressed without loss.

    Edges, skeletons and nearness are mostly flat: 300 frames take a tenth of their bytes or less, and
    unpacking a frame, every time it is needed, a thousandth of what the network takes for it.
    """

    def __init__(self, frames: np.ndarray) -> None:
        self.shape = frames.shape
        self._frames = [zlib.compress(frame.tobytes(), level=1) for frame in frames]

    def __getitem__(self, frames: slice) -> np.ndarray:
        """These frames, as they were."""
        data = bytearray().join(zlib.decompress(frame) for frame in self._frames[frames])
        return np.frombuffer(data, np.uint8).reshape(-1, *self.shape[1:])


@dataclass(frozen=True, eq=False)
class Control:
    """A ControlNet (arXiv 2302.05543) and a picture for each frame that it is to follow.

    pictures: uint8 RGB (f, h, w, 3), at the video's size, or as many of PIL's pictures; kept packed, so that
    a long clip stays small.
    scale: the conditioning scale, its residuals' factor. start, end: the share of the steps, 0..1, in which
    it acts. Raises InputError for values out of range.
    """

    network: ControlNetModel
    pictures: InitVar[np.ndarray | Sequence[Image.Image]]
    scale: float = 1.0
    start: float = 0.0
    end: float = 1.0
    packed: Packed = field(init=False)

    def __post_init__(self, pictures: np.ndarray | Sequence[Image.Image]) -> None:
        object.__setattr__(self, "packed", Packed(as_pictures(pictures)))
        scale = check_number("conditioning_scale", self.scale, 0, MAX_CONTROL_SCALE)
        object.__setattr__(self, "scale", scale)
        check_window(self.start, self.end)

    @cached_property
    def _dtype(self) -> torch.dtype:
        return self.network.dtype  # found among all weights, which takes some milliseconds each time

    def acts(self, step: int, num_steps: int) -> bool:
        """Whether it guides time step number ``step`` (0..): those that lie wholly between start and end."""
        return self.scale > 0 and step / num_steps >= self.start and (step + 1) / num_steps <= self.end

    def residuals(
        self, noisy: torch.Tensor, time: torch.Tensor, text: torch.Tensor, frames: slice
    ) -> list[torch.Tensor]:
        """What it adds to the UNet's skips, and last to its middle; noisy: ((b f) c h w) of these frames."""
        network, dtype = self.network, self._dtype
        pictures = torch.from_numpy(self.packed[frames]).to(network.device)
        pictures = rearrange(pictures, "f h w c -> f c h w").to(dtype) / 255
        with _embedded_for_all(network, len(pictures), len(noisy)) as rows:
            down, middle = network(
                noisy.to(dtype), time, text.to(dtype), pictures[rows], self.scale, return_dict=False
            )
        return [*down, middle]


def as_pictures(given: object) -> np.ndarray:
    """Pictures as uint8 RGB (f, h, w, 3) with at least one frame, which is taken as it is; else InputError.

    A list of PIL's pictures of one size becomes it, whatever their mode.
    """
    pictures = given
    if isinstance(given, (list, tuple)) and given and all(isinstance(one, Image.Image) for one in given):
        sizes = {one.size for one in given}
        if len(sizes) > 1:
            shown = " and ".join(f"{width}x{height}" for width, height in sorted(sizes)[:2])
            raise InputError(f"pictures are of the sizes {shown}; give all the same.")
        pictures = np.stack([np.asarray(one.convert("RGB")) for one in given])
    if not isinstance(pictures, np.ndarray) or pictures.dtype != np.uint8:
        kind = type(pictures).__name__
        raise InputError(f"pictures are {kind}; give a uint8 array (f, h, w, 3) or a list of PIL's pictures.")
    if pictures.ndim != 4 or pictures.shape[3] != 3 or 0 in pictures.shape:
        raise InputError(f"pictures have the shape {pictures.shape}; give (f, h, w, 3).")
    return pictures


@dataclass(frozen=True, eq=False)
class Predictor:
    """Predicts the noise in all frames. chunk_size: frames in a network at once; never changes the result.

    bank: the UNet's. controls: each with its network's own bank. source: latents of the source clip
    (f c h w), not scaled, for UNets that take them as further channels; None for others.
    """

    unet: UNet2DConditionModel
    bank: FirstFrameBank
    guidance: Guidance
    chunk_size: int
    controls: Sequence[tuple[Control, FirstFrameBank]] = ()
    source: torch.Tensor | None = None

    def __call__(self, latents: torch.Tensor, time: torch.Tensor, step: int, num_steps: int) -> torch.Tensor:
        """The noise in latents (f c h w), as the scheduler scaled them, at time step number ``step``."""
        branches, dtype = len(self.guidance.embeds), self._dtype
        acting = [pair for pair in self.controls if pair[0].acts(step, num_steps)]
        noise = torch.empty_like(latents, dtype=torch.float32)
        for start in range(0, len(latents), self.chunk_size):
            frames = slice(start, start + self.chunk_size)
            noisy = repeat(latents[frames].to(dtype), "f c h w -> (b f) c h w", b=branches)
            text = self.guidance.text(start, len(latents[frames]), step / num_steps)
            for bank in (self.bank, *(bank for _, bank in acting)):
                bank.expect(branches, first_chunk=start == 0)
            added = self._added([control.residuals(noisy, time, text, frames) for control, _ in acting])
            predicted = self.unet(
                self._beside_source(noisy, frames),
                time,
                encoder_hidden_states=text,
                timestep_cond=self.guidance.embedding,
                **added,
            ).sample
            noise[frames] = self.guidance.combine(predicted.float())
        return noise

    @cached_property
    def _dtype(self) -> torch.dtype:
        return self.unet.dtype

    def _added(self, residuals: list[list[torch.Tensor]]) -> dict[str, Any]:
        """The residuals of all acting ControlNets, summed, as the UNet takes them."""
        if not residuals:
            return {}
        *down, middle = (sum(parts[1:], parts[0]).to(self._dtype) for parts in zip(*residuals, strict=True))
        return {"down_block_additional_residuals": tuple(down), "mid_block_additional_residual": middle}

    def _beside_source(self, noisy: torch.Tensor, frames: slice) -> torch.Tensor:
        """((b f) c h w) to ((b f) 2c h w): the source's channels follow, zeros in branches not shown it."""
        if self.source is None:
            return noisy
        source = self.source[frames].to(noisy)
        seen = [source if shown else torch.zeros_like(source) for shown in self.guidance.shown]
        return torch.cat([noisy, torch.cat(seen)], dim=1)


@contextmanager
def ready_to_predict(
    unet: UNet2DConditionModel,
    guidance: Guidance,
    chunk_size: int,
    *,
    cross_frame: bool = True,
    controls: Sequence[Control] = (),
    source: torch.Tensor | None = None,
) -> Iterator[Predictor]:
    """A Predictor, with all that it needs installed in the networks; taken out again, come what may."""
    with ExitStack() as installed:

        def prepare(network: torch.nn.Module) -> FirstFrameBank:
            installed.enter_context(one_time_row(network))
            return installed.enter_context(cross_frame_attention(network, cross_frame))

        bank, pairs = prepare(unet), []
        for control in controls:
            pairs.append((control, prepare(control.network)))
        yield Predictor(unet, bank, guidance, chunk_size, pairs, source)


@contextmanager
def one_time_row(network: torch.nn.Module) -> Iterator[None]:
    """Embed the time once for the whole batch, as all its frames are at the same time.

    It saves work, and more: matrix products with as many rows as frames round differently for different
    batch sizes, so this is what keeps a video the same to the last bit at every chunk size.
    """
    embedding: Any = network.time_embedding
    handle = embedding.register_forward_pre_hook(lambda _, args: (args[0][:1], *args[1:]))
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _embedded_for_all(network: ControlNetModel, frames: int, batch: int) -> Iterator[list[int]]:
    """Embed each frame's picture, a costly step at full size, once for all guidance branches of a batch.

    Gives the rows of the pictures to feed: one that is alone goes twice, as a batch of one may be rounded
    otherwise than a larger one, and the chunk size must not change a video.
    """
    branches = batch // frames
    handle = network.controlnet_cond_embedding.register_forward_hook(
        lambda _, args, embedded: repeat(embedded[:frames], "f c h w -> (b f) c h w", b=branches)
    )
    try:
        yield [0, 0] if frames == 1 else list(range(frames))
    finally:
        handle.remove()

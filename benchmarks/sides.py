"""The two sides: the same case drawn by this project and by diffusers, every call of the network recorded."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from diffusers.pipelines.deprecated.text_to_video_synthesis.pipeline_text_to_video_zero import (
    TextToVideoZeroPipeline,
)

from t2v.diffusion.attention import CrossFrameAttention, self_attention_layers
from t2v.diffusion.options import Motion
from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.diffusion.sampling import make_scheduler

PROMPT = "a red car on a street"
SEED = 0
BRANCHES = 2  # guidance is on in every case
OURS, PEER = "ours", "diffusers"
FIRST, LATER, WHOLE = "ours, first chunk", "ours, later chunk", "diffusers"  # kinds of network calls


@dataclass(frozen=True)
class Case:
    """One thing to draw. chunk_size: 0 draws all frames at once. steps: the motion comes at the paper's share
    of them, 2 and 5 of 50. size: output pixels, square. decode: to pictures, else to latents."""

    network: str
    frames: int
    chunk_size: int
    steps: int = 50
    size: int = 64
    device: str = "cpu"
    dtype: str = "float32"
    decode: bool = True
    repeats: int = 3

    @property
    def motion_steps(self) -> tuple[int, int]:
        """The step numbers of T and T'; one step at least comes before T', where there are two."""
        return round(0.04 * self.steps), max(round(0.1 * self.steps), min(1, self.steps - 1))


@dataclass(frozen=True)
class Call:
    """One call of the network. kind: FIRST, LATER or WHOLE. seconds: wall time, meaningful on a CPU only."""

    kind: str
    frames: int
    seconds: float


def peer_of(ours: TextToVideoPipeline) -> TextToVideoZeroPipeline:
    """diffusers' pipeline of the same parts."""
    parts = dict(ours.components)
    parts.pop("image_encoder")
    peer = TextToVideoZeroPipeline(**parts, requires_safety_checker=False)
    peer.set_progress_bar_config(disable=True)
    return peer


def draw_ours(pipeline: TextToVideoPipeline, case: Case) -> np.ndarray:
    """Frames uint8 (f h w c), or latents (f c h w) for cases without decoding."""
    times = make_scheduler("ddim", pipeline.scheduler.config, case.steps).timesteps
    t1, t0 = (int(times[number]) for number in case.motion_steps)
    latents = pipeline(
        PROMPT,
        num_frames=case.frames,
        height=case.size,
        width=case.size,
        num_inference_steps=case.steps,
        motion=Motion(t0=t0, t1=t1),
        chunk_size=case.chunk_size,
        generator=torch.Generator().manual_seed(SEED),
    )
    return np.stack(list(pipeline.decode(latents))) if case.decode else latents[0].float().cpu().numpy()


def recipe_chunks(frames: int, chunk_size: int) -> list[list[int]]:
    """Frame numbers of each call in diffusers' documented recipe for long videos: frame 0 comes first in
    every chunk and counts towards its size."""
    starts = range(0, frames, chunk_size - 1)
    return [[0, *range(start, end)] for start, end in pairwise([*starts, frames])]


def draw_peer(pipeline: TextToVideoZeroPipeline, case: Case) -> np.ndarray:
    """As draw_ours, by diffusers: in one call, or by its recipe for chunks."""
    found = pipeline.scheduler
    t1, t0 = (case.steps - 1 - number for number in case.motion_steps)  # it counts its steps from the end
    chunks = [list(range(case.frames))]
    if case.chunk_size:
        chunks = recipe_chunks(case.frames, case.chunk_size)
    generator = torch.Generator(device=case.device)
    drawn = []
    for frame_ids in chunks:
        pipeline.scheduler = make_scheduler("ddim", found.config, case.steps)  # our time steps
        generator.manual_seed(SEED)
        pictures = pipeline(
            PROMPT,
            video_length=len(frame_ids),
            frame_ids=frame_ids,
            height=case.size,
            width=case.size,
            num_inference_steps=case.steps,
            t0=t0,
            t1=t1,
            generator=generator,
            output_type="np" if case.decode else "latent",
        ).images
        pictures = pictures[1:] if case.chunk_size else pictures
        drawn.append((pictures * 255).astype(np.uint8) if case.decode else pictures.float().cpu().numpy())
    pipeline.scheduler = found
    return np.concatenate(drawn)


@contextmanager
def recorded(unet: torch.nn.Module) -> Iterator[list[Call]]:
    """The calls of the network, while this lasts."""
    calls: list[Call] = []
    layer = next(iter(self_attention_layers(unet).values()))
    started = 0.0

    def before(*_: object) -> None:
        nonlocal started
        started = time.perf_counter()

    def after(_: object, args: tuple, *__: object) -> None:
        kind = WHOLE
        if isinstance(layer.processor, CrossFrameAttention):
            kind = FIRST if layer.processor.bank.first_chunk else LATER
        calls.append(Call(kind, len(args[0]) // BRANCHES, time.perf_counter() - started))

    handles = [unet.register_forward_pre_hook(before), unet.register_forward_hook(after)]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


DRAW: dict[str, Callable[..., np.ndarray]] = {OURS: draw_ours, PEER: draw_peer}

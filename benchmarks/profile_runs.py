"""One video by one way of keeping weights, and one picture decoded: seconds, memory and what was drawn."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL

from benchmarks.networks import load
from benchmarks.speed import highest_memory_mb
from benchmarks.table import Row
from t2v.diffusion.options import Motion
from t2v.memory.profiles import HIGH
from t2v.memory.strips import compute_in_strips
from t2v.video.write import write_video

PROMPT = "a red car is driving on the street"
STEPS, FPS = 2, 8
LONG = 30  # frames from which on none are kept to compare
WHOLE, STRIPS, TILES = "whole", "in strips", "diffusers' tiles"


@dataclass(frozen=True)
class Case:
    """One video of square frames, its weights kept so. network: as ``benchmarks.networks`` loads it."""

    network: str
    device: str
    dtype: str
    profile: str = HIGH
    fp8: bool = False
    frames: int = 8
    size: int = 256

    @property
    def told(self) -> Row:
        """What its row says it is."""
        video = f"{self.frames} frames, {STEPS} steps, {self.size}x{self.size}, {self.dtype}"
        return {"network": self.network, "video": video}


@dataclass(frozen=True)
class Drawn:
    """What a case took. frames: uint8 RGB (f, h, w, 3), of short videos."""

    seconds: float
    peak_mb: float
    frames: np.ndarray | None


def draw(case: Case) -> Drawn:
    """From weights in the machine's memory to the video's file; loading them is not timed."""
    pipeline = load(case.network, "cpu", case.dtype)
    pipeline.memory.place(case.profile, case.device, case.fp8)
    if case.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    kept: list[np.ndarray] = []
    is_short = case.frames < LONG

    def shown(frames: Any) -> Any:
        for frame in frames:
            if is_short:
                kept.append(frame)
            yield frame

    began = time.perf_counter()
    latents = pipeline(
        PROMPT,
        num_frames=case.frames,
        height=case.size,
        width=case.size,
        num_inference_steps=STEPS,
        motion=Motion(2, 0),
        generator=torch.Generator().manual_seed(0),
    )
    with tempfile.TemporaryDirectory() as folder:
        write_video(Path(folder) / "video.mp4", shown(pipeline.decode(latents)), FPS)
    seconds = time.perf_counter() - began
    return Drawn(seconds, highest_memory_mb(case.device), np.stack(kept) if is_short else None)


def decode(way: str, shape: Mapping[str, Any], size: int) -> Drawn:
    """One picture of Stable Diffusion's VAE with random weights, on a CPU in float32."""
    torch.manual_seed(0)
    vae = AutoencoderKL(**shape).eval()
    compute_in_strips(vae, way == STRIPS)
    if way == TILES:
        vae.enable_tiling()
        vae.tile_sample_min_size, vae.tile_latent_min_size = size // 2, size // 16
    latents = torch.randn(1, 4, size // 8, size // 8)
    before, began = highest_memory_mb("cpu"), time.perf_counter()
    with torch.inference_mode():
        made = vae.decode(latents).sample[0]
    seconds = time.perf_counter() - began
    frames = ((made / made.abs().max() / 2 + 0.5) * 255).round().byte().permute(1, 2, 0).numpy()
    return Drawn(seconds, highest_memory_mb("cpu") - before, frames[None])


def apart(one: np.ndarray | None, other: np.ndarray | None) -> Row:
    """How two videos differ, in levels of 255: at most, and on average."""
    assert one is not None and other is not None
    levels = np.abs(one.astype(int) - other.astype(int))
    return {"largest difference": str(levels.max()), "mean difference": f"{levels.mean():.3f}"}

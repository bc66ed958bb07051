"""Profiles and their memory: ``python -m benchmarks.profiles [--device cpu] [--quick --output FILE]``.

Each row is drawn by a process of its own, prompt to file. On a CPU the peak is its highest resident memory,
Python, PyTorch and the weights in it; on a GPU PyTorch's highest allocation, with Stable Diffusion 1.5's
shape in the miniature's place. Writes benchmarks/PROFILES.md.
"""

import argparse
import logging
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL

from benchmarks.motion import machine, write
from benchmarks.networks import SD15, TINY, load
from benchmarks.speed import highest_memory_mb
from t2v.diffusion.options import Motion
from t2v.memory.profiles import CPU, HIGH, LOW, MEDIUM
from t2v.memory.strips import compute_in_strips
from t2v.video.write import write_video

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
PROMPT = "a red car is driving on the street"
STEPS, FPS = 2, 8
LONG = (30, 300)
VAE = {  # Stable Diffusion's
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "sample_size": 512,
}
SMALL_VAE = {**VAE, "block_out_channels": (32, 32, 64, 64)}
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
    is_short = case.frames < min(LONG)

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


def decode(way: str, shape: dict[str, Any], size: int) -> Drawn:
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


def alone(function: Callable[..., Drawn], *told: Any) -> Drawn:
    """By a process of its own, as memory that was used once stays with a process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        drawn = pool.submit(function, *told).result()
    log.info("%s: %.1f s, %.0f MB", told, drawn.seconds, drawn.peak_mb)
    return drawn


def apart(one: np.ndarray | None, other: np.ndarray | None) -> str:
    """How two videos differ, in levels of 255: at most, and on average."""
    assert one is not None and other is not None
    levels = np.abs(one.astype(int) - other.astype(int))
    return f"{levels.max()} | {levels.mean():.3f}"


def table(head: str, rows: Sequence[str]) -> str:
    columns = head.count("|") - 1
    return "\n".join([head, "|" + " --- |" * columns, *rows])


def by_profile(case: Case, run: Callable[..., Drawn]) -> str:
    """A row a profile, with and without eight bits, beside the high one."""
    profiles = (HIGH, MEDIUM, LOW) if case.device == "cpu" else (HIGH, MEDIUM, LOW, CPU)
    cases = [replace(case, profile=one) for one in profiles]
    cases += [replace(case, profile=one, fp8=True) for one in (HIGH, LOW)]
    drawn = [(one, run(draw, one)) for one in cases]
    rows = [
        f"| {one.profile}{', fp8' if one.fp8 else ''} | {found.seconds:.1f} | {found.peak_mb:.0f} | "
        f"{apart(found.frames, drawn[0][1].frames)} |"
        for one, found in drawn
    ]
    return table("| profile | s | peak MB | largest difference | mean difference |", rows)


def by_length(case: Case, lengths: Sequence[int], run: Callable[..., Drawn]) -> str:
    """A row a length, in the low profile."""
    small = replace(case, profile=LOW, size=case.size // 2)
    peaks = [run(draw, replace(small, frames=frames)).peak_mb for frames in lengths]
    rows = [
        f"| {frames} | {peak:.0f} | {peak / peaks[0] - 1:.1%} |"
        for frames, peak in zip(lengths, peaks, strict=True)
    ]
    return table("| frames | peak MB | more than the first |", rows)


def by_decoding(shape: dict[str, Any], size: int, run: Callable[..., Drawn]) -> str:
    """A row a way of decoding."""
    drawn = {way: run(decode, way, shape, size) for way in (WHOLE, STRIPS, TILES)}
    rows = [
        f"| {way} | {found.seconds:.1f} | {found.peak_mb:.0f} | {apart(found.frames, drawn[WHOLE].frames)} |"
        for way, found in drawn.items()
    ]
    return table("| a picture decoded | s | MB more | largest difference | mean difference |", rows)


def report(case: Case, lengths: Sequence[int], shape: dict[str, Any], run: Callable[..., Drawn]) -> str:
    """The page."""
    decoded = min(case.size, 256)  # of which the processor is asked here, whatever draws
    return f"""# Profiles and their memory

Made by `python -m benchmarks.profiles` on {date.today()}: {machine()}. Differences are in levels of 255 from
the high profile. {STEPS} steps; each row is drawn by a process of its own. Others used the machine too, so
seconds say little.

## {case.network}, {case.frames} frames of {case.size}x{case.size}, {case.dtype}, on {case.device}

{by_profile(case, run)}

On a CPU weights wait where they are computed with, so only chunks and strips save anything. Eight bits are
the one option that changes the picture.

## Length, in the low profile, {case.size // 2}x{case.size // 2}

{by_length(case, lengths, run)}

## The decoder, with random weights of Stable Diffusion's shape, {decoded}x{decoded}, float32 on a CPU

{by_decoding(shape, decoded, run)}

The memory is what decoding adds to the process. Strips are what the medium and low profiles use; tiles, here
of half a side, are diffusers' own way, and change the picture.
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiles", description=__doc__)
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), help="what draws (default: a GPU, if there is one)"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes: to see that it runs")
    parser.add_argument("--output", type=Path, help="Markdown file (benchmarks/PROFILES.md)")
    asked = parser.parse_args(arguments)
    if asked.quick and asked.output is None:
        parser.error("--quick needs --output, so that real results are not overwritten")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    device = ("cuda" if torch.cuda.is_available() else "cpu") if asked.device is None else asked.device
    case = Case("miniature", "cpu", "float32")
    if device == "cuda":
        case = Case(SD15, "cuda", "float16", size=512)
    if asked.quick:
        told = report(Case(TINY, "cpu", "float32", frames=3, size=64), (3, 12), SMALL_VAE, in_process)
    else:
        told = report(case, LONG, VAE, alone)
    output = FOLDER / "PROFILES.md" if asked.output is None else asked.output
    write(output, told.encode())
    log.info("wrote %s", output)
    return 0


def in_process(function: Callable[..., Drawn], *told: Any) -> Drawn:
    """In this process: quicker, and memory peaks then mix all rows'."""
    return function(*told)


if __name__ == "__main__":
    sys.exit(main())

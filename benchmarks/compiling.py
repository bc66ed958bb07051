"""Videos with networks as they are and compiled by PyTorch: the first one, and those after it."""

import logging
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.networks import SD15, TINY, load
from benchmarks.profile_runs import apart
from benchmarks.sides import PROMPT, SEED
from benchmarks.speed import highest_memory_mb
from benchmarks.table import Row
from t2v.diffusion.options import Motion
from t2v.memory.compiled import Compiled
from t2v.memory.profiles import CPU, HIGH

logger = logging.getLogger(__name__)

AS_IT_IS, COMPILED = "as it is", "compiled"


@dataclass(frozen=True)
class CompiledPlan:
    """Videos of square frames, all from noise, so that one shape is compiled. network: as
    ``benchmarks.networks`` loads it. backend: of ``torch.compile``. later: videos after the first."""

    network: str = "miniature"
    device: str = "cpu"
    dtype: str = "float32"
    frames: int = 8
    size: int = 256
    steps: int = 10
    backend: str = "inductor"
    later: int = 3


@dataclass(frozen=True)
class CompiledRun:
    """Seconds of each video, the highest memory, and the last video's frames, uint8 (f h w c). On a CPU later
    videos' are the processor's, as others may use it; the compiler's work is not all this process's."""

    seconds: tuple[float, ...]
    peak_mb: float
    frames: np.ndarray


def draw_videos(plan: CompiledPlan, is_compiled: bool) -> CompiledRun:
    """The same video again and again, prompt to frames; loading the weights is left out."""
    pipeline = load(plan.network, plan.device, plan.dtype)
    memory = pipeline.memory
    memory.place(HIGH if plan.device == "cuda" else CPU, plan.device)
    memory.compiled, memory.asks_compiled = Compiled(pipeline.tell, plan.backend), is_compiled
    seconds: list[float] = []
    for _ in range(1 + plan.later):
        clock = time.process_time if seconds and plan.device == "cpu" else time.perf_counter
        began = clock()
        latents = pipeline(
            PROMPT,
            num_frames=plan.frames,
            height=plan.size,
            width=plan.size,
            num_inference_steps=plan.steps,
            motion=Motion(enabled=False),
            chunk_size=0,
            generator=torch.Generator().manual_seed(SEED),
        )
        frames = np.stack(list(pipeline.decode(latents)))  # waits for a GPU, too
        seconds.append(clock() - began)
        logger.info("%s, video %d: %.2f s", COMPILED if is_compiled else AS_IT_IS, len(seconds), seconds[-1])
    return CompiledRun(tuple(seconds), highest_memory_mb(plan.device), frames)


def compiled_rows(plan: CompiledPlan, run: Callable[..., Any]) -> list[Row]:
    """A row for networks as they are, and one for compiled ones. run: ``alone`` or ``here``."""
    runs = {how: run(draw_videos, plan, how == COMPILED) for how in (AS_IT_IS, COMPILED)}
    video = f"{plan.frames} frames, no chunks, {plan.steps} steps, {plan.size}x{plan.size}, {plan.dtype}"
    return [
        {
            "network": plan.network,
            "video": video,
            "how": how,
            "first, s": f"{one.seconds[0]:.3g}",
            "later, s": f"{_later(one):.3g}",
            "times faster": f"{_later(runs[AS_IT_IS]) / _later(one):.2f}",
            "peak MB": f"{one.peak_mb:.0f}",
            **apart(one.frames, runs[AS_IT_IS].frames),
        }
        for how, one in runs.items()
    ]


def _later(one: CompiledRun) -> float:
    return statistics.median(one.seconds[1:])


def compiled_plan(device: str) -> CompiledPlan:
    """What ``python -m benchmarks`` runs."""
    if device == "cuda":
        return CompiledPlan(SD15, "cuda", "float16", size=512, steps=50)
    return CompiledPlan()


def quick_compiled_plan() -> CompiledPlan:
    """The same paths in seconds: what is traced is called as it is, as the compiler alone takes minutes."""
    return CompiledPlan(TINY, frames=2, size=64, steps=2, backend="eager", later=1)

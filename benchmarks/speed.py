"""Time and memory: both sides take turns on one case, each in a process of its own."""

import logging
import multiprocessing
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.deprecated.text_to_video_synthesis.pipeline_text_to_video_zero import (
    TextToVideoZeroPipeline,
)

from benchmarks.networks import load
from benchmarks.sides import DRAW, OURS, PEER, Call, Case, peer_of, recorded
from t2v.diffusion.pipeline import TextToVideoPipeline

logger = logging.getLogger(__name__)

MB = 2**20


@dataclass(frozen=True)
class Measured:
    """One run of one side. peak_mb: the process's highest resident memory so far, or on a GPU the highest
    allocation of this run. frames: how many it drew."""

    seconds: float
    peak_mb: float
    calls: tuple[Call, ...]
    frames: int

    @property
    def evaluations(self) -> int:
        """Frames through the network, all guidance branches of a frame counted as one."""
        return sum(call.frames for call in self.calls)


@dataclass(frozen=True)
class Pair:
    """The runs of both sides on one case, in the order they were made."""

    case: Case
    runs: dict[str, tuple[Measured, ...]]

    def median(self, side: str) -> float:
        """Seconds."""
        return statistics.median(run.seconds for run in self.runs[side])

    def peak_mb(self, side: str) -> float:
        return max(run.peak_mb for run in self.runs[side])

    def call_seconds(self) -> dict[tuple[str, int], float]:
        """Median time of a network call by kind and number of frames, from all runs."""
        times: dict[tuple[str, int], list[float]] = {}
        for call in (call for runs in self.runs.values() for run in runs for call in run.calls):
            times.setdefault((call.kind, call.frames), []).append(call.seconds)
        return {key: statistics.median(values) for key, values in times.items()}


@cache
def pipeline_of(
    side: str, network: str, device: str, dtype: str
) -> TextToVideoPipeline | TextToVideoZeroPipeline:
    """One side's pipeline, loaded once a process."""
    ours = load(network, device, dtype)
    return ours if side == OURS else peer_of(ours)


def warm_up(side: str, case: Case) -> None:
    """Load, and run one step with batches of the case's sizes."""
    frames = 2 * case.chunk_size if case.chunk_size else case.frames
    measure(side, replace(case, frames=frames, steps=1))


@torch.inference_mode()
def measure(side: str, case: Case) -> Measured:
    """Draw the case once."""
    pipeline = pipeline_of(side, case.network, case.device, case.dtype)
    _finish(case.device)
    if case.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    with recorded(pipeline.unet) as calls:
        drawn = DRAW[side](pipeline, case)
    _finish(case.device)
    return Measured(time.perf_counter() - started, highest_memory_mb(case.device), tuple(calls), len(drawn))


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def highest_memory_mb(device: str) -> float:
    """Of this process so far, resident; on a GPU of PyTorch's allocations since its peak was last reset."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / MB
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the parent's memory from before the process began
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text()).group(1)) / 1024
    in_bytes = sys.platform == "darwin"
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MB if in_bytes else 1024)


Runner = Callable[..., object]  # runs a function for one side: (side, function, *arguments)


def in_process(side: str, function: Callable, *arguments: object) -> object:
    """The simplest runner; memory peaks then mix both sides'."""
    return function(*arguments)


@contextmanager
def own_processes(sides: Iterable[str] = (OURS, PEER)) -> Iterator[Runner]:
    """A runner with a fresh process for each side, all alive throughout and never busy at once."""
    with ExitStack() as stack:
        spawn = multiprocessing.get_context("spawn")
        pools = {side: stack.enter_context(ProcessPoolExecutor(1, spawn)) for side in sides}
        yield lambda side, function, *arguments: pools[side].submit(function, *arguments).result()


def alone(function: Callable[..., Any], *arguments: object) -> Any:
    """A function's answer by a process of its own, as memory that was used once stays with a process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def here(function: Callable[..., Any], *arguments: object) -> Any:
    """In this process: quicker, and memory peaks then mix all callers'."""
    return function(*arguments)


def take_turns(case: Case, run: Runner = in_process) -> Pair:
    """Both sides on one case, alternating, each warmed up before."""
    logger.info("%s: loading and warming up", describe(case))
    for side in DRAW:
        run(side, warm_up, side, case)
    runs: dict[str, list[Measured]] = {side: [] for side in DRAW}
    for i in range(case.repeats):
        for side in DRAW if i % 2 == 0 else reversed(DRAW):
            logger.info("%s, run %d of %d begins", side, i + 1, case.repeats)
            runs[side].append(run(side, measure, side, case))
            logger.info("%s, run %d: %.2f s", side, i + 1, runs[side][-1].seconds)
    return Pair(case, {side: tuple(values) for side, values in runs.items()})


def describe(case: Case) -> str:
    chunks = f"chunk {case.chunk_size}" if case.chunk_size else "no chunks"
    return f"{case.network}, {case.frames} frames, {chunks}, {case.steps} steps"

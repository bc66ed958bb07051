"""Single calls of the network: their time, their arithmetic, and how many of them a video takes."""

import logging
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial

import torch
from diffusers import UNet2DConditionModel
from diffusers.pipelines.deprecated.text_to_video_synthesis.pipeline_text_to_video_zero import (
    CrossFrameAttnProcessor2_0,
)
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.networks import DTYPES, SILENT, random_unet, shape_only
from benchmarks.sides import BRANCHES, FIRST, LATER, WHOLE, Call, Case
from benchmarks.speed import measure
from t2v.diffusion.calls import made_for_frames

logger = logging.getLogger(__name__)

TEXT_TOKENS = 77
CELL_PX = 8
Key = tuple[str, int]  # kind of call, frames in it


@dataclass(frozen=True)
class CallCase:
    """Calls to time: chunks of ``chunk_size`` frames, and one frame alone. size: output pixels, square."""

    network: str
    size: int
    chunk_size: int = 2
    dtype: str = "float32"
    repeats: int = 2


def calls_in_turn(unet: UNet2DConditionModel, frames: int, size: int) -> Iterator[tuple[str, Callable]]:
    """Each kind of call on ``frames`` frames of noise; a call must be made before the next is asked for,
    as the later chunk reads what the first one left."""
    own = {"device": unet.device, "dtype": unet.dtype}
    cells = size // CELL_PX
    noise = torch.randn(BRANCHES * frames, unet.config.in_channels, cells, cells, **own)
    text = torch.randn(BRANCHES, TEXT_TOKENS, unet.config.cross_attention_dim, **own)
    time_step = torch.tensor(500, device=unet.device)
    call = partial(unet, noise, time_step)
    with made_for_frames(unet) as bank:
        for kind in (FIRST, LATER):
            bank.expect(BRANCHES, kind == FIRST, alike=(BRANCHES,))
            yield kind, partial(call, encoder_hidden_states=text)
    found = unet.attn_processors
    unet.set_attn_processor(CrossFrameAttnProcessor2_0(BRANCHES))
    try:
        yield WHOLE, partial(call, encoder_hidden_states=text.repeat_interleave(frames, dim=0))
    finally:
        unet.set_attn_processor(found)


@torch.inference_mode()
def time_calls(case: CallCase) -> dict[Key, float]:
    """Median seconds of each kind of call, on the CPU; the kinds take turns."""
    unet = random_unet(case.network, "cpu", DTYPES[case.dtype])
    for _, call in calls_in_turn(unet, 1, case.size // 2):
        call()  # to warm up
    times: dict[Key, list[float]] = {}
    for i in range(case.repeats):
        for frames in (1, case.chunk_size):
            for kind, call in calls_in_turn(unet, frames, case.size):
                if (kind, frames) == (LATER, 1):
                    continue  # no video here has a chunk of one frame after its first
                started = time.perf_counter()
                call()
                times.setdefault((kind, frames), []).append(time.perf_counter() - started)
            logger.info("single calls of %d frames at %d px, round %d done", frames, case.size, i + 1)
    return {key: statistics.median(values) for key, values in times.items()}


@cache
def flops_by_kind(network: str, frames: int, size: int) -> dict[str, float]:
    """FLOPs of one call by kind, counted on tensors without contents."""
    counted = {}
    with torch.inference_mode():
        for kind, call in calls_in_turn(shape_only(network), frames, size):
            with FlopCounterMode(display=False) as counter:
                call()
            counted[kind] = counter.get_total_flops()
    return counted


def tally(calls: Iterable[Call]) -> Counter[Key]:
    """How many calls of each kind and number of frames."""
    return Counter((call.kind, call.frames) for call in calls)


def count_calls(side: str, frames: int, chunk_size: int, steps: int) -> Counter[Key]:
    """The calls that a video takes, counted while it is drawn by a network without arithmetic."""
    case = Case(SILENT, frames, chunk_size, steps, decode=False)
    return tally(measure(side, case).calls)


def evaluations(calls: Counter[Key]) -> int:
    """Frames through the network, all guidance branches of a frame counted as one."""
    return sum(frames * count for (_, frames), count in calls.items())


def flops(calls: Counter[Key], network: str, size: int) -> float:
    """FLOPs of all the calls together."""
    return sum(flops_by_kind(network, f, size)[kind] * count for (kind, f), count in calls.items())


def predicted_seconds(calls: Counter[Key], call_seconds: dict[Key, float]) -> float:
    """Time per call times number of calls."""
    return sum(call_seconds[key] * count for key, count in calls.items())


def matrix_peak(device: str, dtype: str, side: int = 2048, repeats: int = 10) -> float:
    """FLOP/s that a plain product of two square matrices reaches here, the best of ``repeats``."""
    a = torch.randn(side, side, device=device).to(DTYPES[dtype])
    best = float("inf")
    for _ in range(repeats):
        _wait(device)
        started = time.perf_counter()
        a @ a
        _wait(device)
        best = min(best, time.perf_counter() - started)
    return 2 * side**3 / best


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()

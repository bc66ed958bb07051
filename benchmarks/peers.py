"""Trained video models' networks beside ours: one call on a clip each, with random weights of real shapes."""

import logging
import statistics
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from diffusers import UNetMotionModel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.calls import CELL_PX, TEXT_TOKENS, calls_in_turn, matrix_peak
from benchmarks.networks import (
    ANIMATEDIFF,
    DTYPES,
    MODELSCOPE,
    SD15,
    TINY,
    TINY_ANIMATEDIFF,
    TINY_MODELSCOPE,
    random_unet,
    shape_only,
)
from benchmarks.sides import BRANCHES, FIRST, OURS, PEER, WHOLE
from benchmarks.speed import Runner, highest_memory_mb, in_process, own_processes

logger = logging.getLogger(__name__)

Row = dict[str, str]
KINDS = {OURS: FIRST, PEER: WHOLE}  # the others have no frame that all attend to
NAMES = {OURS: "Text2Video-Zero, here", PEER: "Text2Video-Zero, diffusers"}


@dataclass(frozen=True)
class PeerPlan:
    """Networks to time on one clip. networks: side -> network; OURS is among them, and what the others are
    compared with. size: output pixels, square."""

    networks: tuple[tuple[str, str], ...]
    size: int
    device: str = "cpu"
    dtype: str = "float32"
    frames: int = 16
    repeats: int = 3


@dataclass(frozen=True)
class Timed:
    """One call. peak_mb: as ``highest_memory_mb`` tells it."""

    seconds: float
    peak_mb: float


def call_once(side: str, unet: Any, plan: PeerPlan, around: Callable[[Callable], Any]) -> Any:
    """What ``around`` makes of one call of the network on noise, with guidance and a text for the clip."""
    if side in KINDS:
        with closing(calls_in_turn(unet, plan.frames, plan.size)) as calls:
            return next(around(call) for kind, call in calls if kind == KINDS[side])
    own = {"device": unet.device, "dtype": unet.dtype}
    cells = plan.size // CELL_PX
    noise = torch.randn(BRANCHES, unet.config.in_channels, plan.frames, cells, cells, **own)
    texts = BRANCHES * (plan.frames if isinstance(unet, UNetMotionModel) else 1)  # it wants one a frame
    text = torch.randn(texts, TEXT_TOKENS, unet.config.cross_attention_dim, **own)
    time_step = torch.tensor(500, device=unet.device)
    return around(lambda: unet(noise, time_step, encoder_hidden_states=text))


@cache
def _network(network: str, device: str, dtype: str) -> Any:
    """Made once a process."""
    torch.set_flush_denormal(True)  # as networks.load does
    return random_unet(network, device, DTYPES[dtype])


@torch.inference_mode()
def time_call(side: str, network: str, plan: PeerPlan) -> Timed:
    """One call on the plan's device, its noise made before."""
    on_gpu = plan.device == "cuda"
    wait: Callable[[], Any] = torch.cuda.synchronize if on_gpu else nullcontext
    unet = _network(network, plan.device, plan.dtype)
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()

    def timed(call: Callable) -> float:
        wait()
        started = time.perf_counter()
        call()
        wait()
        return time.perf_counter() - started

    return Timed(call_once(side, unet, plan, timed), highest_memory_mb(plan.device))


def take_turns(plan: PeerPlan, run: Runner) -> dict[str, list[Timed]]:
    """Every side's calls, in rounds whose order turns; a round before them warms up."""
    runs: dict[str, list[Timed]] = {side: [] for side, _ in plan.networks}
    for i in range(plan.repeats + 1):
        for side, network in plan.networks if i % 2 == 0 else reversed(plan.networks):
            found = run(side, time_call, side, network, plan)
            logger.info("%s, %d px, round %d: %.3f s", side, plan.size, i, found.seconds)
            if i > 0:
                runs[side].append(found)
    return runs


@torch.inference_mode()
def flops_of(side: str, network: str, plan: PeerPlan) -> int:
    """FLOPs of the call, counted on tensors without contents."""

    def counted(call: Callable) -> int:
        with FlopCounterMode(display=False) as counter:
            call()
        return counter.get_total_flops()

    return call_once(side, shape_only(network), plan, counted)


def parameters_of(network: str) -> int:
    return sum(weight.numel() for weight in shape_only(network).parameters())


def rows_of(plan: PeerPlan, peak_side: int, processes: bool) -> list[Row]:
    """A row a network. peak_side: of the matrices whose product sets the limit. processes: each network in
    one of its own, without which memory peaks are everybody's together."""
    peak = matrix_peak(plan.device, plan.dtype, peak_side)
    with own_processes(dict(plan.networks)) if processes else nullcontext(in_process) as run:
        runs = take_turns(plan, run)
    seconds = {side: statistics.median(one.seconds for one in found) for side, found in runs.items()}
    rows = []
    for side, network in plan.networks:
        work = flops_of(side, network, plan)
        rows.append(
            {
                "network": NAMES.get(side, side),
                "weights": f"random, {parameters_of(network) / 1e6:,.4g} million",
                "video": f"{plan.frames} frames, {plan.size}x{plan.size}, {plan.dtype}",
                "how": f"measured, median of {plan.repeats}",
                "one call, s": f"{seconds[side]:.4g}",
                "beside ours": f"{seconds[side] / seconds[OURS]:.2f}",
                "TFLOP": f"{work / 1e12:.4g}",
                "of the matrix limit": f"{work / peak / seconds[side]:.0%}",
                "peak MB": f"{max(one.peak_mb for one in runs[side]):.0f}",
            }
        )
        logger.info("%s", "; ".join(rows[-1].values()))
    return rows


def peer_plan(device: str) -> tuple[PeerPlan, ...]:
    """On a GPU each peer at the size it was trained for; on a CPU all at one that it can do in seconds."""
    same = ((OURS, SD15), (PEER, SD15))
    motion, volume = (ANIMATEDIFF, ANIMATEDIFF), (MODELSCOPE, MODELSCOPE)
    if device == "cuda":
        own = {"device": device, "dtype": "float16", "repeats": 10}
        return PeerPlan((*same, motion), 512, **own), PeerPlan((*same, volume), 256, **own)
    return (PeerPlan((*same, motion, volume), 128, dtype="bfloat16"),)


def quick_peer_plan() -> tuple[PeerPlan, ...]:
    """The same paths in a second."""
    tiny = ((OURS, TINY), (PEER, TINY), (ANIMATEDIFF, TINY_ANIMATEDIFF), (MODELSCOPE, TINY_MODELSCOPE))
    return (PeerPlan(tiny, 64, frames=4, repeats=1),)

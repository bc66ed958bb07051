"""The parts of the benchmark; each gives the rows of one table."""

import logging
from dataclasses import dataclass

import torch

from benchmarks.calls import (
    CallCase,
    Key,
    count_calls,
    evaluations,
    flops,
    matrix_peak,
    predicted_seconds,
    tally,
    time_calls,
)
from benchmarks.guided import GuidedPlan, guided_plan, memory_rows, quick_guided_plan, timing_rows
from benchmarks.networks import SD15
from benchmarks.peers import PeerPlan, peer_plan, quick_peer_plan, rows_of
from benchmarks.sides import OURS, PEER, Case
from benchmarks.speed import Pair, in_process, own_processes, take_turns

logger = logging.getLogger(__name__)

Row = dict[str, str]
PAPER_STEPS = 50


@dataclass(frozen=True)
class Plan:
    """What to run. counted, predicted: (frames, chunk size); these videos have PAPER_STEPS steps.

    calls: single calls to time, where whole videos at that size would take too long. peak_side: of the
    matrices whose product sets the arithmetic limit. processes: each side in a process of its own, or,
    quicker and without its own memory peak, both here.
    """

    miniature: tuple[Case, ...]
    sd15: tuple[Case, ...]
    guided: GuidedPlan
    peers: tuple[PeerPlan, ...]
    counted: tuple[tuple[int, int], ...] = ((8, 0), (16, 2), (64, 2), (256, 2))
    counted_network: str = SD15
    counted_size: int = 512
    predicted: tuple[tuple[int, int], ...] = ()
    calls: CallCase | None = None
    peak_side: int = 2048
    processes: bool = True

    def measure(self, case: Case) -> Pair:
        if not self.processes:
            return take_turns(case, in_process)
        with own_processes() as run:
            return take_turns(case, run)


def miniature(plan: Plan) -> list[Row]:
    """Whole videos, from the prompt to the frames."""
    return [measured_row(plan.measure(case)) for case in plan.miniature]


def sd15(plan: Plan) -> list[Row]:
    """Whole videos up to their latents, and longer ones from the time of their network calls."""
    rows, case = [], plan.sd15[0]
    peak = matrix_peak(case.device, case.dtype, plan.peak_side)
    logger.info("a matrix product reaches %.3g TFLOP/s in %s", peak / 1e12, case.dtype)
    for case in plan.sd15:
        pair = plan.measure(case)
        rows.append(measured_row(pair, peak))
        if case.chunk_size and case.device == "cpu":
            rows += predicted_rows(plan, case, "calls of the run above", pair.call_seconds(), peak)
    if plan.calls is not None:
        how = f"single calls, median of {plan.calls.repeats}"
        rows += predicted_rows(plan, plan.calls, how, time_calls(plan.calls), peak)
    return rows


def arithmetic(plan: Plan) -> list[Row]:
    """Counted work, no clock."""
    rows = []
    for frames, chunk_size in plan.counted:
        calls = {side: count_calls(side, frames, chunk_size, PAPER_STEPS) for side in (OURS, PEER)}
        n = {side: evaluations(calls[side]) for side in calls}
        tflop = {side: flops(calls[side], plan.counted_network, plan.counted_size) / 1e12 for side in calls}
        rows.append(
            {
                "network": plan.counted_network,
                "video": _video(frames, chunk_size, PAPER_STEPS, plan.counted_size),
                "ours, evaluations": str(n[OURS]),
                "diffusers, evaluations": str(n[PEER]),
                "times fewer": f"{n[PEER] / n[OURS]:.2f}",
                "ours, TFLOP": _figure(tflop[OURS]),
                "diffusers, TFLOP": _figure(tflop[PEER]),
                "times less": f"{tflop[PEER] / tflop[OURS]:.2f}",
            }
        )
        logger.info("%s", "; ".join(rows[-1].values()))
    return rows


def guided_timing(plan: Plan) -> list[Row]:
    """Videos that follow a clip, a row a task."""
    return timing_rows(plan.guided, plan.processes)


def guided_memory(plan: Plan) -> list[Row]:
    """The same of clips of two lengths."""
    return memory_rows(plan.guided, plan.processes)


def peers(plan: Plan) -> list[Row]:
    """Trained video models' networks beside ours, one call each."""
    return [row for one in plan.peers for row in rows_of(one, plan.peak_side, plan.processes)]


PARTS = {
    "miniature": miniature,
    "guided": guided_timing,
    "guided-memory": guided_memory,
    "sd15": sd15,
    "arithmetic": arithmetic,
    "peers": peers,
}


def measured_row(pair: Pair, peak: float | None = None) -> Row:
    """A row of medians. peak: FLOP/s of a matrix product here, to tell the share of it that was used."""
    case, ours = pair.case, pair.runs[OURS][0]
    row = _timed_row(
        case.network,
        f"{_video(case.frames, case.chunk_size, case.steps, case.size)}, {case.dtype}",
        "measured" if case.repeats == 1 else f"measured, median of {case.repeats}",
        {side: pair.median(side) for side in pair.runs},
        {side: pair.runs[side][0].evaluations for side in pair.runs},
    )
    row["ours, peak MB"] = f"{pair.peak_mb(OURS):.0f}"
    row["diffusers, peak MB"] = f"{pair.peak_mb(PEER):.0f}"
    if peak is not None:
        least = flops(tally(ours.calls), case.network, case.size)
        row["ours, of the matrix limit"] = f"{least / peak / pair.median(OURS):.0%}"
    return row


def predicted_rows(
    plan: Plan, timed: Case | CallCase, how: str, call_seconds: dict[Key, float], peak: float
) -> list[Row]:
    """Rows for whole videos: the median time of each kind of call times how many of them are counted."""
    rows = []
    for frames, chunk_size in plan.predicted:
        calls = {side: count_calls(side, frames, chunk_size, PAPER_STEPS) for side in (OURS, PEER)}
        seconds = {side: predicted_seconds(calls[side], call_seconds) for side in calls}
        video = f"{_video(frames, chunk_size, PAPER_STEPS, timed.size)}, {timed.dtype}"
        counted = {side: evaluations(calls[side]) for side in calls}
        row = _timed_row(timed.network, video, f"time per call x calls ({how})", seconds, counted)
        row["ours, peak MB"] = row["diffusers, peak MB"] = ""
        share = flops(calls[OURS], timed.network, timed.size) / peak / seconds[OURS]
        rows.append({**row, "ours, of the matrix limit": f"{share:.0%}"})
    return rows


def _timed_row(
    network: str, video: str, how: str, seconds: dict[str, float], frame_evaluations: dict[str, int]
) -> Row:
    row = {
        "network": network,
        "video": video,
        "how": how,
        "ours, s": _figure(seconds[OURS]),
        "diffusers, s": _figure(seconds[PEER]),
        "times faster": f"{seconds[PEER] / seconds[OURS]:.2f}",
        "ours, evaluations": str(frame_evaluations[OURS]),
        "diffusers, evaluations": str(frame_evaluations[PEER]),
    }
    logger.info("%s", "; ".join(row.values()))
    return row


def _figure(value: float) -> str:
    """Four figures, never in powers of ten."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _video(frames: int, chunk_size: int, steps: int, size: int) -> str:
    chunks = f"chunk {chunk_size}" if chunk_size else "no chunks"
    return f"{frames} frames, {chunks}, {steps} steps, {size}x{size}"


def full_plan(model: str) -> Plan:
    """What ``python -m benchmarks`` runs: for a GPU where there is one, else for two CPU cores."""
    small = tuple(
        Case(model, frames, chunk_size, steps, size=256, repeats=repeats)
        for frames, chunk_size, steps, repeats in ((8, 0, 25, 3), (16, 2, 10, 3), (64, 2, 5, 1))
    )
    if torch.cuda.is_available():
        own = {"size": 512, "device": "cuda", "dtype": "float16", "decode": False}
        videos = ((8, 0, 5), (16, 2, 3), (64, 2, 1))
        large = tuple(Case(SD15, frames, chunk, repeats=n, **own) for frames, chunk, n in videos)
        return Plan(small, large, guided_plan(model), peer_plan("cuda"), peak_side=8192)
    own = {"size": 256, "dtype": "bfloat16", "decode": False, "repeats": 1}
    return Plan(
        miniature=small,
        sd15=(Case(SD15, 16, 2, steps=4, **own),),
        guided=guided_plan(model),
        peers=peer_plan("cpu"),
        predicted=((16, 2), (64, 2)),
        calls=CallCase(SD15, 512, dtype="bfloat16", repeats=2),
    )


def quick_plan(network: str) -> Plan:
    """The same paths in seconds: a tiny network in every place."""
    own = {"size": 64, "decode": False, "repeats": 1}
    return Plan(
        miniature=(Case(network, 4, 2, steps=2, size=64, repeats=2),),
        sd15=(Case(network, 4, 2, steps=2, **own),),
        guided=quick_guided_plan(),
        peers=quick_peer_plan(),
        counted=((8, 0), (16, 2)),
        counted_network=network,
        counted_size=64,
        predicted=((8, 2),),
        calls=CallCase(network, 128, repeats=1),
        peak_side=256,
    )

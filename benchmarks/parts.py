"""The parts of the benchmark; each gives the rows of one table."""

import logging

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
from benchmarks.compiling import compiled_rows
from benchmarks.few_steps import few_step_rows
from benchmarks.gpu import all_gpu_rows
from benchmarks.guided import memory_rows, timing_rows
from benchmarks.peers import rows_of
from benchmarks.plans import Plan
from benchmarks.profiles import by_decoding, by_length, by_profile
from benchmarks.sides import OURS, PEER, Case
from benchmarks.sources import source_rows
from benchmarks.speed import Pair
from benchmarks.table import Row
from t2v.engine.engine import Engine

logger = logging.getLogger(__name__)

PAPER_STEPS = 50


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


def sources(plan: Plan) -> list[Row]:
    """Every kind of source by every task."""
    return source_rows(plan.sources, plan.run)


def profiles(plan: Plan) -> list[Row]:
    """How weights are kept: seconds, memory, and what it changes."""
    return by_profile(plan.profiles, plan.run)


def lengths(plan: Plan) -> list[Row]:
    """Videos of two lengths in the low profile."""
    return by_length(plan.profiles, plan.run)


def decoders(plan: Plan) -> list[Row]:
    """Ways of decoding a picture."""
    return by_decoding(plan.profiles, plan.run)


def few_steps(plan: Plan) -> list[Row]:
    """Motion in few steps."""
    return few_step_rows(plan.few_steps, Engine("cpu"))


def compiled(plan: Plan) -> list[Row]:
    """Networks as they are, and compiled."""
    return compiled_rows(plan.compiled, plan.run)


def gpu(plan: Plan) -> list[Row]:
    """The cases for a GPU; none where there is none."""
    return [] if plan.gpu is None else all_gpu_rows(plan.gpu)


PARTS = {
    "miniature": miniature,
    "guided": guided_timing,
    "guided-memory": guided_memory,
    "sd15": sd15,
    "arithmetic": arithmetic,
    "peers": peers,
    "sources": sources,
    "profiles": profiles,
    "lengths": lengths,
    "decoders": decoders,
    "few-steps": few_steps,
    "compiled": compiled,
    "gpu": gpu,
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

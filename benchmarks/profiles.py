"""Profiles and their memory: ``python -m benchmarks.profiles [--device cpu] [--quick --output FILE]``.

Each row is drawn by a process of its own, prompt to file. On a CPU the peak is its highest resident memory,
Python, PyTorch and the weights in it; on a GPU PyTorch's highest allocation, with Stable Diffusion 1.5's
shape in the miniature's place. Writes benchmarks/PROFILES.md, and the same figures into RESULTS.json.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu_models import VAE
from benchmarks.motion import machine
from benchmarks.networks import SD15, TINY
from benchmarks.profile_runs import LONG, STEPS, STRIPS, TILES, WHOLE, Case, apart, decode, draw
from benchmarks.speed import alone, here
from benchmarks.table import RESULTS, Row, save_part, table, write_whole
from t2v.memory.profiles import CPU, HIGH, LOW, MEDIUM

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
SMALL_VAE = {**VAE, "block_out_channels": (32, 32, 64, 64)}
Runner = Callable[..., Any]  # ``alone`` or ``here``


@dataclass(frozen=True)
class ProfilePlan:
    """What to measure. lengths: frames of videos in the low profile. vae: the decoder's shape. decoded: side
    of the picture it decodes, in pixels."""

    case: Case
    lengths: tuple[int, ...] = (LONG, 10 * LONG)
    vae: Mapping[str, Any] = field(default_factory=lambda: VAE)
    decoded: int = 256


def by_profile(plan: ProfilePlan, run: Runner) -> list[Row]:
    """A row a profile, with and without eight bits, beside the high one."""
    case = plan.case
    profiles = (HIGH, MEDIUM, LOW) if case.device == "cpu" else (HIGH, MEDIUM, LOW, CPU)
    cases = [replace(case, profile=one) for one in profiles]
    cases += [replace(case, profile=one, fp8=True) for one in (HIGH, LOW)]
    drawn = [(one, run(draw, one)) for one in cases]
    return [
        {
            "profile": f"{one.profile}{', fp8' if one.fp8 else ''}",
            **one.told,
            "s": f"{found.seconds:.1f}",
            "peak MB": f"{found.peak_mb:.0f}",
            **apart(found.frames, drawn[0][1].frames),
        }
        for one, found in drawn
    ]


def by_length(plan: ProfilePlan, run: Runner) -> list[Row]:
    """A row a length, in the low profile."""
    small = replace(plan.case, profile=LOW, size=plan.case.size // 2)
    cases = [replace(small, frames=frames) for frames in plan.lengths]
    peaks = [run(draw, one).peak_mb for one in cases]
    return [
        {
            "frames": str(one.frames),
            **one.told,
            "peak MB": f"{peak:.0f}",
            "more than the first": f"{peak / peaks[0] - 1:.1%}",
        }
        for one, peak in zip(cases, peaks, strict=True)
    ]


def by_decoding(plan: ProfilePlan, run: Runner) -> list[Row]:
    """A row a way of decoding."""
    size = plan.decoded
    drawn = {way: run(decode, way, plan.vae, size) for way in (WHOLE, STRIPS, TILES)}
    return [
        {
            "how": way,
            "video": f"1 frame, {size}x{size}, float32",
            "s": f"{found.seconds:.1f}",
            "MB more": f"{found.peak_mb:.0f}",
            **apart(found.frames, drawn[WHOLE].frames),
        }
        for way, found in drawn.items()
    ]


# part of the results -> what measures its rows
MEASURES = {"profiles": by_profile, "lengths": by_length, "decoders": by_decoding}


def report(plan: ProfilePlan, rows: dict[str, list[Row]]) -> str:
    """The page. rows: by part."""
    case, without = plan.case, ("network", "video")
    return f"""# Profiles and their memory

Made by `python -m benchmarks.profiles` on {date.today()}: {machine()}. Differences are in levels of 255 from
the high profile. {STEPS} steps; each row is drawn by a process of its own. Others used the machine too, so
seconds say little.

## {case.network}, {case.told["video"]}, on {case.device}

{table(rows["profiles"], without)}
On a CPU weights wait where they are computed with, so only chunks and strips save anything. Eight bits are
the one option that changes the picture.

## Length, in the low profile, {case.size // 2}x{case.size // 2}

{table(rows["lengths"], without)}
## The decoder, with random weights of Stable Diffusion's shape, {rows["decoders"][0]["video"]} on a CPU

{table(rows["decoders"], without)}
The memory is what decoding adds to the process. Strips are what the medium and low profiles use; tiles, here
of half a side, are diffusers' own way, and change the picture.
"""


def profile_plan(device: str) -> ProfilePlan:
    """What is measured on this device: the miniature, or on a GPU Stable Diffusion 1.5's shape."""
    if device == "cuda":
        return ProfilePlan(Case(SD15, "cuda", "float16", size=512))
    return ProfilePlan(Case("miniature", "cpu", "float32"))


def quick_profile_plan() -> ProfilePlan:
    """The same paths in seconds."""
    return ProfilePlan(Case(TINY, "cpu", "float32", frames=3, size=64), (3, 12), SMALL_VAE, 64)


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
    plan, run = (quick_profile_plan(), here) if asked.quick else (profile_plan(device), alone)
    output = FOLDER / "PROFILES.md" if asked.output is None else asked.output
    rows = {}
    for name, measure in MEASURES.items():
        began = time.monotonic()
        rows[name] = measure(plan, run)
        on = "cpu" if name == "decoders" else device
        kept_as = name if name == "decoders" else f"{name}-{device}"
        save_part(output.with_name(RESULTS.name), kept_as, on, rows[name], time.monotonic() - began)
    write_whole(output, report(plan, rows))
    log.info("wrote %s", output)
    return 0


if __name__ == "__main__":
    sys.exit(main())

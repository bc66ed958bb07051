"""Speed and memory on a GPU: ``python -m benchmarks.gpu --minutes 5 --out FOLDER [--tiny]``.

Random weights of Stable Diffusion's shapes in half precision, made on the device. Cases stand in the order of
their weight, each fails alone, and what was measured is written after every one: a run that is cut off keeps
it. FOLDER gets GPU.md, and RESULTS.json with a part that ``python -m benchmarks --take FILE`` puts beside the
others. --tiny runs all of it in small sizes, on a CPU too: to see that it runs.
"""

import argparse
import logging
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu_bench import Bench, Told
from benchmarks.gpu_cases import CASES
from benchmarks.networks import quiet
from benchmarks.table import RESULTS, Row, machine, save_part, write_whole

logger = logging.getLogger("benchmarks.gpu")


def markdown(about: str, told: dict[str, Told]) -> str:
    """A section a case."""
    text = f"# On a GPU\n\nMade by `python -m benchmarks.gpu`; random weights. {about}\n"
    for name, found in told.items():
        text += f"\n## {name}\n\n"
        text += "".join(f"- {what}: {_shown(value)}\n" for what, value in found.items())
    return text


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return "; ".join(f"{name} {_shown(one)}" for name, one in value.items())
    return ", ".join(_shown(one) for one in value) if isinstance(value, list) else str(value)


@dataclass(frozen=True)
class GpuPlan:
    """minutes: after which no case begins. is_tiny: small sizes, to see that it runs, on a CPU too."""

    device: str = "cuda"
    minutes: float = 10
    is_tiny: bool = False

    def bench(self) -> Bench:
        """On a GPU in half precision, as it is used there."""
        dtype = torch.float16 if self.device == "cuda" else torch.float32
        return Bench(self.device, dtype, self.is_tiny, time.monotonic() + 60 * self.minutes)


def all_gpu_rows(plan: GpuPlan) -> list[Row]:
    """What all cases came to that there was time for."""
    bench = plan.bench()
    (told,) = deque(measured(bench), maxlen=1)
    return gpu_rows(bench, told)


def measured(bench: Bench, only: Sequence[str] = ("",)) -> Iterator[dict[str, Told]]:
    """What all cases came to so far, told anew after every one. only: those whose names have one in them."""
    told: dict[str, Told] = {}
    for name, (measure, needed) in CASES.items():
        if not any(part in name for part in only):
            continue
        began, left = time.monotonic(), bench.ends - time.monotonic()
        if left < (0 if bench.tiny else needed):
            told[name] = {"left out": f"{left:.0f} s were left"}
        else:
            told[name] = _tried(measure, bench)
            told[name]["took, s"] = round(time.monotonic() - began, 1)
        logger.info("%s: %s", name, _shown(told[name]))
        yield told


def _tried(measure: Callable[[Bench], Told], bench: Bench) -> Told:
    try:
        return measure(bench)
    except Exception as error:  # the others are measured all the same
        traceback.print_exc()
        return {"failed": f"{type(error).__name__}: {error}"[:500]}


def gpu_rows(bench: Bench, told: dict[str, Told]) -> list[Row]:
    """A row a case, for the table of all results."""
    return [
        {
            "case": name,
            "video": bench.video,
            "best run, s": f"{min(found['runs, s']):.4g}" if "runs, s" in found else "",
            "figures": "; ".join(f"{what}: {_shown(value)}" for what, value in found.items() if value != []),
        }
        for name, found in told.items()
    ]


def main(arguments: list[str] | None = None) -> int:
    """0 where every case that there was time for went well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="after which no case begins")
    parser.add_argument("--out", type=Path, required=True, help="folder of GPU.md and RESULTS.json")
    parser.add_argument("--only", nargs="+", default=[""], help="cases whose names have one of these in them")
    parser.add_argument("--tiny", action="store_true", help="small sizes: to see that it runs")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    quiet()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    bench = GpuPlan(device, asked.minutes, asked.tiny).bench()
    began, told = time.monotonic(), {}
    for told in measured(bench, asked.only):
        results, part = asked.out / RESULTS.name, f"gpu-{bench.device}"
        save_part(results, part, bench.device, gpu_rows(bench, told), time.monotonic() - began)
        write_whole(asked.out / "GPU.md", markdown(machine(bench.device), told))
    return int(any("failed" in found for found in told.values()))


if __name__ == "__main__":
    sys.exit(main())

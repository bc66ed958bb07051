"""What shortcuts cost and save: ``python -m benchmarks.shortcuts`` writes benchmarks/SHORTCUTS.md.

Held-out prompts are drawn by the bundled model at its defaults but for the shortcut, a prompt's videos one
after the other so that all see the same machine, and judged by both bundled judges. Of Stable Diffusion's
networks, whose weights nobody has here, only the work is measured: random weights of the same shape.
"""

import argparse
import logging
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import torch

from benchmarks.motion import machine, write
from benchmarks.shortcut_costs import ALONE, OUTER, WHOLE, calls, costs, decoded_share
from miniature.cases import WORDS
from miniature.data import held_out_scenes
from miniature.exam import Exam, Plan
from miniature.judges.scenes import telling
from miniature.shapes import WEIGHTS
from t2v.diffusion.options import Shortcuts
from t2v.engine.engine import Engine
from t2v.evaluation.sharpness import sharpness
from t2v.tasks.text_to_video import TextToVideoSettings

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
FILE = "SHORTCUTS.md"
PROMPTS, FRAMES = 24, 8
FULL = Shortcuts()
WAYS = (
    FULL,
    Shortcuts(0.2, 1.0),
    Shortcuts(0.0, 0.8),
    Shortcuts(0.0, 0.6),
    Shortcuts(0.2, 0.8),
    Shortcuts(cache_steps=2),
    Shortcuts(cache_steps=3),
    Shortcuts(0.2, 0.8, 2),
)
SHAPES = {"sd1": ("Stable Diffusion 1.5", 64), "sdxl": ("Stable Diffusion XL", 128)}
STEPS = 50


@dataclass
class Seen:
    """What a way came to. videos: uint8 (f h w c) each. cpu_s: of each video, of the process."""

    way: Shortcuts
    videos: list[np.ndarray] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)


def name(way: Shortcuts) -> str:
    """As people choose it."""
    parts = [f"guidance {way.guided_from:g} to {way.guided_until:g}"] if way.within != FULL.within else []
    parts += [f"cache {way.cache_steps}"] if way.cache_steps > 1 else []
    return ", ".join(parts) if parts else "everything"


def draw(engine: Engine, prompts: Sequence[str]) -> list[Seen]:
    """Prompt number i with seed i in every way; which way comes first goes round."""
    rows = [Seen(way) for way in WAYS]
    engine.generate(TextToVideoSettings(prompts[0], num_frames=FRAMES, seed=0))  # what is done once
    for seed, prompt in enumerate(prompts):
        for row in (*rows[seed % len(rows) :], *rows[: seed % len(rows)]):
            way = row.way
            own = {"guided_from": way.guided_from, "guided_until": way.guided_until}
            asked = TextToVideoSettings(
                prompt, num_frames=FRAMES, seed=seed, cache_steps=way.cache_steps, **own
            )
            began_s = time.process_time()
            row.videos.append(engine.generate(asked).frames)
            row.cpu_s.append(time.process_time() - began_s)
        log.info("%d of %d prompts drawn", seed + 1, len(prompts))
    return rows


def line(exam: Exam, row: Seen, full: Seen, scenes: Sequence[object]) -> str:
    """One row of the miniature's table."""
    pictures = np.concatenate(row.videos)
    each = [scene for scene in scenes for _ in range(FRAMES)]
    told = [exam.judges.share(pictures, each, word) for word in WORDS]
    shares = " | ".join(f"{_share(one['clip'])}, {_share(one['reader'])}" for one in told)
    sharp = np.mean([sharpness(video) for video in row.videos])
    apart = np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(row.videos, full.videos, strict=True)])
    ratio = sum(row.cpu_s) / sum(full.cpu_s)
    return f"| {name(row.way)} | {shares} | {sharp:.2f} | {apart:.1f} | {ratio:.0%} |"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def shape_line(way: Shortcuts, shapes: Mapping[str, dict[str, dict[str, float]]]) -> str:
    """What STEPS steps of DDIM come to at each shape, of what they come to without the shortcut."""
    counted, cells = calls(STEPS, way), []
    for found in shapes.values():
        for unit in ("flops", "seconds"):
            alone = found[ALONE][unit]  # the outer blocks of one branch are taken to be as much less
            of_branches = {2: 1.0, 1: alone}
            work = sum(
                count * found[kind][unit] * of_branches[rows]
                for kind, each in counted.items()
                for rows, count in each.items()
            )
            cells.append("-" if math.isnan(work) or math.isinf(work) else f"{work / STEPS:.0%}")
    told = [f"{sum(counted[kind].values())}" for kind in (WHOLE, OUTER)]
    return f"| {name(way)} | {' | '.join((*told, *cells))} |"


def report(lines: Sequence[str], prompts: int, shapes: Mapping[str, dict[str, dict[str, float]]]) -> str:
    """The page, from what was measured."""
    of_shapes = "\n".join(shape_line(way, shapes) for way in WAYS)
    kinds = "\n".join(
        f"| {SHAPES[one][0]} | {kind} | {each['flops']:.0%} | "
        f"{'-' if math.isnan(each['seconds']) else format(each['seconds'], '.0%')} |"
        for one, found in shapes.items()
        for kind, each in found.items()
    )
    heads = " | ".join(f"{SHAPES[one][0]}: {unit}" for one in shapes for unit in ("FLOPs", "seconds"))
    rows = "\n".join(lines)
    return f"""# What shortcuts cost and save

`python -m benchmarks.shortcuts --prompts {prompts}`, {date.today().isoformat()}. {machine()}.

## The miniature

Videos of {FRAMES} frames of {prompts} held-out prompts at the defaults but for what a row says, the same seed
for a prompt in every row. No video is left out. Share of all frames in which the CLIP judge and the reader
see what was asked for; **apart**: mean difference from the frames with everything computed, of 255 levels;
**time**: processor seconds of whole videos, decoding included, drawn in turns. Where all {prompts} prompts
are right, up to {1 - 0.05 ** (1 / prompts):.0%} of others may still go wrong (95 % sure).

| shortcut | {" | ".join(WORDS)} | sharpness | apart | time |
|---|{"---|" * len(WORDS)}---|---|---|
{rows}

## Stable Diffusion's shape

Random weights, so only the work is measured. A call of the UNet on one frame with both branches of guidance
is the measure; FLOPs by PyTorch's counter, processor seconds in bfloat16 here ("-": not measured). A small
VAE for drafts decodes a picture in {decoded_share():.1%} of the FLOPs of Stable Diffusion's own.

| shape | call | FLOPs | seconds |
|---|---|---|---|
{kinds}

So {STEPS} steps of DDIM come to this, of the UNet's work without a shortcut:

| shortcut | whole calls | outer blocks alone | {heads} |
|---|---|---|{"---|" * 2 * len(shapes)}
{of_shapes}
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.shortcuts", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--prompts", type=int, default=PROMPTS, help=f"of the held-out ones ({PROMPTS})")
    parser.add_argument("--repeats", type=int, default=3, help="of timed calls at Stable Diffusion's shape")
    parser.add_argument("--output", type=Path, default=FOLDER, help=f"folder of {FILE}")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    torch.set_flush_denormal(True)  # random weights bring numbers so small that the CPU becomes slow on them
    repeats = {"sd1": options.repeats, "sdxl": 0}
    exam, scenes = Exam(WEIGHTS, torch.device("cpu"), Plan()), held_out_scenes(options.prompts)
    rows = draw(Engine("cpu", "float32"), [telling(scene) for scene in scenes])
    lines = [line(exam, row, rows[0], scenes) for row in rows]
    log.info("\n".join(lines))
    shapes = {one: costs(one, cells, repeats[one]) for one, (_, cells) in SHAPES.items()}
    options.output.mkdir(parents=True, exist_ok=True)
    write(options.output / FILE, report(lines, len(scenes), shapes).encode())
    log.info("wrote %s", options.output / FILE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.made_up import CONFIGS
from benchmarks.motion import machine, write
from miniature.cases import WORDS
from miniature.data import held_out_scenes
from miniature.exam import Exam, Plan
from miniature.judges.scenes import telling
from miniature.shapes import WEIGHTS
from t2v.diffusion.conditions import Guidance
from t2v.diffusion.deep_features import DeepFeatures
from t2v.diffusion.options import Shortcuts
from t2v.diffusion.sampling import make_scheduler
from t2v.engine.engine import Engine
from t2v.evaluation.sharpness import sharpness
from t2v.memory.memory import Memory
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
WHOLE, OUTER, ALONE = "whole", "outer blocks", "whole, one branch"
SHAPES = {"sd1": ("Stable Diffusion 1.5", 64), "sdxl": ("Stable Diffusion XL", 128)}
STEPS = 50
ORIGINAL_VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
}
SCHEDULE = {"_class_name": "DDIMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1}


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


def calls(steps: int, way: Shortcuts) -> dict[str, dict[int, int]]:
    """How often a run of DDIM asks for the whole network or its outer blocks: kind -> branches -> times."""
    times = make_scheduler("ddim", SCHEDULE, steps).timesteps
    guidance = Guidance(torch.zeros(2, 1, 1), scales=(7.5,), within=way.within)
    deep = DeepFeatures(_Blocks(), Memory(dict, log.info), way.cache_steps)
    found: dict[str, dict[int, int]] = {WHOLE: {}, OUTER: {}}
    for step in range(steps):
        branches = guidance.count(times, step)
        deep.begin(step, branches, "all frames")
        kind = found[OUTER if deep.is_known else WHOLE]
        kind[branches] = kind.get(branches, 0) + 1
    return found


class _Blocks:
    """Of what a UNet is, as much as a count needs."""

    down_blocks = up_blocks = (None, None)


def costs(generation: str, cells: int, timed: int) -> dict[str, dict[str, float]]:
    """Of each kind of call its share of the whole one's FLOPs, and of its seconds, the least of so many."""
    found = {kind: {"flops": 0.0, "seconds": math.inf} for kind in (WHOLE, OUTER, ALONE)}
    with torch.device("meta"):
        unet = UNet2DConditionModel(**CONFIGS[generation])
    for kind, one in found.items():
        with around_call(unet, generation, cells, kind) as call, FlopCounterMode(display=False) as counter:
            call()
        one["flops"] = counter.get_total_flops()
    if timed:
        torch.manual_seed(0)
        unet = UNet2DConditionModel(**CONFIGS[generation]).to(torch.bfloat16).eval()
        unet = unet.to(memory_format=torch.channels_last)
    for number in range(timed):
        for kind, one in found.items():
            with around_call(unet, generation, cells, kind) as call:
                began_s = time.process_time()
                call()
                one["seconds"] = min(one["seconds"], time.process_time() - began_s)
        log.info("%s: round %d of %d", generation, number + 1, timed)
    whole = found[WHOLE]
    return {kind: {unit: one[unit] / whole[unit] for unit in one} for kind, one in found.items()}


@contextmanager
def around_call(
    unet: UNet2DConditionModel, generation: str, cells: int, kind: str
) -> Iterator[Callable[[], object]]:
    """A call of one frame; before that of the outer blocks a whole one has been made."""
    rows, own = 1 if kind == ALONE else 2, {"device": unet.device, "dtype": unet.dtype}
    noise = torch.randn(rows, 4, cells, cells, **own)
    text = torch.randn(rows, 77, CONFIGS[generation]["cross_attention_dim"], **own)
    added = {"text_embeds": torch.randn(rows, 1280, **own), "time_ids": torch.ones(rows, 6, **own)}
    told = {"added_cond_kwargs": added} if generation == "sdxl" else {}
    deep = DeepFeatures(unet, Memory(lambda: {"unet": unet}, log.info), 2)
    call = partial(unet, noise, torch.tensor(500, device=unet.device), text, **told)
    with torch.inference_mode():
        for step in range(2 if kind == OUTER else 1):
            deep.begin(step, rows, "this frame")
            with deep.around(range(1), {}):
                if kind == OUTER and step == 0:
                    call()
                else:
                    yield call


def decoded_share() -> float:
    """FLOPs of TAESD's decoder on one picture, as a share of those of Stable Diffusion's VAE."""
    counts = []
    with torch.device("meta"), torch.inference_mode():
        latents = torch.zeros(1, 4, 64, 64)
        for vae in (AutoencoderTiny(), AutoencoderKL(**ORIGINAL_VAE)):
            with FlopCounterMode(display=False) as counter:
                vae.decode(latents)
            counts.append(counter.get_total_flops())
    return float(counts[0] / counts[1])


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

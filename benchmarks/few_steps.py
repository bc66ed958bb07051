"""Motion asked for and motion seen in few steps: ``python -m benchmarks.few_steps``.

Draws prompts of ``benchmarks.motion`` with the bundled miniature by the paper's method, 6 px a frame
sideways, with each sampler of models for few steps in 1, 2, 4 and 8 of them, and writes FEW_STEPS.md. The
miniature itself is made for many steps: what is measured is whether the method moves what is drawn, not how
well few steps draw.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.motion import ASKED_PX, FOLDER, PROMPTS, TARGET, Clip, draw, machine, mean, write
from t2v.diffusion.moving import motion_steps
from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.diffusion.sampling import make_scheduler
from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.few_step_kinds import KINDS
from t2v.weights.source import BUNDLED

log = logging.getLogger(__name__)

STEPS = (1, 2, 4, 8)
SAMPLERS = tuple(dict.fromkeys(kind.scheduler for kind in KINDS))
FILE = "FEW_STEPS.md"
Row = tuple[str, int]  # a sampler, and in how many steps


def draw_row(model: Engine, row: Row, prompts: int) -> list[Clip]:
    """One clip a prompt; prompt number i has seed i in every row, so that only sampler and steps differ."""
    clips = []
    for seed, prompt in enumerate(PROMPTS[:prompts]):
        asked = TextToVideoSettings(
            prompt,
            model=BUNDLED,
            seed=seed,
            motion_x=ASKED_PX[0],
            motion_y=ASKED_PX[1],
            method="paper",
            scheduler=row[0],
            num_inference_steps=row[1],
        )
        clips.append(draw(model, model.resolve(asked)))
    return clips


def times(pipeline: TextToVideoPipeline, clip: Clip) -> tuple[int, int]:
    """The times T' and T at which a clip's frames were moved and noised again."""
    run = clip.run
    motion = run._motion()
    schedule = make_scheduler(run.scheduler, pipeline._noise_config, run.num_inference_steps, run.spacing)
    size = (run.height // pipeline.cell_px, run.width // pipeline.cell_px)
    t1, t0 = motion_steps(pipeline, motion, schedule, size)
    return round(float(schedule.timesteps[t0])), round(float(schedule.timesteps[t1]))


def line(row: Row, at: tuple[int, int], clips: Sequence[Clip]) -> str:
    """One row of the table."""
    x, y = np.mean([clip.movement.per_frame for clip in clips], axis=0)
    drawn = list(clips)
    within = sum(clip.error <= TARGET for clip in drawn)
    return (
        f"| {row[0]} | {row[1]} | {at[0]}, {at[1]} | ({x:.2f}, {y:.2f}) | "
        f"{mean(drawn, lambda clip: clip.error):.0%} | {within} of {len(drawn)} | "
        f"{mean(drawn, lambda clip: clip.alike):.2f} | {mean(drawn, lambda clip: clip.flicker):.1f} |"
    )


def report(model: Engine, clip: Clip, prompts: int, lines: Sequence[str]) -> str:
    """The page, from what was measured; clip: any of them, for what all have in common."""
    run, rows = clip.run, "\n".join(lines)
    return f"""# Motion in few steps

`python -m benchmarks.few_steps --prompts {prompts}`, {date.today().isoformat()}. {machine()}; device \
{model.device}, {str(model.dtype).removeprefix("torch.")}. The bundled miniature, {run.width}x{run.height}, \
{run.num_frames} frames, the paper's method, guidance {run.guidance_scale:g}, ({ASKED_PX[0]:g}, \
{ASKED_PX[1]:g}) px a frame asked for. No clip is left out.

The miniature is made for many steps, so this tells whether what is drawn moves as asked, with the samplers of
models made for few, and not how such models draw. **T', T**: the times of the steps that frames are moved at
and noised up to. What **seen**, **off by**, **alike** and **flicker** are stands in [MOTION.md](MOTION.md).

| sampler | steps | T', T | seen, px a frame | off by, mean | within {TARGET:.0%} | alike | flicker |
|---|---|---|---|---|---|---|---|
{rows}
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.few_steps", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--prompts", type=int, default=len(PROMPTS), choices=range(1, len(PROMPTS) + 1))
    parser.add_argument("--samplers", nargs="+", default=SAMPLERS, choices=SAMPLERS)
    parser.add_argument("--steps", nargs="+", type=int, default=STEPS)
    parser.add_argument("--dtype", default=None, help="float32, float16 or bfloat16")
    parser.add_argument("--output", type=Path, default=FOLDER, help=f"folder of {FILE}")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    model, lines = Engine(dtype=options.dtype), []
    for row in ((sampler, steps) for sampler in options.samplers for steps in options.steps):
        clips = draw_row(model, row, options.prompts)
        lines.append(line(row, times(model.load(BUNDLED), clips[0]), clips))
        log.info(lines[-1])
    options.output.mkdir(parents=True, exist_ok=True)
    write(options.output / FILE, report(model, clips[0], options.prompts, lines).encode())
    log.info("wrote %s", options.output / FILE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Motion asked for and motion seen in few steps: ``python -m benchmarks.few_steps``.

Draws prompts of ``benchmarks.motion`` with the bundled miniature by the paper's method, 6 px a frame
sideways, with each sampler of models for few steps in 1, 2, 4 and 8 of them; writes FEW_STEPS.md, and the
part "few-steps" of RESULTS.json. The miniature itself is made for many steps: what is measured is whether the
method moves what is drawn, not how well few steps draw.
"""

import argparse
import logging
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.motion import ASKED_PX, FOLDER, PROMPTS, TARGET, Clip, draw, machine, mean
from benchmarks.table import RESULTS, save_part, table, write_whole
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
Row = dict[str, str]


@dataclass(frozen=True)
class FewPlan:
    """What to draw. prompts: how many. size: of square frames, in pixels; None: the miniature's own."""

    prompts: int = len(PROMPTS)
    samplers: tuple[str, ...] = SAMPLERS
    steps: tuple[int, ...] = STEPS
    size: int | None = None


def draw_clips(model: Engine, plan: FewPlan, sampler: str, steps: int) -> list[Clip]:
    """One clip a prompt; prompt number i has seed i in every row, so that only sampler and steps differ."""
    clips = []
    for seed, prompt in enumerate(PROMPTS[: plan.prompts]):
        asked = TextToVideoSettings(
            prompt,
            model=BUNDLED,
            seed=seed,
            motion_x=ASKED_PX[0],
            motion_y=ASKED_PX[1],
            method="paper",
            scheduler=sampler,
            num_inference_steps=steps,
            width=plan.size,
            height=plan.size,
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


def row_of(clips: list[Clip], at: tuple[int, int], seconds: float) -> Row:
    """What clips of one sampler came to. seconds: a video, measuring its motion in it; on a CPU of it."""
    run = clips[0].run
    x, y = np.mean([clip.movement.per_frame for clip in clips], axis=0)
    within = sum(clip.error <= TARGET for clip in clips)
    return {
        "sampler": run.scheduler,
        "steps": str(run.num_inference_steps),
        "video": f"{run.num_frames} frames, {run.width}x{run.height}",
        "T', T": f"{at[0]}, {at[1]}",
        "seen, px a frame": f"({x:.2f}, {y:.2f})",
        "off by, mean": f"{mean(clips, lambda clip: clip.error):.0%}",
        f"within {TARGET:.0%}": f"{within} of {len(clips)}",
        "alike": f"{mean(clips, lambda clip: clip.alike):.2f}",
        "flicker": f"{mean(clips, lambda clip: clip.flicker):.1f}",
        "s": f"{seconds:.2f}",
    }


def few_step_rows(plan: FewPlan, model: Engine) -> list[Row]:
    """A row a sampler and number of steps."""
    rows, clock = [], time.process_time if model.device == "cpu" else time.perf_counter
    for sampler in plan.samplers:
        for steps in plan.steps:
            began = clock()
            clips = draw_clips(model, plan, sampler, steps)
            seconds = (clock() - began) / len(clips)
            rows.append(row_of(clips, times(model.load(BUNDLED), clips[0]), seconds))
            log.info("; ".join(rows[-1].values()))
    return rows


def report(model: Engine, prompts: int, rows: list[Row]) -> str:
    """The page, from what was measured."""
    return f"""# Motion in few steps

`python -m benchmarks.few_steps --prompts {prompts}`, {date.today().isoformat()}. {machine()}; device \
{model.device}, {str(model.dtype).removeprefix("torch.")}. The bundled miniature, the paper's method, \
({ASKED_PX[0]:g}, {ASKED_PX[1]:g}) px a frame asked for. No clip is left out.

The miniature is made for many steps, so this tells whether what is drawn moves as asked, with the samplers of
models made for few, and not how such models draw. **T', T**: the times of the steps that frames are moved at
and noised up to. What **seen**, **off by**, **alike** and **flicker** are stands in [MOTION.md](MOTION.md).

{table(rows)}"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.few_steps", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--prompts", type=int, default=len(PROMPTS), choices=range(1, len(PROMPTS) + 1))
    parser.add_argument("--samplers", nargs="+", default=SAMPLERS, choices=SAMPLERS)
    parser.add_argument("--steps", nargs="+", type=int, default=STEPS)
    parser.add_argument("--dtype", default=None, help="float32, float16 or bfloat16")
    parser.add_argument("--output", type=Path, default=FOLDER, help=f"folder of {FILE} and the results")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    model, began = Engine(dtype=options.dtype), time.monotonic()
    plan = FewPlan(options.prompts, tuple(options.samplers), tuple(options.steps))
    rows = few_step_rows(plan, model)
    save_part(options.output / RESULTS.name, "few-steps", model.device, rows, time.monotonic() - began)
    write_whole(options.output / FILE, report(model, options.prompts, rows))
    log.info("wrote %s", options.output / FILE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Motion asked for and motion seen, and the paper's ablation: ``python -m benchmarks.motion``.

Draws ten prompts with the bundled miniature at its defaults, 6 px a frame sideways, as they are and with
parts of the method changed, measures every clip, and writes benchmarks/MOTION.md and ablation.jpg.
"""

import argparse
import io
import logging
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from t2v.engine.engine import Engine
from t2v.evaluation.movement import Movement, drift, flicker, movement
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.text_to_video_run import ResolvedTextToVideo
from t2v.weights.source import BUNDLED

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
ASKED_PX = (6.0, 0.0)
TARGET = 0.15
PROMPTS = (
    "a red car on the street",
    "a blue boat on the sea",
    "a yellow balloon on the grass",
    "a green ball on the beach",
    "a pink house on the snow",
    "a purple robot on the moon",
    "a white cat on the grass",
    "an orange dog on the beach",
    "a black panda on the snow",
    "a red star on the sea",
)
# what is changed -> the settings that change; the first four are the paper's ablation
VARIANTS: dict[str, dict] = {
    "whole method": {},
    "without cross-frame attention": {"cross_frame_attention": False},
    "without motion field": {"motion_field": False},
    "without both": {"cross_frame_attention": False, "motion_field": False},
    "warp by whole cells": {"warp": "whole-cell"},
    "warp of the references": {"warp": "reference"},
    "T' and T of the paper": {"t0": 881, "t1": 941},
}
ABLATION = 4
FRAME_PX = 128  # side of a frame in the picture
LABEL_PX = 18
MAX_PICTURE_BYTES = 300_000


@dataclass(frozen=True, eq=False)
class Clip:
    """A drawn clip and its measures. flicker, drift: mean absolute differences of 255, motion undone."""

    run: ResolvedTextToVideo
    frames: np.ndarray
    movement: Movement
    flicker: float
    drift: float

    @property
    def error(self) -> float:
        """Distance of the motion seen from the motion asked for, as a share of the latter."""
        return self.movement.error(ASKED_PX)

    @property
    def alike(self) -> float:
        return float(self.movement.alike.mean())


def draw(model: Engine, run: ResolvedTextToVideo) -> Clip:
    """Draw and measure one clip; run: as ``Engine.resolve`` returns it."""
    frames = np.stack(list(model.frames(run)))
    seen = movement(frames)
    return Clip(run, frames, seen, flicker(frames, seen), drift(frames, seen))


def draw_all(model: Engine, source: str, prompts: int, variants: list[str]) -> dict[str, list[Clip]]:
    """Each variant's clips; prompt number i has seed i in all of them, so that only the method differs."""
    clips: dict[str, list[Clip]] = {}
    for name in variants:
        for seed, prompt in enumerate(PROMPTS[:prompts]):
            settings = TextToVideoSettings(
                prompt, model=source, seed=seed, motion_x=ASKED_PX[0], motion_y=ASKED_PX[1], method="paper"
            )
            clip = draw(model, model.resolve(replace(settings, **VARIANTS[name])))
            clips.setdefault(name, []).append(clip)
            x, y = clip.movement.per_frame
            log.info("%s, %s: (%.2f, %.2f) px a frame, alike %.2f", name, prompt, x, y, clip.alike)
    return clips


def mean(clips: list[Clip], measure: Callable[[Clip], float]) -> float:
    return float(np.mean([measure(clip) for clip in clips]))


def prompts_table(clips: list[Clip]) -> str:
    """Motion asked and seen, a row a prompt."""
    rows = [
        "| prompt | seed | asked, px a frame | seen | off by | judder, px | alike | flicker |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for clip in clips:
        x, y = clip.movement.per_frame
        rows.append(
            f"| {clip.run.asked.prompt} | {clip.run.seed} | ({ASKED_PX[0]:g}, {ASKED_PX[1]:g}) | "
            f"({x:.2f}, {y:.2f}) | {clip.error:.0%} | {clip.movement.judder:.2f} | {clip.alike:.2f} | "
            f"{clip.flicker:.1f} |"
        )
    return "\n".join(rows)


def variants_table(clips: dict[str, list[Clip]]) -> str:
    """Means over the prompts, a row a variant."""
    rows = [
        f"| | motion seen, px a frame | off by, mean | within {TARGET:.0%} | judder, px | alike | flicker "
        "| drift |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, drawn in clips.items():
        x, y = np.mean([clip.movement.per_frame for clip in drawn], axis=0)
        within = sum(clip.error <= TARGET for clip in drawn)
        rows.append(
            f"| {name} | ({x:.2f}, {y:.2f}) | {mean(drawn, lambda clip: clip.error):.0%} | "
            f"{within} of {len(drawn)} | {mean(drawn, lambda clip: clip.movement.judder):.2f} | "
            f"{mean(drawn, lambda clip: clip.alike):.2f} | {mean(drawn, lambda clip: clip.flicker):.1f} | "
            f"{mean(drawn, lambda clip: clip.drift):.1f} |"
        )
    return "\n".join(rows)


def machine() -> str:
    """Processor, cores and versions, in one line."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{processor}, {os.cpu_count()} cores, {versions}"


def report(model: Engine, clips: dict[str, list[Clip]]) -> str:
    """The page, from what was measured."""
    whole = clips["whole method"]
    run = whole[0].run
    asked = run.asked
    seen = np.mean([clip.movement.per_frame for clip in whole], axis=0)
    off = np.linalg.norm(seen - ASKED_PX) / np.linalg.norm(ASKED_PX)
    source = "the bundled miniature" if asked.model == BUNDLED else Path(asked.model).name
    return f"""# Motion asked for, motion seen

`python -m benchmarks.motion`, {date.today().isoformat()}. {machine()}; device {model.device}, \
{str(model.dtype).removeprefix("torch.")}. Model: {source}, {run.width}x{run.height}, \
{run.num_frames} frames, {run.num_inference_steps} steps of {run.scheduler}, guidance \
{run.guidance_scale:g}, T' = {run.t0}, T = {run.t1}, warp {asked.warp}. No clip is left out.

- **seen**: the steady motion, in output pixels a frame, that fits best where the first frame's picture lies
  in the others; places are found by correlating outlines (`t2v/evaluation/movement.py`, checked on drawn
  clips of known motion by `tests/evaluation/test_movement.py`). **off by**: its distance from the motion
  asked for.
- **judder**: how far the steps between neighbouring frames stray from their mean.
- **alike**: how well the outlines of a frame, moved back, agree with the first frame's: 1 the same picture,
  0.3 and less another picture, in which no motion can be seen and the figure for it means nothing.
- **flicker**, **drift**: mean change, of 255, between neighbouring frames and against the first frame, after
  undoing the motion seen.

## Ten prompts at the defaults

{prompts_table(whole)}

Over all: ({seen[0]:.2f}, {seen[1]:.2f}) px a frame, {off:.1%} off; {sum(c.error <= TARGET for c in whole)} \
of {len(whole)} clips are within {TARGET:.0%}.

## What each part does

The same prompts and seeds with parts of the method switched off or replaced.

{variants_table(clips)}

![The first prompt with and without motion field and cross-frame attention](ablation.jpg)
"""


def ablation_picture(clips: dict[str, list[Clip]]) -> bytes:
    """The first prompt's frames, a labelled row for each of the paper's four."""
    return picture_of([(name, clips[name][0].frames) for name in list(VARIANTS)[:ABLATION] if name in clips])


def picture_of(rows: list[tuple[str, np.ndarray]]) -> bytes:
    """Labelled rows of frames (f, h, w, 3): a JPEG of at most 300 KB."""
    row_px = FRAME_PX + LABEL_PX
    sheet = Image.new("RGB", (len(rows[0][1]) * FRAME_PX, len(rows) * row_px), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for i, (name, frames) in enumerate(rows):
        pen.text((4, i * row_px + 1), name, fill="black", font=font)
        for k, frame in enumerate(frames):
            small = Image.fromarray(frame).resize((FRAME_PX, FRAME_PX), Image.Resampling.LANCZOS)
            sheet.paste(small, (k * FRAME_PX, i * row_px + LABEL_PX))
    return jpeg(sheet)


def jpeg(picture: Image.Image) -> bytes:
    """The picture as fine as fits into 300 KB."""
    for quality in (92, 85, 75, 60):
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=quality)
        if data.tell() <= MAX_PICTURE_BYTES:
            break
    return data.getvalue()


def write(path: Path, data: bytes) -> None:
    """Write under another name and rename, so that a half result never replaces a whole one."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.motion", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="miniature", help="miniature, or a folder or hub id")
    parser.add_argument("--prompts", type=int, default=len(PROMPTS), choices=range(1, len(PROMPTS) + 1))
    parser.add_argument("--ablation-only", action="store_true", help="leave the other variants out")
    parser.add_argument("--dtype", default=None, help="float32, float16 or bfloat16")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of MOTION.md and ablation.jpg")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    model = Engine(dtype=options.dtype)
    names = list(VARIANTS)[: ABLATION if options.ablation_only else None]
    clips = draw_all(model, options.model, options.prompts, names)
    options.output.mkdir(parents=True, exist_ok=True)
    write(options.output / "ablation.jpg", ablation_picture(clips))
    write(options.output / "MOTION.md", report(model, clips).encode())
    log.info("wrote %s", options.output / "MOTION.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Samplers and numbers of steps: ``python -m benchmarks.samplers`` writes benchmarks/SAMPLERS.md.

Held-out prompts are drawn by the bundled model at its defaults but for the sampler, its steps and the
precision, the same seed for a prompt in every row. Both bundled judges look at every frame.
"""

import argparse
import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import torch

from benchmarks.motion import machine, write
from benchmarks.networks import quiet
from miniature.cases import WORDS
from miniature.data import held_out_scenes
from miniature.exam import Exam, Plan
from miniature.judges.scenes import telling
from miniature.shapes import WEIGHTS
from miniature.world import Scene
from t2v.engine.engine import Engine
from t2v.evaluation.sharpness import sharpness
from t2v.tasks.text_to_video import TextToVideoSettings

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
PROMPTS = 60
FRAMES = 8
WAYS = ("ddim:25", "dpm++:12", "dpm++:12:bfloat16", "dpm++:16", "dpm++:8", "unipc:12", "ddim:10")


@dataclass(frozen=True)
class Way:
    """How videos are drawn in a row of the table: as text "dpm++:12", or "dpm++:12:bfloat16"."""

    scheduler: str
    steps: int
    dtype: str = "float32"

    @classmethod
    def read(cls, text: str) -> "Way":
        scheduler, steps, *dtype = text.split(":")
        return cls(scheduler, int(steps), *dtype)


@dataclass(frozen=True)
class Seen:
    """What a way of drawing came to. shares: word class -> share of frames, by judge. cpu_s: of the process,
    a video. sharp: mean sharpness."""

    way: Way
    shares: Mapping[str, Mapping[str, float | None]]
    cpu_s: float
    sharp: float


def look(exam: Exam, way: Way, scenes: list[Scene], **options: object) -> Seen:
    """Draw and judge the scenes' prompts one way, prompt number i with seed i. options: further settings."""
    engine = Engine("cpu", way.dtype)
    fields = {"num_frames": FRAMES, "scheduler": way.scheduler, "num_inference_steps": way.steps, **options}
    engine.load("miniature")
    engine.generate(TextToVideoSettings(telling(scenes[0]), seed=0, **fields))  # what is done once
    began_s, videos = time.process_time(), []
    for seed, scene in enumerate(scenes):
        videos.append(engine.generate(TextToVideoSettings(telling(scene), seed=seed, **fields)).frames)
        log.info("%s: %d of %d drawn", way, seed + 1, len(scenes))
    cpu_s = (time.process_time() - began_s) / len(scenes)
    pictures, each = np.concatenate(videos), [scene for scene in scenes for _ in range(len(videos[0]))]
    shares = {name: exam.judges.share(pictures, each, name) for name in WORDS}
    return Seen(way, shares, cpu_s, float(np.mean([sharpness(video) for video in videos])))


def report(rows: list[Seen], prompts: int) -> str:
    """The page, from what was measured."""
    lines = [
        f"| sampler | steps | precision | {' | '.join(WORDS)} | sharpness | CPU seconds a video |",
        f"|---|---|---|{'---|' * len(WORDS)}---|---|",
    ]
    for one in rows:
        told = " | ".join(f"{_share(one, name, 'clip')}, {_share(one, name, 'reader')}" for name in WORDS)
        way = one.way
        lines.append(
            f"| {way.scheduler} | {way.steps} | {way.dtype} | {told} | {one.sharp:.2f} | {one.cpu_s:.1f} |"
        )
    table = "\n".join(lines)
    return f"""# Samplers and steps of the miniature

`python -m benchmarks.samplers --prompts {prompts}`, {date.today().isoformat()}. {machine()}; \
{torch.get_num_threads()} thread(s), and others used the machine too.

Videos of {FRAMES} frames of {prompts} held-out prompts at the defaults but for what a row says, the same \
seed for a prompt in every row. No video is left out. Share of all frames in which the CLIP judge and the \
reader see what was asked for; seconds are of the process, of whole videos, decoding included. Where all \
{prompts} prompts are right, up to {1 - 0.05 ** (1 / prompts):.0%} of others may still go wrong (95 % sure).

{table}
"""


def _share(seen: Seen, name: str, judge: str) -> str:
    share = seen.shares[name][judge]
    return "-" if share is None else f"{share:.1%}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.samplers", description=__doc__.split("\n")[0])
    parser.add_argument("--prompts", type=int, default=PROMPTS, help=f"of the held-out ones ({PROMPTS})")
    parser.add_argument("--ways", nargs="+", default=WAYS, metavar="SAMPLER:STEPS[:DTYPE]")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of SAMPLERS.md")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    quiet()
    exam, scenes, rows = Exam(WEIGHTS, torch.device("cpu"), Plan()), held_out_scenes(options.prompts), []
    options.output.mkdir(parents=True, exist_ok=True)
    for text in options.ways:
        rows.append(look(exam, Way.read(text), scenes))
        write(options.output / "SAMPLERS.md", report(rows, len(scenes)).encode())  # each row takes long
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

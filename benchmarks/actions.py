"""Figures that act: ``python -m benchmarks.actions`` writes benchmarks/ACTIONS.md and actions.jpg.

Each prompt names a figure and what it does; the bundled model draws it at its defaults, by skeletons made for
it (``t2v/tasks/actions.py``). The second judge then reads every frame without knowing any of that: where the
joints are, what the figure is and of which colour.
"""

import argparse
import logging
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.motion import machine, picture_of, write
from miniature.judges.reader import load_reader, read
from miniature.shapes import WEIGHTS
from t2v.engine.engine import Engine
from t2v.tasks.acting import joints_of
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.text_to_video_run import ResolvedTextToVideo

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
PROMPTS = (
    "a white panda dancing on the beach",
    "a red robot walking on the street",
    "a white astronaut waving on the moon",
    "an orange bear jumping in the forest",
    "a blue person running on the grass",
    "a purple alien dancing in the desert",
    "a green robot waving in the snow",
    "a yellow person walking on the beach",
    "a pink bear dancing on the grass",
    "a blue astronaut jumping on the moon",
    "a white robot running in the desert",
    "a red alien waving in the forest",
    "a black panda walking in the snow",
    "an orange person dancing on the street",
    "a green bear running on the beach",
    "a yellow robot jumping on the grass",
    "a pink alien walking on the moon",
    "a red astronaut dancing in the snow",
    "a purple person waving on the beach",
    "a blue bear walking in the forest",
)
MOVING_PX = 2.5  # standard deviation over the clip, of 256, from which on a joint's place counts as moving
WANTED, WHOLE = 0.8, 0.95  # correlation, and the share of frames in which the figure is itself


@dataclass(frozen=True, eq=False)
class Acted:
    """A clip and what the judge reads of it. correlation: of the joints' places with their path. off_px: how
    far they are from it. kind, colour: share of frames."""

    run: ResolvedTextToVideo
    frames: np.ndarray
    correlation: float
    off_px: float
    kind: float
    colour: float


def correlation(wanted: np.ndarray, seen: np.ndarray) -> float:
    """Of two paths (f, 18, 2) in pixels, over what moves in the first; 0 where the second is still."""
    moves = wanted.std(axis=0) > MOVING_PX
    a, b = ((path - path.mean(axis=0))[:, moves] for path in (wanted, seen))
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / lengths if lengths > 1e-6 else 0.0


def measure(model: Engine, judge: object, prompt: str, seed: int, **options: object) -> Acted:
    """Draw a prompt and read what came of it. options: further settings."""
    run = model.resolve(TextToVideoSettings(prompt, seed=seed, **options))
    frames = np.stack(list(model.frames(run)))
    seen, wanted = read(judge, frames), (joints_of(run) + 0.5) * 256 / run.width
    words = prompt.split()
    return Acted(
        run,
        frames,
        correlation(wanted, seen.joints),
        float(np.hypot(*np.moveaxis(seen.joints - wanted, -1, 0)).mean()),
        float(np.mean([value in words for value in seen.values["subject"]])),
        float(np.mean([value in words for value in seen.values["colour"]])),
    )


def report(model: Engine, clips: list[Acted]) -> str:
    """The page, from what was measured."""
    rows = [
        "| prompt | seed | correlation | joints off by, px | kind | colour |",
        "|---|---|---|---|---|---|",
    ]
    for clip in clips:
        rows.append(
            f"| {clip.run.asked.prompt} | {clip.run.seed} | {clip.correlation:.2f} | {clip.off_px:.1f} | "
            f"{clip.kind:.0%} | {clip.colour:.0%} |"
        )
    kept = sum(min(clip.kind, clip.colour) >= WHOLE for clip in clips)
    follows = sum(clip.correlation >= WANTED for clip in clips)
    run = clips[0].run
    return f"""# Figures that act

`python -m benchmarks.actions --prompts {len(clips)}`, {date.today().isoformat()}. {machine()}; device \
{model.device}. The bundled miniature, {run.width}x{run.height}, {run.num_frames} frames at {run.fps:g} a \
second, {run.num_inference_steps} steps of {run.scheduler}. No clip is left out.

- **correlation**: of where the judge reads the joints with where the action has them, over all that move,
  each taken from its mean over the clip. A figure that stands still has none. **off by**: their distance.
- **kind**, **colour**: share of frames in which the judge reads the figure and colour of the prompt.

{chr(10).join(rows)}

Over all: correlation {np.mean([clip.correlation for clip in clips]):.2f}, at least {WANTED} in {follows} of \
{len(clips)}; kind and colour held in {kept} of {len(clips)}.

![What was drawn, a row a prompt](actions.jpg)
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.actions", description=__doc__.split("\n")[0])
    parser.add_argument("--prompts", type=int, default=len(PROMPTS), choices=range(1, len(PROMPTS) + 1))
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of ACTIONS.md and actions.jpg")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    model, judge = Engine(), load_reader(WEIGHTS / "judge-reader")
    clips: list[Acted] = []
    options.output.mkdir(parents=True, exist_ok=True)
    for seed, prompt in enumerate(PROMPTS[: options.prompts]):
        clips.append(measure(model, judge, prompt, seed))
        log.info("%s: correlation %.2f", prompt, clips[-1].correlation)
        rows = [(clip.run.asked.prompt, clip.frames) for clip in clips]  # written as it goes: each takes long
        write(options.output / "actions.jpg", picture_of(rows))
        write(options.output / "ACTIONS.md", report(model, clips).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

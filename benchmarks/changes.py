"""Prompts that change: ``python -m benchmarks.changes`` writes benchmarks/CHANGES.md and changes.jpg.

Day turns to night around a subject, snow sets in, a figure that stands begins to wave. What the words do not
change should stay: the subject's own pixels, or all around the figure. The bundled judges say where the
subject is and what the last frame shows.
"""

import argparse
import logging
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import cv2
import numpy as np

from benchmarks.motion import machine, picture_of, write
from benchmarks.quality.judges import largest_piece
from miniature.judges.reader import load_reader, read
from miniature.shapes import WEIGHTS
from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
# what is there at first, what comes to it, and how the judge calls that: its class and value
AROUND = (
    ("a red car on the street", "at night", ("time", "night")),
    ("a yellow house on the grass", "at night", ("time", "night")),
    ("a blue robot on the beach", "at night", ("time", "night")),
    ("a white cat on the street", "at night", ("time", "night")),
    ("an orange balloon in the desert", "at night", ("time", "night")),
    ("a pink boat on the sea", "at night", ("time", "night")),
    ("a green car in the forest", "in falling snow", ("weather", "snowfall")),
    ("a purple panda on the grass", "in falling snow", ("weather", "snowfall")),
)
FIGURES = (
    "a blue robot {} on the street",
    "a red alien {} on the moon",
    "a white astronaut {} on the beach",
    "a yellow person {} in the snow",
    "a black panda {} on the grass",
    "an orange bear {} in the forest",
)
NOTHING = ("", "")  # that the judge is asked
LAST = 7  # frame
GOAL = 6.0  # of 255
INSIDE_PX, OUTSIDE_PX = 3, 8  # from the judge's outline, of 256: within the subject, and around it


@dataclass(frozen=True, eq=False)
class Changed:
    """A clip. kept: mean change, of 255, from frame 0 to each frame, where nothing should; free: elsewhere.
    told: what the judge reads in the last frame."""

    prompt: str
    seed: int
    frames: np.ndarray
    kept: np.ndarray
    free: np.ndarray
    told: str


def masks(covered: np.ndarray, side: int) -> np.ndarray:
    """The subject, bool (f, side, side), of what a judge sees covered."""
    return np.stack([largest_piece(cv2.resize(one, (side, side)) > 0.5) for one in covered])


def resized(mask: np.ndarray, px: int) -> np.ndarray:
    """A mask (h, w) bool, larger by so many pixels; smaller where below 0."""
    kernel = np.ones((2 * abs(px) + 1,) * 2, np.uint8)
    return (cv2.dilate if px > 0 else cv2.erode)(mask.astype(np.uint8), kernel).astype(bool)


def changes(frames: np.ndarray, stays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean change from frame 0, of 255, of each later frame: where ``stays`` (h, w), and elsewhere."""
    moved = np.abs(frames[1:].astype(np.float32) - frames[0]).mean(axis=-1)
    return moved[:, stays].mean(axis=1), moved[:, ~stays].mean(axis=1)


def measure(
    model: Engine, judge: object, prompt: str, seed: int, inside: bool, asks: tuple[str, str]
) -> Changed:
    """Draw a prompt over time. inside: whether the subject stays, else all around it. asks: the judge's class
    and the value that the last frame should have."""
    frames = model.generate(TextToVideoSettings(prompt, seed=seed, num_frames=LAST + 1)).frames
    seen = read(judge, frames)
    found = masks(seen.covered, frames.shape[1])
    stays = resized(found[0], -INSIDE_PX) if inside else ~resized(found.any(axis=0), OUTSIDE_PX)
    kept, free = changes(frames, stays)
    name, value = asks
    told = seen.values[name][-1] if name else ""
    return Changed(prompt, seed, frames, kept, free, told if told == value else f"{told} (!)")


def table(clips: list[Changed]) -> str:
    """A line a clip."""
    lines = [
        "| prompt | seed | kept, last frame | kept, worst frame | elsewhere, last frame | the judge |",
        "|---|---|---|---|---|---|",
    ]
    for clip in clips:
        worst = float(clip.kept.max())
        told = f"{worst:.1f}" if worst <= GOAL else f"**{worst:.1f}**"
        prompt = clip.prompt.replace("|", r"\|")
        lines.append(
            f"| {prompt} | {clip.seed} | {clip.kept[-1]:.1f} | {told} | {clip.free[-1]:.1f} | {clip.told} |"
        )
    return "\n".join(lines)


def report(model: Engine, around: list[Changed], figures: list[Changed]) -> str:
    """The page, from what was measured."""
    met = [sum(clip.kept.max() <= GOAL for clip in clips) for clips in (around, figures)]
    return f"""# Prompts that change

`python -m benchmarks.changes`, {date.today().isoformat()}. {machine()}; device {model.device}. The bundled \
miniature at its defaults, {LAST + 1} frames. No clip is left out.

**kept**: mean change since frame 0, of 255, where the words change nothing; goal: at most {GOAL:g} in every
frame; bold beyond it. **elsewhere**: the same of all the rest. **the judge**: what it reads in the last
frame; (!) where that is not what was asked for.

## Time and weather change, the subject stays

{met[0]} of {len(around)} clips reach the goal. Kept is inside of the subject's outline in frame 0.

{table(around)}

## A figure that stands begins to wave, all around it stays

{met[1]} of {len(figures)} clips reach the goal. Kept is all that the figure covers in no frame.

{table(figures)}

![What was drawn, a row a prompt](changes.jpg)
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.changes", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=2, help="of every prompt (2)")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of CHANGES.md and changes.jpg")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    model, judge = Engine(), load_reader(WEIGHTS / "judge-reader")
    options.output.mkdir(parents=True, exist_ok=True)
    around: list[Changed] = []
    figures: list[Changed] = []
    for seed in range(options.seeds):
        for start, change, asks in AROUND:
            prompt = f"0: {start} | {LAST}: {start} {change}"
            around.append(measure(model, judge, prompt, seed, True, asks))
            log.info("%s, seed %d: %.1f", prompt, seed, around[-1].kept.max())
        for figure in FIGURES:
            prompt = f"0: {figure.format('standing')} | {LAST}: {figure.format('waving')}"
            figures.append(measure(model, judge, prompt, seed, False, NOTHING))
            log.info("%s, seed %d: %.1f", prompt, seed, figures[-1].kept.max())
        write(options.output / "CHANGES.md", report(model, around, figures).encode())
        shown = [(clip.prompt, clip.frames) for clip in (*around, *figures) if clip.seed == 0]
        write(options.output / "changes.jpg", picture_of(shown))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

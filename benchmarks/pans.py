"""One picture under the camera: ``python -m benchmarks.pans`` writes benchmarks/PANS.md and pans.jpg.

Held-out prompts, each drawn with another motion, length, size and sampler, so that every two of them meet;
beside each clip the paper's method with the same settings, at 8 frames.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.motion import machine, write
from benchmarks.quality.asks import MOST, Ask, asks
from benchmarks.quality.judges import WORDS, Watchers, watchers
from benchmarks.quality.tables import sheet
from t2v.engine.engine import Engine
from t2v.evaluation.movement import flicker_as_asked, movement
from t2v.evaluation.sharpness import sharpness
from t2v.tasks.text_to_video import TextToVideoSettings

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
MOTIONS = ((3, 0), (6, 0), (8, 0), (-5, 3), (0, 7), (12, 0), (-16, 0), (10, -10), (24, 0), (4.5, 0))  # px
LENGTHS = (8, 24)
SIZES = ((256, 256), (320, 192), (192, 256))  # width, height
SAMPLERS = ("ddim", "dpm++", "euler-ancestral", "lcm")
PAPERS_FRAMES, STEPS = 8, 25
FLICKER, OFF = 0.5, 0.03  # the goal: of 255, and of the motion asked for


@dataclass(frozen=True)
class Pan:
    """What is asked. motion: (x, y) in pixels a frame; size: (width, height)."""

    ask: Ask
    motion: tuple[float, float]
    num_frames: int
    size: tuple[int, int]
    scheduler: str

    def settings(self, method: str) -> TextToVideoSettings:
        return TextToVideoSettings(
            self.ask.prompt,
            seed=self.ask.seed,
            method=method,
            motion_x=self.motion[0],
            motion_y=self.motion[1],
            num_frames=self.num_frames if method == "canvas" else min(PAPERS_FRAMES, self.num_frames),
            width=self.size[0],
            height=self.size[1],
            scheduler=self.scheduler,
            num_inference_steps=STEPS,
        )

    @property
    def told(self) -> str:
        width, height = self.size
        x, y = self.motion
        return f"{self.ask.prompt} | ({x:g}, {y:g}) | {self.num_frames} | {width}x{height} | {self.scheduler}"


@dataclass(frozen=True)
class Seen:
    """What is measured of a clip. off: of the motion asked for. fidelity: share of frames in which both
    judges see the subject, the colour, the place. sharp: mean gradient."""

    flicker: float
    off: float
    fidelity: dict[str, float]
    sharp: float


def pans(count: int) -> list[Pan]:
    """So many, 1..40: the lists run at different paces, so that each goes with all of the others."""
    return [
        Pan(
            ask,
            MOTIONS[(i + i // 10) % len(MOTIONS)],
            LENGTHS[(i + i // 4) % len(LENGTHS)],
            SIZES[i % len(SIZES)],
            SAMPLERS[i % len(SAMPLERS)],
        )
        for i, ask in enumerate(asks(count))
    ]


def seen(frames: np.ndarray, pan: Pan, judges: Watchers) -> Seen:
    """The figures of a clip (f, h, w, 3)."""
    step = movement(frames).between.mean(axis=0)  # places since the first frame end where that has left
    return Seen(
        flicker_as_asked(frames, pan.motion),
        float(np.linalg.norm(step - pan.motion) / np.linalg.norm(pan.motion)),
        judges.fidelity(frames[:PAPERS_FRAMES], pan.ask),
        sharpness(frames[:PAPERS_FRAMES]),
    )


def line(pan: Pan, ours: Seen, papers: Seen) -> str:
    marks = [_marked(ours.flicker, FLICKER, ".2f"), _marked(ours.off, OFF, ".1%")]
    kept = " / ".join(f"{ours.fidelity[word]:.0%}" for word in WORDS)
    theirs = " / ".join(f"{papers.fidelity[word]:.0%}" for word in WORDS)
    return (
        f"| {pan.told} | {' | '.join(marks)} | {kept} | {ours.sharp / papers.sharp:.0%} | "
        f"{papers.flicker:.2f} | {papers.off:.1%} | {theirs} |"
    )


def _marked(value: float, most: float, form: str) -> str:
    """Bold where it is more than it should be."""
    return format(value, form) if value <= most else f"**{value:{form}}**"


def report(measured: Sequence[tuple[Pan, Seen, Seen]], device: object) -> str:
    """The page, from what was measured: clip, one picture, the paper's method."""
    ours, papers = [one for _, one, _ in measured], [one for _, _, one in measured]
    words = "; ".join(
        f"{word} {np.mean([s.fidelity[word] for s in ours]):.1%}"
        f" (the paper's {np.mean([s.fidelity[word] for s in papers]):.1%})"
        for word in WORDS
    )
    sharp = np.mean([s.sharp for s in ours]) / np.mean([s.sharp for s in papers])
    head = (
        "| prompt | motion, px a frame | frames | size | sampler | flickA | off by | subject / colour / "
        "place | sharpness beside the paper's | the paper's: flickA | off by | subject / colour / place |"
    )
    return f"""# One picture under the camera

`python -m benchmarks.pans --prompts {len(measured)}`, {date.today().isoformat()}. {machine()}; device \
{device}. The bundled miniature, {STEPS} steps. No clip is left out.

Each held-out prompt is drawn as one picture under a camera with a motion, length, size and sampler of its
own, and by the paper's method with the same, at {PAPERS_FRAMES} frames. **flickA**: mean change of
neighbours, of 255, with the motion asked for undone (goal: at most {FLICKER}). **off by**: the mean step
seen, beside what was asked (goal: at most {OFF:.0%}). Shares of the first {PAPERS_FRAMES} frames in which
both bundled judges see what the prompt says. Bold: beyond the goal.

flickA at most {FLICKER} in {sum(s.flicker <= FLICKER for s in ours)} of {len(ours)} clips (the paper's \
method: {sum(s.flicker <= FLICKER for s in papers)}), motion within {OFF:.0%} in \
{sum(s.off <= OFF for s in ours)} ({sum(s.off <= OFF for s in papers)}). Over all: {words}; sharpness \
{sharp:.0%} of the paper's.

{head}
|{"---|" * 12}
{chr(10).join(line(*one) for one in measured)}

![Some of the clips](pans.jpg)
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pans", description=__doc__.split("\n")[0])
    parser.add_argument("--prompts", type=int, default=MOST, choices=range(1, MOST + 1), metavar=f"1..{MOST}")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of PANS.md and pans.jpg")
    parser.add_argument("--sheets", type=Path, default=None, help="a folder for a picture of every prompt")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    model, judges = Engine(), watchers()
    measured: list[tuple[Pan, Seen, Seen]] = []
    shown: dict[str, np.ndarray] = {}
    for folder in (options.output, options.sheets):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    for number, pan in enumerate(pans(options.prompts)):
        ours, papers = (model.generate(pan.settings(method)).frames for method in ("canvas", "paper"))
        measured.append((pan, seen(ours, pan, judges), seen(papers, pan, judges)))
        log.info("%d of %d: %s", number + 1, options.prompts, line(*measured[-1]))
        shown |= {pan.told: ours} if number % 5 == 0 else {}
        if options.sheets is not None:
            write(options.sheets / f"{number:02}.jpg", sheet({pan.told: ours, "the paper's": papers}))
        write(options.output / "pans.jpg", sheet(shown))  # written as it goes: each takes long
        write(options.output / "PANS.md", report(measured, model.device).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

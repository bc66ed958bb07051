"""Whether the subject stays whole: ``python -m benchmarks.whole`` writes benchmarks/WHOLE.md and whole.jpg.

Ten prompts that the bundled model never saw in training are drawn at the defaults in videos of 8, 24 and 64
frames, and in 24 frames at the speed that 8 have. Both bundled judges look at every frame: is the subject of
the kind and colour that was asked for, and is it cut by the picture's border?
"""

import argparse
import logging
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.motion import machine, picture_of, write
from benchmarks.quality.asks import Ask, asks
from benchmarks.quality.judges import Watchers, largest_piece, watchers
from miniature.judges.reader import read
from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.text_to_video_run import ResolvedTextToVideo

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
PROMPTS = 10
LENGTHS = (8, 24, 64)
FAST = 8.0  # px a frame, as the subject moves
SHOWN = 8  # frames of a clip in the picture
COVERED = 0.5  # chance from which on the judge sees the subject in a cell


@dataclass(frozen=True, eq=False)
class Seen:
    """What the judges see of a clip, each bool (f,): kind and colour as asked (both judges), cut by the
    border; of the run, and some of its frames."""

    ask: Ask
    run: ResolvedTextToVideo
    kind: np.ndarray
    colour: np.ndarray
    cut: np.ndarray
    some: np.ndarray

    @property
    def whole(self) -> np.ndarray:
        return self.kind & self.colour & ~self.cut

    @property
    def travel(self) -> tuple[float, float]:
        """Pixels from the first frame to the last."""
        return tuple((self.run.num_frames - 1) * one for one in (self.run.motion_x, self.run.motion_y))


def cut_by_border(covered: np.ndarray) -> np.ndarray:
    """Of maps (f, h, w) of the chance 0..1 that a subject is there: whether its largest piece is in a cell at
    the border, bool (f,); also where there is none at all."""
    found = np.stack([largest_piece(one > COVERED) for one in covered])
    edge = found[:, 0].any(1) | found[:, -1].any(1) | found[:, :, 0].any(1) | found[:, :, -1].any(1)
    return np.asarray(edge | ~found.any((1, 2)))


def look(ask: Ask, run: ResolvedTextToVideo, frames: np.ndarray, eyes: Watchers) -> Seen:
    """What both judges see in the frames, uint8 (f, h, w, 3)."""
    seen, scenes = read(eyes.judges.reader, frames), [ask.scene] * len(frames)
    subject = ask.scene.subjects[0]
    named = {
        name: np.array([one == wanted for one in seen.values[name]])
        & np.array([one == wanted for one in eyes.judges.clip.choose(frames, scenes, name)])
        for name, wanted in (("subject", subject.kind), ("colour", subject.colour))
    }
    some = frames[np.linspace(0, len(frames) - 1, SHOWN).round().astype(int)]
    return Seen(ask, run, named["subject"], named["colour"], cut_by_border(seen.covered), some)


def draw(model: Engine, ask: Ask, eyes: Watchers, num_frames: int, speed: float | None) -> Seen:
    """A prompt at the defaults; speed: px a frame in their place."""
    settings = TextToVideoSettings(ask.prompt, seed=ask.seed, num_frames=num_frames, motion_x=speed)
    run = model.resolve(settings)
    return look(ask, run, np.stack(list(model.frames(run))), eyes)


def table(clips: dict[str, list[Seen]]) -> str:
    """A row a prompt, a column a length: frames in which the subject is whole."""
    rows = [f"| prompt | seed | {' | '.join(clips)} |", f"|---|---|{'---|' * len(clips)}"]
    for row in zip(*clips.values(), strict=True):
        cells = [f"{one.whole.sum()} of {len(one.whole)}{_why(one)}" for one in row]
        rows.append(f"| {row[0].ask.prompt} | {row[0].ask.seed} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _why(seen: Seen) -> str:
    """What is wrong in the frames that are not whole, and whether it is so from the first one on."""
    wrong = {"kind": ~seen.kind, "colour": ~seen.colour, "cut": seen.cut}
    told = [name for name, where in wrong.items() if where.any()]
    first = "" if seen.whole[0] else ", the first too"
    return f" ({', '.join(told)}{first})" if told else ""


def totals(clips: dict[str, list[Seen]]) -> str:
    """A row a length."""
    rows = [
        "| frames | goes, px in all | clips whole in every frame | of those whole in the first "
        "| frames whole | kind | colour | not cut |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, drawn in clips.items():
        all_whole = [one.whole.all() for one in drawn]
        begun = [one.whole.all() for one in drawn if one.whole[0]]
        frames = {
            part: np.concatenate([getattr(one, part) for one in drawn])
            for part in ("whole", "kind", "colour", "cut")
        }
        frames["cut"] = ~frames["cut"]
        shares = " | ".join(f"{part.mean():.0%}" for part in frames.values())
        x, y = drawn[0].travel
        rows.append(
            f"| {name} | ({x:g}, {y:g}) | {sum(all_whole)} of {len(drawn)} | {sum(begun)} of {len(begun)} | "
            f"{shares} |"
        )
    return "\n".join(rows)


def report(model: Engine, clips: dict[str, list[Seen]]) -> str:
    """The page, from what was measured."""
    run = next(iter(clips.values()))[0].run
    return f"""# Whether the subject stays whole

`python -m benchmarks.whole`, {date.today().isoformat()}. {machine()}; device {model.device}. The bundled \
miniature at its defaults, {run.width}x{run.height}, {run.num_frames} frames and more, \
{run.num_inference_steps} steps of {run.scheduler}, guidance {run.guidance_scale:g}. No clip is left \
out.

A frame is **whole** where both judges see the kind and the colour of subject that was asked for, and the
second one sees it in no cell (8 px) at the picture's border. A video goes a way altogether that was chosen so
(`travel_x` in the model's card), however many frames it has.

{totals(clips)}

{table(clips)}

![Eight frames of each of the longest, a row a prompt](whole.jpg)
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole", description=__doc__.split("\n")[0])
    parser.add_argument("--prompts", type=int, default=PROMPTS, choices=range(1, PROMPTS + 1))
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of WHOLE.md and whole.jpg")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    model, eyes = Engine(), watchers()
    asked = {str(length): (length, None) for length in LENGTHS}
    asked[f"24 at {FAST:g} px each"] = (24, FAST)
    clips: dict[str, list[Seen]] = {name: [] for name in asked}
    for ask in asks(options.prompts):
        for name, (num_frames, speed) in asked.items():
            clips[name].append(draw(model, ask, eyes, num_frames, speed))
            log.info("%s, %s: %s", ask.prompt, name, clips[name][-1].whole.astype(int))
    options.output.mkdir(parents=True, exist_ok=True)
    rows = [(one.ask.prompt, one.some) for one in clips[str(LENGTHS[-1])]]
    write(options.output / "whole.jpg", picture_of(rows))
    write(options.output / "WHOLE.md", report(model, clips).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

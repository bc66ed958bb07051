"""Steadier frames measured along the clips that they follow: ``python -m benchmarks.steady``.

Draws each case once, steadies the same frames (``t2v.finishing.steady``), and writes benchmarks/STEADY.md:
the change along the clip's flow and the sharpness, before and after, beside the clip itself, the clip through
the autoencoder, and a frozen result. Clips of the miniature's world always; those of a folder with --clips.
"""

import argparse
import hashlib
import logging
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.motion import FOLDER, machine, write
from benchmarks.steady_clips import SIDE, Followed, folder_clips, world_clips
from t2v.engine.engine import Engine
from t2v.evaluation.flow import Flow, both_agree, error_along
from t2v.evaluation.sharpness import sharpness
from t2v.finishing.steady import clip_flow
from t2v.tasks import TASKS
from t2v.tasks.clip import ClipSettings
from t2v.tasks.resolved import Resolved

log = logging.getLogger(__name__)

GOAL, SHARPNESS_GOAL = 0.6, -0.05


@dataclass(frozen=True, eq=False)
class Case:
    """One run and what came of it. source: the clip at the video's size; through: the same through the
    autoencoder; drawn, steadied: the video; all uint8 (f, h, w, 3). bare: as in ``steady``."""

    name: str
    run: Resolved
    bare: bool
    source: np.ndarray
    through: np.ndarray
    drawn: np.ndarray
    steadied: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Row:
    """The errors along the clip's flow of all rows, of 255, and sharpness; other: share by another flow."""

    case: Case
    errors: dict[str, float]
    other: float | None
    sharp: tuple[float, float]

    @property
    def share(self) -> float:
        return self.errors["steadied"] / self.errors["drawn"]

    @property
    def sharper(self) -> float:
        return self.sharp[1] / self.sharp[0] - 1


def draw_case(model: Engine, clip: Followed, common: Mapping[str, Any], kept: Path | None = None) -> Case:
    """Draw once without steadying, and steady what was drawn as a run does.

    common: settings of all runs. kept: a folder where drawn frames stay for the next time.
    """
    told = {**common, **clip.options}
    settings = TASKS[clip.task](str(clip.path), clip.prompt, seed=1, steady=0.0, **told)
    run = model.resolve(settings)
    source = settings.read(run.taken).frames
    drawn, through = _drawn(model, run, source, _file(clip.name, settings, kept))
    began = time.perf_counter()
    steadied = np.stack(list(replace(run, steady=1.0).finished(iter(drawn))))
    seconds = (time.perf_counter() - began) / len(drawn)
    log.info("%s, %s: %s", clip.name, clip.task, clip.prompt)
    return Case(clip.name, run, settings.is_bare(run.taken), source, through, drawn, steadied, seconds)


def _file(name: str, settings: ClipSettings, kept: Path | None) -> Path | None:
    """Of frames that were drawn with the very settings, of a clip by that name."""
    if kept is None:
        return None
    told = repr(replace(settings, clip=name)).encode()
    return kept / f"{hashlib.sha256(told).hexdigest()[:16]}.npz"


def _drawn(
    model: Engine, run: Resolved, source: np.ndarray, file: Path | None
) -> tuple[np.ndarray, np.ndarray]:
    """The frames drawn, and the source through the autoencoder: from the file, or for it."""
    if file is not None and file.is_file():
        with np.load(file) as known:
            return known["drawn"], known["through"]
    drawn = np.stack(list(model.frames(run)))
    pipeline = model.load(run.asked.model, run.asked.editor)
    scaled = pipeline.encode(source) * pipeline.vae.config.scaling_factor
    through = np.stack(list(pipeline.decode(scaled[None])))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(file, drawn=drawn, through=through)
    return drawn, through


def measure(case: Case) -> Row:
    flows = [clip_flow(*pair, case.bare) for pair in pairwise(case.source)]
    rows = {
        "clip": case.source,
        "through": case.through,
        "frozen": np.repeat(case.drawn[:1], len(case.drawn), axis=0),
        "drawn": case.drawn,
        "steadied": case.steadied,
    }
    errors = {name: error_along(frames, flows) for name, frames in rows.items()}
    other = None
    if not case.bare:
        seen = [farneback(*pair) for pair in pairwise(case.source)]
        other = error_along(case.steadied, seen) / error_along(case.drawn, seen)
    row = Row(case, errors, other, (sharpness(case.drawn), sharpness(case.steadied)))
    log.info(
        "  %.2f -> %.2f (%.2f), sharpness %+.1f %%",
        errors["drawn"],
        errors["steadied"],
        row.share,
        100 * row.sharper,
    )
    return row


def farneback(before: np.ndarray, after: np.ndarray) -> Flow:
    """The motion by another algorithm (Farneback, SCIA 2003) than the one that frames are steadied with."""
    a, b = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (before, after))
    ways = [cv2.calcOpticalFlowFarneback(*pair, None, 0.5, 4, 15, 5, 7, 1.5, 0) for pair in ((a, b), (b, a))]
    return Flow(ways[0], ways[1], both_agree(*ways))


def table(rows: list[Row]) -> str:
    lines = [
        "| clip | task | the clip | through the autoencoder | frozen | as drawn | steadied | share "
        "| by another flow | sharpness |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        told = " | ".join(f"{error:.2f}" for error in row.errors.values())
        other = "" if row.other is None else f"{row.other:.2f}"
        met = row.share <= GOAL and row.sharper >= SHARPNESS_GOAL
        share = f"**{row.share:.2f}**" if met else f"{row.share:.2f}"
        name = f"{row.case.name} | {row.case.run.asked.task}"
        lines.append(f"| {name} | {told} | {share} | {other} | {row.sharper:+.1%} |")
    return "\n".join(lines)


def report(model: Engine, rows: list[Row]) -> str:
    """The page, from what was measured."""
    first = rows[0].case.run
    met = sum(row.share <= GOAL and row.sharper >= SHARPNESS_GOAL for row in rows)
    mean = float(np.mean([row.share for row in rows]))
    frames = sorted({len(row.case.drawn) for row in rows})
    milliseconds = 1000 * float(np.median([row.case.seconds for row in rows]))
    return f"""# Steadier frames

`python -m benchmarks.steady`, {date.today().isoformat()}. {machine()}; device {model.device}. The bundled \
miniature, {first.num_inference_steps} steps, {frames[0]} to {frames[-1]} frames, pictures of about \
{SIDE}x{SIDE}, seed 1. No clip is left out; those in \
video, depth and pose are real ones, from the folder that --clips names.

Each clip is followed once; the same frames are then steadied along its flow. The figures are the mean \
change, of 255, between neighbours along the clip's own flow (DIS, where it is the same both ways): of the \
clip, of the clip through the autoencoder, of a result that is frozen at its first frame, of the frames as \
drawn, and steadied. **share** is steadied by drawn; bold where it is at most {GOAL:g} at a loss of \
sharpness of at most {-SHARPNESS_GOAL:.0%}. Frames are steadied with the flow that they are judged by, so \
beside it stands the share by another one (Farneback's). On the black around skeletons there is no flow: it \
counts as standing still. A frozen result is steady, but does not follow: its row shows what that is worth.

{met} of {len(rows)} clips reach the goal; mean share {mean:.2f}. Steadying took {milliseconds:.0f} ms a \
frame (median; other programs ran beside it).

{table(rows)}

Where the share is high, the model drew other things in every frame, as of footage that it does not know. \
Such frames are kept as they are, as their mean would show ghosts.
"""


def sheet(rows: list[Row], shown: int = 6) -> np.ndarray:
    """Clip, drawn and steadied frames, three rows a case, RGB."""
    strips = []
    for row in rows:
        picked = np.linspace(1, len(row.case.drawn) - 1, shown).round().astype(int)
        for frames in (row.case.source, row.case.drawn, row.case.steadied):
            small = [cv2.resize(frames[k], (160, 160), interpolation=cv2.INTER_AREA) for k in picked]
            strips.append(np.concatenate(small, axis=1))
    return np.concatenate(strips)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steady", description=__doc__.split("\n")[0])
    parser.add_argument("--clips", type=Path, help="a folder with video, depth and pose, in each clips")
    parser.add_argument("--frames", type=int, default=12, help="of each clip, at most")
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--kept", type=Path, help="a folder where drawn frames stay for the next time")
    parser.add_argument("--only", default="", help="cases in whose name this is")
    parser.add_argument("--sheet", type=Path, help="also a contact sheet, as PNG")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of STEADY.md")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    model, rows = Engine(device="cpu"), []
    with tempfile.TemporaryDirectory() as folder:
        cases = list(world_clips(Path(folder), options.frames))
        cases += [] if options.clips is None else folder_clips(options.clips)
        common = {"num_frames": options.frames, "num_inference_steps": options.steps}
        for clip in cases:
            if options.only in clip.name:
                rows.append(measure(draw_case(model, clip, common, options.kept)))
    options.output.mkdir(parents=True, exist_ok=True)
    write(options.output / "STEADY.md", report(model, rows).encode())
    if options.sheet is not None:
        cv2.imwrite(str(options.sheet), cv2.cvtColor(sheet(rows), cv2.COLOR_RGB2BGR))
    log.info("wrote %s", options.output / "STEADY.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Videos that follow a clip: how steady they are along the clip's own motion.

Clips of the app's examples are followed by the bundled family; or finished results are measured beside the
clip that they followed.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.measures import Column, Figures
from t2v.engine.engine import Engine
from t2v.evaluation.flow import warp_error
from t2v.evaluation.sharpness import sharpness
from t2v.program import bundled
from t2v.tasks import TASKS
from t2v.video.video import Video, fit_video, read_video

log = logging.getLogger(__name__)

COLUMNS = (
    Column("warp_error", "E along the clip's flow"),
    Column("own", "E along its own flow"),
    Column("sharp", "sharpness", ".0%"),
)
# a row -> fields of the task's settings that change; add a variant as a line here
VARIANTS: dict[str, dict[str, Any]] = {
    "as it is drawn": {"steady": 0.0},
    "steadier": {"steady": 1.0},
    "each frame by itself": {"cross_frame_attention": False},
}
CLIP, THROUGH, FROZEN = "the clip itself", "the clip through the autoencoder", "a frozen result"


@dataclass(frozen=True)
class Case:
    """A task's run that is measured: its name, the example's file, and what is asked for."""

    task: str
    file: str
    prompt: str


CASES = (
    Case("canny", "canny/car.mp4", "a yellow car on the street at night"),
    Case("pix2pix", "pix2pix/cat.mp4", "make the cat blue"),
    Case("canny", "canny/boat.mp4", "a pink boat on the sea"),
    Case("pix2pix", "pix2pix/car.mp4", "make it night"),
)


def followed(frames: np.ndarray, clip: np.ndarray, beside: float) -> Figures:
    """The figures of a result and the clip it followed, both uint8 (f, h, w, 3) of one size. beside: the
    sharpness that its own is told beside."""
    return {
        "warp_error": warp_error(frames, clip),
        "own": warp_error(frames, frames),
        "sharp": sharpness(frames) / beside,
    }


def case_rows(
    model: Engine, case: Case, base: dict[str, Any], variants: Sequence[str]
) -> dict[str, np.ndarray]:
    """The clips of a case, by row: the clip itself, through the autoencoder, each variant, frozen."""
    seen: dict[str, np.ndarray] = {}
    drawn: dict[str, np.ndarray] = {}
    for name in variants:
        path = bundled("examples") / case.file
        settings = TASKS[case.task](str(path), case.prompt, **{"seed": 0, **base, **VARIANTS[name]})
        drawn[name] = model.generate(settings, on_seen=seen.__setitem__).frames
        log.info("%s, %s: %s", case.file, case.prompt, name)
    clip = seen["clip"]
    pipeline = model.load(settings.model, settings.editor)
    scaled = pipeline.encode(clip) * pipeline.vae.config.scaling_factor
    through = np.stack(list(pipeline.decode(scaled[None])))
    first = next(iter(drawn.values()))
    return {CLIP: clip, THROUGH: through, **drawn, FROZEN: np.repeat(first[:1], len(first), axis=0)}


def measured(clips: dict[str, np.ndarray]) -> dict[str, list[Figures]]:
    """A row's figures for each clip of ``case_rows`` or ``file_rows``."""
    first = next(frames for name, frames in clips.items() if name not in (CLIP, THROUGH))
    return {name: [followed(frames, clips[CLIP], sharpness(first))] for name, frames in clips.items()}


def file_rows(clip: Path, results: Sequence[Path]) -> dict[str, np.ndarray]:
    """Finished videos beside the clip that they followed, which is fitted to their size and length."""
    videos = {path.name: read_video(path) for path in results}
    first = next(iter(videos.values()))
    source = read_video(clip, fps=first.fps, max_frames=first.num_frames)
    fitted = fit_video(Video(source.frames, source.fps), width=first.width, height=first.height)
    rows = {CLIP: fitted.frames, **{name: video.frames for name, video in videos.items()}}
    least = min(map(len, rows.values()))
    rows[FROZEN] = np.repeat(first.frames[:1], least, axis=0)
    return {name: frames[:least] for name, frames in rows.items()}

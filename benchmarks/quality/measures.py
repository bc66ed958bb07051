"""Everything that is measured of one clip, as numbers by column."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.quality.asks import Ask, Question
from benchmarks.quality.judges import WORDS, Watchers
from t2v.evaluation.flow import warp_error
from t2v.evaluation.layers import layers
from t2v.evaluation.likeness import frame_consistency, text_score
from t2v.evaluation.movement import flicker, flicker_as_asked, movement
from t2v.evaluation.sharpness import sharpness
from t2v.evaluation.vbench import consistency, dynamic_degree, motion_smoothness, temporal_flickering

Figures = dict[str, float]


@dataclass(frozen=True)
class Column:
    """A column of a table: the figure's key, its head, how it is written, and how clips become one row."""

    key: str
    head: str
    form: str = ".2f"
    over: Callable[[list[float]], float] = np.nanmean


LAYER_COLUMNS = (
    Column("error", "two-layer error"),
    Column("subject_x", "subject seen"),
    Column("background_x", "background seen"),
    Column("subject_change", "subject change", ".1f"),
    Column("background_change", "background change"),
    Column("background_far", "first to last"),
    Column("overlap", "mask IoU"),
    Column("overlap_least", "least", over=np.nanmin),
)
MOTION_COLUMNS = (
    Column("x", "seen, px"),
    Column("off", "off by", ".0%"),
    Column("judder", "judder, px"),
    Column("alike", "alike"),
    Column("flicker", "flicker", ".1f"),
    Column("flicker_asked", "flickA"),
    Column("warp_error", "E"),
)
LOOK_COLUMNS = (
    *(Column(name, name, ".0%") for name in WORDS),
    Column("text", "CLIP text", ".3f"),
    Column("frames", "CLIP frames", ".3f"),
    Column("sharp", "sharpness", ".0%"),
    Column("vb_subject", "subject consistency", ".3f"),
    Column("vb_background", "background consistency", ".3f"),
    Column("vb_smooth", "smoothness", ".3f"),
    Column("vb_flickering", "flickering", ".3f"),
    Column("vb_dynamic", "dynamic", ".0%"),
)


def measure(
    frames: np.ndarray,
    question: Question,
    ask: Ask,
    watchers: Watchers,
    single: np.ndarray,
    masks: np.ndarray | None = None,
) -> Figures:
    """All columns of a clip (f, h, w, 3). single: the picture (h, w, 3) drawn of the prompt by itself, beside
    which sharpness is told. masks: where they are known; else the second judge tells them."""
    moved = (
        layer_figures(frames, question, watchers, masks)
        if question.layered
        else motion_figures(frames, question)
    )
    return {**moved, **look_figures(frames, ask, watchers, single)}


def layer_figures(
    frames: np.ndarray, question: Question, watchers: Watchers, masks: np.ndarray | None
) -> Figures:
    """LAYER_COLUMNS of a clip."""
    found = layers(frames, watchers.masks if masks is None else masks, question.subject, question.background)
    return {
        "error": found.error,
        "subject_x": float(found.seen[0, 0]),
        "background_x": float(found.seen[1, 0]),
        "subject_change": found.subject_change,
        "background_change": found.background_change,
        "background_far": found.since_first[1],
        "overlap": float(found.overlap.mean()),
        "overlap_least": float(found.overlap.min()),
    }


def motion_figures(frames: np.ndarray, question: Question) -> Figures:
    """MOTION_COLUMNS of a clip."""
    moved = movement(frames)
    return {
        "x": float(moved.per_frame[0]),
        "off": moved.error(question.subject),
        "judder": moved.judder,
        "alike": float(moved.alike.mean()),
        "flicker": flicker(frames, moved),
        "flicker_asked": flicker_as_asked(frames, question.subject),
        "warp_error": warp_error(frames, frames),
    }


def look_figures(frames: np.ndarray, ask: Ask, watchers: Watchers, single: np.ndarray) -> Figures:
    """LOOK_COLUMNS of a clip."""
    seen, text = watchers.clip.pictures(frames), watchers.clip.captions([ask.prompt])[0]
    return {
        **watchers.fidelity(frames, ask),
        "text": text_score(seen, text),
        "frames": frame_consistency(seen),
        "sharp": sharpness(frames) / sharpness(single[None]),
        "vb_subject": consistency(watchers.dino.pictures(frames)),
        "vb_background": consistency(seen),
        "vb_smooth": motion_smoothness(frames),
        "vb_flickering": temporal_flickering(frames),
        "vb_dynamic": float(dynamic_degree(frames).dynamic),
    }

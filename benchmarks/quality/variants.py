"""What is drawn for each question, and the clips that need no method: add a variant as a line here.

A variant changes fields of TextToVideoSettings; in its strings "{thing}" stands for the words of the prompt's
subject, as "red car". The first variant of a question is the one that the stills are made of.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.quality.asks import LAYERS, PLAIN, Ask, Question
from t2v.tasks.text_to_video import TextToVideoSettings

Changes = dict[str, Any]
SAMPLERS = ("dpm++", "euler-ancestral", "lcm")
PAPER, APART = "the paper's method", "independent frames"
ONE_PICTURE, SUBJECT = "one picture under the camera", "the subject before its background"
METHOD: Changes = {"method": "paper"}
INDEPENDENT: Changes = {**METHOD, "motion_field": False, "cross_frame_attention": False}
VARIANTS: dict[str, dict[str, Changes]] = {
    LAYERS.key: {
        PAPER: METHOD,
        ONE_PICTURE: {"method": "canvas"},
        SUBJECT: {"move": "subject"},
        APART: INDEPENDENT,
    },
    # the paper's four, all, without either part, without both; and ours
    PLAIN.key: {
        PAPER: METHOD,
        "without cross-frame attention": {**METHOD, "cross_frame_attention": False},
        "without motion field": {**METHOD, "motion_field": False},
        APART: INDEPENDENT,
        ONE_PICTURE: {"method": "canvas"},
        **{f"one picture, {name}": {"method": "canvas", "scheduler": name} for name in SAMPLERS},
    },
}
BASELINES = (APART,)  # drawn whatever else is asked for: they stand in every table
TRUTH, FROZEN, PANNED, SHUFFLED = "the world's own clip", "frozen", "panned still", "shuffled"


def chosen(known: Mapping[str, Changes], names: Sequence[str]) -> dict[str, Changes]:
    """The variants of a table that are named, with the baselines; {} where none of the others is."""
    named = {name: changes for name, changes in known.items() if name in names}
    rest = {name: changes for name, changes in known.items() if name in BASELINES and name not in named}
    return {**named, **rest} if named else {}


def settings_of(ask: Ask, question: Question, changes: Changes, base: Changes) -> TextToVideoSettings:
    """What is asked of the program. base: fields of all rows, such as model and num_frames."""
    named = {k: v.format(thing=ask.thing) if isinstance(v, str) else v for k, v in changes.items()}
    x, y = question.subject
    fields = {"seed": ask.seed, "motion_x": x, "motion_y": y, **base, **named}
    return TextToVideoSettings(ask.prompt, **fields)


def stills(frames: np.ndarray, question: Question) -> dict[str, np.ndarray]:
    """The clips that stand in every table, of a drawn one (f, h, w, 3): frame 0, and frames in disorder.

    The still is panned by the subject's motion, in whole pixels and mirrored at its borders.
    """
    order = np.random.default_rng(0).permutation(len(frames))
    return {
        FROZEN: np.repeat(frames[:1], len(frames), axis=0),
        PANNED: panned(frames[0], question.subject, len(frames)),
        SHUFFLED: frames[order],
    }


def panned(picture: np.ndarray, speed: tuple[float, float], count: int) -> np.ndarray:
    """A picture (h, w, 3) moved by k times (x, y) pixels, k < count, rounded: (count, h, w, 3)."""
    moved = []
    for k in range(count):
        columns, rows = (
            _mirrored(side, round(k * px)) for side, px in zip(picture.shape[1::-1], speed, strict=True)
        )
        moved.append(picture[rows][:, columns])
    return np.stack(moved)


def _mirrored(side: int, shift: int) -> np.ndarray:
    """Where each of ``side`` pixels comes from."""
    source = (np.arange(side) - shift) % (2 * side)
    return np.minimum(source, 2 * side - 1 - source)

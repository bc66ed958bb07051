"""What is asked of the family: held-out scenes, and instructions whose results are held out."""

import logging
from dataclasses import replace

import numpy as np

from miniature.world import FIGURES, TRAINING, Distribution, Scene, edits, sample_scene

log = logging.getLogger(__name__)

WORDS = ("place", "subject", "colour")  # what a prompt always says
ELSEWHERE_KEPT = ("colour", "subject")  # edits after which the rest of the picture should be as before
SINGLE = replace(TRAINING, pairs=0.0, styles={})
POSED = replace(SINGLE, subjects=FIGURES)


def scenes_for(control: str, rng: np.random.Generator, count: int) -> list[Scene]:
    """Held-out scenes that a ControlNet is asked to follow; with figures where it follows poses."""
    dist: Distribution = POSED if control == "pose" else SINGLE
    return [sample_scene(rng, "held-out", dist) for _ in range(count)]


def edit_pairs(rng: np.random.Generator, kind: str, count: int) -> list[tuple[Scene, str, Scene]]:
    """(scene, instruction, edited scene) that training never saw: the edited scenes are held out."""
    # hour, weather and style leave the combination as it is, so it has to be a held-out one before
    split = None if kind in WORDS else "held-out"
    pairs = []
    while len(pairs) < count:
        scene = sample_scene(rng, split, SINGLE)
        try:
            pairs.append((scene, *edits(scene, rng, kind, "held-out")))
        except ValueError as refusal:  # this scene does not allow it
            log.debug("%s", refusal)
    return pairs

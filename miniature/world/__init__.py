"""The cartoon world: seeded scenes, their pictures and everything that is known about them."""

from .edits import edits
from .render import clip, depth, draw, edges, joints, mask, skeleton
from .sample import TRAINING, Distribution, held_out, sample_scene
from .scene import COLOURS, Scene, Subject
from .words import VOCABULARY, caption, plain_caption, words_of

__all__ = [
    "COLOURS", "TRAINING", "VOCABULARY", "Distribution", "Scene", "Subject", "caption", "clip", "depth",
    "draw", "edges", "edits", "held_out", "joints", "mask", "plain_caption", "sample_scene", "skeleton",
    "words_of",
]

"""The cartoon world: seeded scenes, their pictures and everything that is known about them."""

from .edits import EDITS, edits, possible
from .render import clip, clip_scenes, depth, draw, edges, joints, mask, skeleton
from .sample import FIGURES, TRAINING, Distribution, another_frame, belongs, held_out, sample_scene
from .scene import COLOURS, Scene, Subject
from .words import VOCABULARY, caption, plain_caption, words_of

__all__ = [
    "COLOURS",
    "EDITS",
    "FIGURES",
    "TRAINING",
    "VOCABULARY",
    "Distribution",
    "Scene",
    "Subject",
    "another_frame",
    "belongs",
    "caption",
    "clip",
    "clip_scenes",
    "depth",
    "draw",
    "edges",
    "edits",
    "held_out",
    "joints",
    "mask",
    "plain_caption",
    "possible",
    "sample_scene",
    "skeleton",
    "words_of",
]

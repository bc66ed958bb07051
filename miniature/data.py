"""Scenes of the world as tensors, and the texts that go with them."""

import re
from collections import Counter
from collections.abc import Iterable

import cv2
import numpy as np
import torch
from transformers import CLIPTokenizer

from miniature.fit import worker
from miniature.shapes import PIXELS, Stage
from miniature.tokenizer import build_tokenizer
from miniature.world import (
    FIGURES,
    TRAINING,
    VOCABULARY,
    Distribution,
    Scene,
    caption,
    draw,
    edits,
    plain_caption,
    sample_scene,
    words_of,
)
from miniature.world.kinds import KINDS
from miniature.world.poses import PROPORTIONS

COLOURS_LEFT_OUT = 0.1  # of the captions, so that "a car on the street" is understood too
HELD_OUT_SEED = 20_000  # of the held-out scenes; training seeds are derived from stage names and steps
EXAMPLE_WORDS = 8  # of the prompts the app offers, at most
STYLE_KEYWORD = "neon style"  # what calls the style that only the style weights know


def training_rng(stage: Stage, step: int) -> np.random.Generator:
    """Randomness of a stage from a step on: a resumed run sees new scenes, each worker its own."""
    return np.random.default_rng([step, worker(), *stage.name.encode()])


def to_tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 (b, h, w, 3) to float32 (b, 3, h, w) in -1..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def shrink(picture: np.ndarray, pixels: int) -> np.ndarray:
    """A full-sized picture averaged down to ``pixels``², lines and all."""
    if pixels == PIXELS:
        return picture
    return cv2.resize(picture, (pixels, pixels), interpolation=cv2.INTER_AREA)


def draw_scene(scene: Scene, pixels: int) -> np.ndarray:
    """The picture at ``pixels``², uint8: drawn at full size and averaged down."""
    return shrink(draw(scene, PIXELS), pixels)


def draw_scenes(scenes: Iterable[Scene], pixels: int) -> torch.Tensor:
    """Their pictures (b, 3, pixels, pixels) in -1..1."""
    return to_tensor(np.stack([draw_scene(scene, pixels) for scene in scenes]))


def held_out_pictures(count: int) -> torch.Tensor:
    """The same ``count`` pictures (b, 3, 256, 256) in -1..1 every time, of held-out combinations."""
    rng = np.random.default_rng(HELD_OUT_SEED)
    return draw_scenes((sample_scene(rng, "held-out") for _ in range(count)), PIXELS)


def without_colours(text: str) -> str:
    """A caption with its colours left out: "an orange car on the street" becomes "a car on the street"."""

    def rest(match: re.Match) -> str:
        article, first = match.groups()
        if article is None:
            return first
        return f"{'an' if first in 'aeiou' else 'a'} {first}"

    colours = "|".join(VOCABULARY["colours"])
    return re.sub(rf"\b(?:(an?) )?(?:{colours}) (\w)", rest, text)


def training_caption(scene: Scene, rng: np.random.Generator) -> str:
    """A wording of the scene, now and then without its colours."""
    text = caption(scene, rng)
    return without_colours(text) if rng.random() < COLOURS_LEFT_OUT else text


def world_tokenizer() -> CLIPTokenizer:
    """A tokenizer that knows every word of the world's captions and instructions as one token."""
    rng = np.random.default_rng(0)
    scenes = [sample_scene(rng, None) for _ in range(5000)]
    texts = [caption(scene, rng) for scene in scenes]
    texts += [edits(scene, rng, split=None)[0] for scene in scenes]
    return build_tokenizer(texts, [STYLE_KEYWORD, *(word for words in VOCABULARY.values() for word in words)])


def held_out_scenes(count: int) -> list[Scene]:
    """The same ``count`` scenes every time, of held-out combinations with plain captions all different.

    Plain daytime pictures of one subject, spread evenly over subjects, colours and places.
    """
    rng = np.random.default_rng(HELD_OUT_SEED)
    plain = Distribution(TRAINING.subjects, TRAINING.places, poses=("standing",), night=0.0)
    sampled = [sample_scene(rng, "held-out", plain) for _ in range(40 * count)]
    scenes = {plain_caption(scene): scene for scene in sampled}
    used: Counter[str] = Counter()
    chosen = []
    for _ in range(min(count, len(scenes))):
        rarest = min(scenes, key=lambda text: sum(used[word] ** 2 for word in _words(scenes[text])))
        scene = scenes.pop(rarest)
        chosen.append(scene)
        used.update(_words(scene))
    return chosen


def _words(scene: Scene) -> tuple[str, str, str]:
    """Subject, colour and place of a scene with one subject."""
    return scene.subjects[0].kind, scene.subjects[0].colour, scene.place


def world_facts() -> dict:
    """What ``miniature.json`` says about the model's words, with examples."""
    rng = np.random.default_rng(1)
    examples: list[str] = []
    while len(examples) < 8:
        text = caption(sample_scene(rng, None), rng)
        if text not in examples and len(words_of(text)) <= EXAMPLE_WORDS:
            examples.append(text)
    words = {kind: list(words) for kind, words in VOCABULARY.items()}
    return {
        "words": {**words, "instructions": _instruction_words()},
        "examples": examples,
        "figure": _figure(),
    }


def _figure() -> dict:
    """How its figures stand: where, each kind's size, and the lengths of one in the figure's own units."""
    kinds = {name: KINDS[name] for name in FIGURES}
    lengths = {name: np.round(value, 4).tolist() for name, value in PROPORTIONS.items()}
    ground = {kind.ground for kind in kinds.values()}
    sizes = {name: kind.size for name, kind in kinds.items()}
    middle = sum(sizes.values()) / len(sizes)
    return {"x": 0.5, "y": max(ground), "size": round(middle, 3), "sizes": sizes, "is_flat": True, **lengths}


def _instruction_words() -> list[str]:
    """The words that instructions have beyond those of captions."""
    rng = np.random.default_rng(2)
    scenes = [sample_scene(rng, None) for _ in range(1000)]
    said = {word for scene in scenes for word in words_of(edits(scene, rng, split=None)[0])}
    return sorted(said - {word for words in VOCABULARY.values() for text in words for word in words_of(text)})

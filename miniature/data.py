"""Training material from the world: pictures, latents and captions, without the held-out combinations."""

import logging
import math
import re
from collections import Counter

import cv2
import numpy as np
import torch
from diffusers import AutoencoderTiny
from transformers import CLIPTokenizer

from miniature.autoencoder import encode
from miniature.fit import worker, workers
from miniature.shapes import PIXELS, Stage
from miniature.text_to_image import token_ids
from miniature.tokenizer import build_tokenizer
from miniature.world import VOCABULARY, Scene, caption, draw, plain_caption, sample_scene

log = logging.getLogger(__name__)

CAPTIONS_DROPPED = 0.1  # so that guidance has something to compare with
COLOURS_LEFT_OUT = 0.1  # of the captions, so that "a car on the street" is understood too
WORDINGS = 4  # captions kept for each scene of a bank
ENCODED_AT_ONCE = 32
HELD_OUT_SEED = 20_000  # of the held-out scenes; training seeds are derived from stage names and steps


def training_rng(stage: Stage, step: int) -> np.random.Generator:
    """Randomness of a stage from a step on: a resumed run sees new scenes, each worker its own."""
    return np.random.default_rng([step, worker(), *stage.name.encode()])


def to_tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 (b, h, w, 3) to float32 (b, 3, h, w) in -1..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def draw_scene(scene: Scene, pixels: int) -> np.ndarray:
    """The picture at ``pixels``², uint8: drawn at full size and averaged down, lines and all."""
    picture = draw(scene, PIXELS)
    if pixels == PIXELS:
        return picture
    return cv2.resize(picture, (pixels, pixels), interpolation=cv2.INTER_AREA)


def held_out_pictures(count: int) -> torch.Tensor:
    """The same ``count`` pictures (b, 3, 256, 256) in -1..1 every time, of held-out combinations."""
    rng = np.random.default_rng(HELD_OUT_SEED)
    return to_tensor(np.stack([draw(sample_scene(rng, "held-out"), PIXELS) for _ in range(count)]))


def without_colours(text: str) -> str:
    """A caption with its colours left out: "an orange car on the street" becomes "a car on the street"."""

    def rest(match: re.Match) -> str:
        article, first = match.groups()
        if article is None:
            return first
        return f"{'an' if first in 'aeiou' else 'a'} {first}"

    colours = "|".join(VOCABULARY["colours"])
    return re.sub(rf"\b(?:(an?) )?(?:{colours}) (\w)", rest, text)


class PicturePool:
    """Pictures to cut the autoencoder's crops from; some are replaced at every step."""

    def __init__(self, stage: Stage, step: int):
        self.stage, self.rng = stage, training_rng(stage, step)
        self.pictures = [self._picture() for _ in range(stage.scenes // workers())]

    def _picture(self) -> np.ndarray:
        pixels = PIXELS if self.rng.random() < 0.75 else PIXELS // 2  # text-to-image begins with halved ones
        return draw_scene(sample_scene(self.rng, "train"), pixels)

    def crops(self, count: int) -> torch.Tensor:
        """Random crops (b, 3, h, w) in -1..1."""
        side = self.stage.pixels
        for _ in range(self.stage.fresh):
            self.pictures[self.rng.integers(len(self.pictures))] = self._picture()
        cut = []
        for index in self.rng.integers(len(self.pictures), size=count):
            picture = self.pictures[index]
            top, left = self.rng.integers(picture.shape[0] - side + 1, size=2)
            cut.append(picture[top : top + side, left : left + side])
        return to_tensor(np.stack(cut))


class LatentBank:
    """Encoded scenes with their captions; some are replaced at every step, so there are always new ones."""

    def __init__(self, stage: Stage, step: int, autoencoder: AutoencoderTiny, tokenizer: CLIPTokenizer):
        self.stage, self.rng = stage, training_rng(stage, step)
        self.autoencoder, self.tokenizer = autoencoder, tokenizer
        self.device = next(autoencoder.parameters()).device
        batches = math.ceil(stage.scenes / workers() / ENCODED_AT_ONCE)
        encoded = [self._encoded(ENCODED_AT_ONCE) for _ in range(batches)]
        self.latents, self.ids = (torch.cat(tensors) for tensors in zip(*encoded, strict=True))
        self.nothing = token_ids(tokenizer, [""])[0].to(self.device)
        self.waiting, self.next = 0, 0
        log.info("%s: %d scenes encoded", stage.name, len(self.latents))

    def _caption(self, scene: Scene) -> str:
        text = caption(scene, self.rng)
        return without_colours(text) if self.rng.random() < COLOURS_LEFT_OUT else text

    @torch.no_grad()
    def _encoded(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Scaled latents, float16 (count, 4, h, w), and token numbers (count, WORDINGS, l), of new scenes."""
        scenes = [sample_scene(self.rng, "train") for _ in range(count)]
        pictures = to_tensor(np.stack([draw_scene(scene, self.stage.pixels) for scene in scenes]))
        latents = encode(self.autoencoder, pictures.to(self.device)) * self.autoencoder.config.scaling_factor
        captions = [self._caption(scene) for scene in scenes for _ in range(WORDINGS)]
        ids = token_ids(self.tokenizer, captions).view(count, WORDINGS, -1)
        return latents.half(), ids.to(self.device)

    def _refresh(self) -> None:
        """Replace the oldest scenes, a whole encoder batch at a time."""
        self.waiting += self.stage.fresh / workers()
        if self.waiting < ENCODED_AT_ONCE:
            return
        self.waiting -= ENCODED_AT_ONCE
        place = slice(self.next, self.next + ENCODED_AT_ONCE)
        self.latents[place], self.ids[place] = self._encoded(ENCODED_AT_ONCE)
        self.next = (self.next + ENCODED_AT_ONCE) % len(self.latents)

    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Scaled latents (b, 4, h, w), float32, and token numbers (b, l), a tenth of the empty caption."""
        self._refresh()
        chosen = torch.from_numpy(self.rng.integers(len(self.latents), size=count)).to(self.device)
        wording = torch.from_numpy(self.rng.integers(WORDINGS, size=count)).to(self.device)
        ids = self.ids[chosen, wording]
        ids[torch.from_numpy(self.rng.random(count) < CAPTIONS_DROPPED).to(self.device)] = self.nothing
        return self.latents[chosen].float(), ids


def world_tokenizer() -> CLIPTokenizer:
    """A tokenizer that knows every word of the world as one token."""
    rng = np.random.default_rng(0)
    captions = [caption(sample_scene(rng, None), rng) for _ in range(5000)]
    return build_tokenizer(captions, [word for words in VOCABULARY.values() for word in words])


def held_out_prompts(count: int) -> list[str]:
    """The same ``count`` plain captions every time, of held-out combinations, spread over all words."""
    rng = np.random.default_rng(HELD_OUT_SEED)
    sampled = [sample_scene(rng, "held-out") for _ in range(40 * count)]
    scenes = {plain_caption(scene): scene for scene in sampled}
    used: Counter[str] = Counter()
    chosen = []
    for _ in range(min(count, len(scenes))):
        rarest = min(scenes, key=lambda text: sum(used[word] ** 2 for word in _words(scenes[text])))
        chosen.append(rarest)
        used.update(_words(scenes.pop(rarest)))
    return chosen


def _words(scene: Scene) -> tuple[str, str, str]:
    """Subject, colour and place of a scene with one subject."""
    return scene.subjects[0].kind, scene.subjects[0].colour, scene.place


def world_facts() -> dict:
    """What ``miniature.json`` says about the model's words, with examples."""
    rng = np.random.default_rng(1)
    examples = [plain_caption(sample_scene(rng, None)) for _ in range(8)]
    return {"words": {kind: list(words) for kind, words in VOCABULARY.items()}, "examples": examples}

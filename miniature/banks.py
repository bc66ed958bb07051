"""Training material: drawn before the first step, and some of it drawn anew at every step."""

import logging
import math
from collections.abc import Callable

import cv2
import numpy as np
import torch
from diffusers import AutoencoderTiny
from transformers import CLIPTokenizer

from miniature.autoencoder import encode
from miniature.data import draw_scene, draw_scenes, to_tensor, training_caption, training_rng
from miniature.fit import workers
from miniature.shapes import PIXELS, Stage
from miniature.text_to_image import token_ids
from miniature.world import TRAINING, Distribution, Scene, sample_scene

log = logging.getLogger(__name__)

CAPTIONS_DROPPED = 0.1  # so that guidance has something to compare with
WORDINGS = 4  # captions kept for each scene of a bank
DRAWN_AT_ONCE = 32

Columns = tuple[torch.Tensor, ...]  # of one length: what belongs to the same scene stands in the same row


class Bank:
    """Rows of material for a stage; the oldest are replaced as training goes on.

    ``make(rng, count)`` draws ``count`` new rows, ``at_once`` of them. Each worker keeps its share of them.
    """

    def __init__(
        self,
        stage: Stage,
        step: int,
        make: Callable[[np.random.Generator, int], Columns],
        at_once: int = DRAWN_AT_ONCE,
    ):
        self.stage, self.rng, self.make, self.at_once = stage, training_rng(stage, step), make, at_once
        batches = math.ceil(stage.scenes / workers() / at_once)
        drawn = [make(self.rng, at_once) for _ in range(batches)]
        self.columns = tuple(torch.cat(parts) for parts in zip(*drawn, strict=True))
        self.waiting, self.next = 0.0, 0
        log.info("%s: %d scenes drawn", stage.name, len(self.columns[0]))

    def _refresh(self) -> None:
        """Replace the oldest rows, a whole drawing at a time."""
        self.waiting += self.stage.fresh / workers()
        while self.waiting >= self.at_once:
            self.waiting -= self.at_once
            place = slice(self.next, self.next + self.at_once)
            for column, new in zip(self.columns, self.make(self.rng, self.at_once), strict=True):
                column[place] = new
            self.next = (self.next + self.at_once) % len(self.columns[0])

    def rows(self, count: int) -> Columns:
        """``count`` rows at random."""
        self._refresh()
        chosen = torch.from_numpy(self.rng.integers(len(self.columns[0]), size=count))
        return tuple(column[chosen.to(column.device)] for column in self.columns)


class PicturePool:
    """Pictures to cut the autoencoder's crops from, of two the one with more detail; some are replaced at
    every step."""

    def __init__(self, stage: Stage, step: int):
        self.stage, self.rng = stage, training_rng(stage, step)
        self.pictures = [self._picture() for _ in range(stage.scenes // workers())]

    def _picture(self) -> np.ndarray:
        pixels = PIXELS if self.rng.random() < 0.75 else PIXELS // 2  # text-to-image begins with halved ones
        return draw_scene(sample_scene(self.rng, "train"), pixels)

    def crops(self, count: int) -> torch.Tensor:
        """Crops (b, 3, h, w) in -1..1."""
        side = self.stage.pixels
        for _ in range(int(self.stage.fresh)):
            self.pictures[self.rng.integers(len(self.pictures))] = self._picture()
        cut = []
        for index in self.rng.integers(len(self.pictures), size=count):
            picture = self.pictures[index]
            corners = self.rng.integers(picture.shape[0] - side + 1, size=(2, 2))
            places = [picture[top : top + side, left : left + side] for top, left in corners]
            cut.append(max(places, key=_detail))
        return to_tensor(np.stack(cut))


def _detail(crop: np.ndarray) -> float:
    """How much a crop (h, w, 3) has to teach: outlines, not empty sky."""
    return float(cv2.absdiff(crop[1:], crop[:-1]).mean() + cv2.absdiff(crop[:, 1:], crop[:, :-1]).mean())


class Encoder:
    """Turns scenes into scaled latents and their texts into token numbers, on the autoencoder's device."""

    def __init__(self, autoencoder: AutoencoderTiny, tokenizer: CLIPTokenizer, pixels: int):
        self.autoencoder, self.tokenizer, self.pixels = autoencoder, tokenizer, pixels
        self.device = next(autoencoder.parameters()).device
        self.nothing = token_ids(tokenizer, [""])[0].to(self.device)

    @torch.no_grad()
    def latents(self, pictures: torch.Tensor) -> torch.Tensor:
        """Scaled latents, float16 (b, 4, h/8, w/8), of pictures (b, 3, h, w) in -1..1."""
        encoded = encode(self.autoencoder, pictures.to(self.device))
        return (encoded * self.autoencoder.config.scaling_factor).half()

    def scenes(self, scenes: list[Scene]) -> torch.Tensor:
        """Scaled latents of the scenes' pictures."""
        return self.latents(draw_scenes(scenes, self.pixels))

    def wordings(self, texts: list[list[str]]) -> torch.Tensor:
        """Token numbers (b, wordings, l) of several texts for each row."""
        flat = [text for row in texts for text in row]
        return token_ids(self.tokenizer, flat).view(len(texts), len(texts[0]), -1).to(self.device)

    def captions(self, scenes: list[Scene], rng: np.random.Generator) -> torch.Tensor:
        """Token numbers (b, WORDINGS, l) of the scenes' captions."""
        return self.wordings([[training_caption(scene, rng) for _ in range(WORDINGS)] for scene in scenes])

    def one_of(self, ids: torch.Tensor, dropped: float = CAPTIONS_DROPPED) -> torch.Tensor:
        """One wording (b, l) of each row (b, wordings, l), a share of them replaced by the empty text."""
        rows = torch.arange(len(ids), device=ids.device)
        chosen = ids[rows, torch.randint(ids.shape[1], (len(ids),), device=ids.device)]
        return torch.where(torch.rand(len(ids), 1, device=ids.device) < dropped, self.nothing, chosen)


def caption_bank(stage: Stage, step: int, encoder: Encoder, dist: Distribution = TRAINING) -> Bank:
    """Rows of scaled latents, float16 (4, h, w), and token numbers (WORDINGS, l)."""

    def make(rng: np.random.Generator, count: int) -> Columns:
        scenes = [sample_scene(rng, "train", dist) for _ in range(count)]
        return encoder.scenes(scenes), encoder.captions(scenes, rng)

    return Bank(stage, step, make)

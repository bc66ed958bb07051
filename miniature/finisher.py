"""The finisher: pictures twice as large, as the world itself would draw them.

It learns from pairs without end: what the autoencoder makes of the world's pictures, its latents a little
off as a sampler's are, and the same scenes drawn at twice the size.
"""

import dataclasses
import logging

import cv2
import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch import nn

from miniature.autoencoder import decode, encode
from miniature.data import to_tensor, training_rng
from miniature.fit import low_precision, workers
from miniature.shapes import FINISHER, PIXELS, Stage
from miniature.world import Scene, draw, sample_scene
from t2v.finishing.network import FinisherNetwork

log = logging.getLogger(__name__)

SCALE = 2
UNTOUCHED = 0.2  # of the pairs start from the world's own picture: clean ones are to stay clean
MOVED = 0.5  # of the scenes are seen by a camera that has moved, on cut things and between pixels
FARTHEST = 0.3  # in widths of the picture
NEON = 0.05  # of the scenes in the look of the style weights, whose videos are doubled too
NOISE = 0.08  # at most, in deviations of the latents


def build_finisher() -> FinisherNetwork:
    """A network that interpolates at first and adds nothing to it."""
    model = FinisherNetwork(**FINISHER)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    for conv in (*(block.second for block in model.middle), model.tail):
        nn.init.zeros_(conv.weight)
    return model


def finisher_scene(rng: np.random.Generator, split: str = "train") -> Scene:
    """A scene of the world, half of them from elsewhere than its middle."""
    scene = sample_scene(rng, split)
    if rng.random() < MOVED:
        scene = dataclasses.replace(scene, camera=tuple(rng.uniform(-FARTHEST, FARTHEST, 2)))
    if rng.random() < NEON:
        scene = dataclasses.replace(scene, style="neon")
    return scene


@torch.no_grad()
def through_autoencoder(autoencoder: AutoencoderTiny, pictures: np.ndarray, noise: float = 0.0) -> np.ndarray:
    """What the autoencoder makes of pictures, uint8 (b, h, w, 3) to the same.

    noise: of the latents, in deviations of them.
    """
    device = next(autoencoder.parameters()).device
    latents = encode(autoencoder, to_tensor(pictures).to(device))
    off = noise / autoencoder.config.scaling_factor * torch.randn_like(latents)
    made = decode(autoencoder, latents + off).clamp(-1, 1)
    return ((made + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


class PairPool:
    """Pairs of pictures to cut crops from, of four crops the one with most detail; some are replaced at every
    step."""

    def __init__(self, stage: Stage, step: int, autoencoder: AutoencoderTiny, margin: int):
        self.stage, self.autoencoder, self.margin = stage, autoencoder, margin
        self.rng = training_rng(stage, step)
        self.waiting = 0.0
        self.pairs = [self._pair() for _ in range(max(1, stage.scenes // workers()))]
        log.info("%s: %d pairs drawn", stage.name, len(self.pairs))

    def _pair(self) -> tuple[np.ndarray, np.ndarray]:
        """A picture with the margin repeated around it, and the same scene at twice the size."""
        scene = finisher_scene(self.rng)
        small, large = draw(scene, PIXELS), draw(scene, SCALE * PIXELS)
        if self.rng.random() >= UNTOUCHED:
            noise = NOISE * self.rng.random()
            small = through_autoencoder(self.autoencoder, small[None], noise)[0]
        return cv2.copyMakeBorder(small, *[self.margin] * 4, cv2.BORDER_REPLICATE), large

    def crops(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Crops with their margin (b, 3, s + 2 margin, ...) and what becomes of them (b, 3, 2s, 2s), 0..1."""
        self.waiting += self.stage.fresh / workers()
        while self.waiting >= 1:
            self.waiting -= 1
            self.pairs[self.rng.integers(len(self.pairs))] = self._pair()
        cut = [self._crop(*self.pairs[index]) for index in self.rng.integers(len(self.pairs), size=count)]
        small, large = (np.stack(column) for column in zip(*cut, strict=True))
        return to_tensor(small) / 2 + 0.5, to_tensor(large) / 2 + 0.5

    def _crop(self, small: np.ndarray, large: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        side, border = self.stage.pixels, 2 * self.margin
        corners = self.rng.integers(large.shape[0] // SCALE - side + 1, size=(4, 2))
        wanted = [
            large[SCALE * top : SCALE * (top + side), SCALE * left : SCALE * (left + side)]
            for top, left in corners
        ]
        best = max(range(len(wanted)), key=lambda index: _steps(wanted[index]))
        top, left = corners[best]
        crop, target = small[top : top + side + border, left : left + side + border], wanted[best]
        if self.rng.random() < 0.5:
            crop, target = crop[:, ::-1], target[:, ::-1]
        return crop, target


def _steps(crop: np.ndarray) -> float:
    """How much a crop (h, w, 3) has of outlines."""
    return float(cv2.absdiff(crop[1:], crop[:-1]).mean() + cv2.absdiff(crop[:, 1:], crop[:, :-1]).mean())


def finisher_loss(model: FinisherNetwork, small: torch.Tensor, large: torch.Tensor) -> torch.Tensor:
    """How far doubled crops (b, 3, h, w) in 0..1 are off the world's own, in mean absolute values.

    That alone: where an outline is not quite certain to stand, the best answer to it is a sharp outline at
    the likeliest place. Squares, or differences of neighbours' steps, would ask for a soft one.
    """
    with low_precision(small.device):
        made = model(small)
    return (made.float() - large).abs().mean()

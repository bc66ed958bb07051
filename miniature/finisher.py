"""The finisher: pictures twice as large, as the world itself would draw them.

It learns from pairs without end: what the autoencoder makes of the world's pictures, its latents a little
off as a sampler's are, and the same scenes drawn at twice the size. Each scene is seen twice, the second time
moved by a few pixels: what the autoencoder makes of the two differs, what is made of that should not.
"""

import dataclasses
import logging
from dataclasses import dataclass

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
NEAR_PX = 7  # how far a scene's second view is from the first: the autoencoder errs otherwise in each
SAME = 0.1  # of 255: a moved scene is drawn the same but for roundings
STEADY = 0.7  # how much the loss is about both views becoming the same


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


@dataclass(frozen=True, eq=False)
class Views:
    """A scene seen twice through the autoencoder, and drawn at twice the size as it is seen first.

    small: each with the margin repeated around it. moved: how far down and to the right things stand in the
    second of what they do in the first.
    """

    small: tuple[np.ndarray, np.ndarray]
    moved: tuple[int, int]
    large: np.ndarray


class ViewPool:
    """Views to cut crops from, of four crops the one with most detail; some are replaced at every step."""

    def __init__(self, stage: Stage, step: int, autoencoder: AutoencoderTiny, margin: int):
        self.stage, self.autoencoder, self.margin = stage, autoencoder, margin
        self.rng = training_rng(stage, step)
        self.waiting = 0.0
        self.views = [self._view() for _ in range(max(1, stage.scenes // workers()))]
        log.info("%s: %d scenes drawn", stage.name, len(self.views))

    def _view(self) -> Views:
        scene = finisher_scene(self.rng)
        own = draw(scene, PIXELS)
        down, right = (int(step) for step in self.rng.integers(-NEAR_PX, NEAR_PX + 1, size=2))
        x, y = scene.camera
        other = draw(dataclasses.replace(scene, camera=(x + right / PIXELS, y + down / PIXELS)), PIXELS)
        if not _is_moved(own, other, (down, right)):  # pixel art: its blocks stay where they are
            other, down, right = own, 0, 0
        if self.rng.random() >= UNTOUCHED:
            noise = NOISE * self.rng.random()
            own, other = through_autoencoder(self.autoencoder, np.stack([own, other]), noise)
        small = [cv2.copyMakeBorder(one, *[self.margin] * 4, cv2.BORDER_REPLICATE) for one in (own, other)]
        return Views((small[0], small[1]), (down, right), draw(scene, SCALE * PIXELS))

    def crops(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Crops of both views with their margin (2, b, 3, s + 2 margin, ...), and what each should become.

        The latter (b, 3, 2s, 2s); all in 0..1.
        """
        self.waiting += self.stage.fresh / workers()
        while self.waiting >= 1:
            self.waiting -= 1
            self.views[self.rng.integers(len(self.views))] = self._view()
        cut = [self._crop(self.views[index]) for index in self.rng.integers(len(self.views), size=count)]
        *small, large = (to_tensor(np.stack(column)) / 2 + 0.5 for column in zip(*cut, strict=True))
        return torch.stack(small), large

    def _crop(self, views: Views) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        side = self.stage.pixels
        least = np.maximum(0, -np.array(views.moved))
        most = PIXELS - side - np.maximum(0, views.moved)
        corners = self.rng.integers(least, most + 1, size=(4, 2))
        wanted = [_cut(views.large, SCALE * corner, SCALE * side) for corner in corners]
        best = max(range(len(wanted)), key=lambda index: _steps(wanted[index]))
        wide = side + 2 * self.margin
        first = _cut(views.small[0], corners[best], wide)
        second = _cut(views.small[1], corners[best] + views.moved, wide)
        turn = slice(None, None, -1 if self.rng.random() < 0.5 else 1)
        return first[:, turn], second[:, turn], wanted[best][:, turn]


def _cut(picture: np.ndarray, corner: np.ndarray, side: int) -> np.ndarray:
    return picture[corner[0] : corner[0] + side, corner[1] : corner[1] + side]


def _is_moved(own: np.ndarray, other: np.ndarray, moved: tuple[int, int]) -> bool:
    """Whether one picture (h, w, 3) is the other moved down and to the right, where both show the same."""
    down, right = moved
    height, width = own.shape[:2]
    before = own[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
    after = other[max(0, down) : height - max(0, -down), max(0, right) : width - max(0, -right)]
    return float(cv2.absdiff(before, after).mean()) < SAME


def _steps(crop: np.ndarray) -> float:
    """How much a crop (h, w, 3) has of outlines."""
    return float(cv2.absdiff(crop[1:], crop[:-1]).mean() + cv2.absdiff(crop[:, 1:], crop[:, :-1]).mean())


def finisher_loss(model: FinisherNetwork, small: torch.Tensor, large: torch.Tensor) -> torch.Tensor:
    """How far both views' doubled crops are off the world's own and one another, in mean absolute values.

    small: (2, b, 3, h, w). large: (b, 3, 2h', 2w'), without the margin; all in 0..1. Absolute values: where
    an outline is not quite certain to stand, the best answer to them is a sharp one at the likeliest place.
    """
    with low_precision(small.device):
        made = model(small.flatten(0, 1))
    one, other = made.float().unflatten(0, small.shape[:2])
    off = (one - large).abs().mean() + (other - large).abs().mean()
    return off / 2 + STEADY * (one - other).abs().mean()

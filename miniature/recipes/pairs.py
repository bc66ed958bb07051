"""The recipe of first-frame attention: the UNet of text-to-image with new layers, on frames of one clip."""

import json
import logging
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from miniature.banks import Bank, Columns, Encoder
from miniature.diffusion import freeze
from miniature.package import load_pipeline, write_package
from miniature.pairs import grow_attention, look_beside, pair_losses, paired, rate
from miniature.recipes.recipe import Losses, Recipe, Run
from miniature.shapes import CARD, PAIRS_STAGE, Stage
from miniature.text_to_image import use_quick_attention
from miniature.world import TRAINING, another_frame, sample_scene

log = logging.getLogger(__name__)

WITH_EMPTY = replace(TRAINING, empty=0.12)  # places alone, so that backgrounds can be asked for
KINDS = ("single", "first frame", "second frame", "empty")
LOG_EVERY = 50


def _folder(run: Run):
    """Text-to-image as this run has made it, else the earlier one that the run goes on from."""
    made = run.out / "text-to-image"
    folder = made if made.exists() else run.earlier("text-to-image")
    if folder is None:
        raise FileNotFoundError(f"there is no {made}; train text-to-image first")
    return folder


def _parts(run: Run) -> nn.ModuleDict:
    pipe = load_pipeline(_folder(run))
    freeze(pipe.text_encoder)
    unet = grow_attention(pipe.unet)
    use_quick_attention(unet)
    return nn.ModuleDict({"text_encoder": pipe.text_encoder, "unet": unet}).to(run.device)


def _losses(run: Run, stage: Stage, parts: nn.ModuleDict, step: int) -> Losses:
    pipe = load_pipeline(_folder(run), run.device)
    encoder = Encoder(pipe.vae, pipe.tokenizer, stage.pixels)

    def make(rng: np.random.Generator, count: int) -> Columns:
        scenes = [sample_scene(rng, "train", WITH_EMPTY) for _ in range(count)]
        others = [another_frame(rng, scene) for scene in scenes]
        empty = torch.tensor([not scene.subjects for scene in scenes], device=run.device)
        return encoder.scenes(scenes), encoder.scenes(others), encoder.captions(scenes, rng), empty

    bank = Bank(stage, step, make)
    beside = look_beside(parts["unet"])
    pairs = max(1, run.batch(stage) // 4)  # half of the rows
    singles = max(1, run.batch(stage) - 2 * pairs)
    rows = paired(singles, pairs).to(run.device)
    tally = Tally(singles, pairs)

    def loss() -> torch.Tensor:
        first, second, ids, empty = bank.rows(singles + pairs)
        latents = torch.cat([first, second[singles:]]).float()
        losses = pair_losses(parts, beside, latents, encoder.one_of(ids)[rows], rows)
        tally.add(losses.detach(), empty[rows])
        return losses.mean()

    return loss


class Tally:
    """Says every LOG_EVERY steps what each of KINDS cost; empty scenes count in their other kind too."""

    def __init__(self, singles: int, pairs: int):
        self.sizes = (singles, pairs, pairs)
        self.sums, self.counts, self.steps = torch.zeros(len(KINDS)), torch.zeros(len(KINDS)), 0

    def add(self, losses: torch.Tensor, empty: torch.Tensor) -> None:
        """Losses (b) of one batch, laid out as ``paired`` says; empty: bool (b)."""
        for kind, part in enumerate((*losses.split(self.sizes), losses[empty])):
            self.sums[kind] += part.sum().item()
            self.counts[kind] += len(part)
        self.steps += 1
        if self.steps == LOG_EVERY:
            means = (self.sums / self.counts).tolist()
            log.info(", ".join(f"{kind} {mean:.4f}" for kind, mean in zip(KINDS, means, strict=True)))
            self.sums.zero_(), self.counts.zero_()
            self.steps = 0


def _save(run: Run, parts: nn.ModuleDict) -> None:
    folder = _folder(run)
    pipe = load_pipeline(folder, run.device)
    card = json.loads((folder / CARD).read_text())
    write_package(run.out / "text-to-image", pipe.vae, pipe.tokenizer, parts, card)


PAIRS = Recipe((PAIRS_STAGE,), _parts, _losses, _save, "text-to-image", rate)

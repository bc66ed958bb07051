"""The recipe of few steps: a LoRA on text-to-image, which teaches it and stays as it is."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from torch import nn

from miniature.banks import Bank, Columns
from miniature.data import training_caption
from miniature.diffusion import freeze
from miniature.package import load_pipeline
from miniature.quick import NAME, UNASKED, WAYS, Courses, build_quick, made_fast, quick_loss, save_quick
from miniature.recipes.recipe import Losses, Recipe, Run
from miniature.shapes import PIXELS, QUICK_STAGE, REDUCTION, Stage
from miniature.text_to_image import token_ids, use_quick_attention
from miniature.world import sample_scene

log = logging.getLogger(__name__)

DRAWN_AT_ONCE_GPU = 512


def _teacher(run: Run) -> StableDiffusionPipeline:
    """Text-to-image as this run has made it, else the earlier one that the run goes on from."""
    made: Path = run.out / "text-to-image"
    folder = made if made.exists() else run.earlier("text-to-image")
    if folder is None:
        raise FileNotFoundError(f"there is no {made}; train text-to-image first")
    pipe = load_pipeline(folder, run.device)
    freeze(pipe.unet, pipe.text_encoder)
    if run.device.type == "cuda":
        made_fast(pipe.unet)
    else:
        use_quick_attention(pipe.unet)
    return pipe


def _parts(run: Run) -> nn.ModuleDict:
    return build_quick(_teacher(run).unet).to(run.device)


def _losses(run: Run, stage: Stage, parts: nn.ModuleDict, step: int) -> Losses:
    pipe = _teacher(run)

    @torch.no_grad()
    def states(texts: list[str]) -> torch.Tensor:
        ids = token_ids(pipe.tokenizer, texts).to(run.device)
        return pipe.text_encoder(ids).last_hidden_state

    courses = Courses(WAYS[run.way], pipe.unet, parts["unet"], states([""]))
    cells = PIXELS // REDUCTION

    def make(rng: np.random.Generator, count: int) -> Columns:
        """Scenes give their captions alone: what they look like is the teacher's to say."""
        scenes = [sample_scene(rng, "train") for _ in range(count)]
        text = states(["" if rng.random() < UNASKED else training_caption(scene, rng) for scene in scenes])
        noise = torch.randn(count, 4, cells, cells, device=run.device)
        first, stride, renews = courses.begin(rng)
        kept = courses.draw(noise, text, first, stride, renews)
        return kept, text.half(), torch.full((count,), first, device=run.device)

    bank: Bank | None = None

    def loss() -> torch.Tensor:
        nonlocal bank
        if bank is None:  # within the first step, for these courses are most of what a short budget pays for
            larger = run.batch(stage) / stage.batch
            grown = replace(stage, scenes=round(larger * stage.scenes), fresh=larger * stage.fresh)
            is_on_gpu = run.device.type == "cuda" and not run.tiny
            bank = Bank(grown, step, make, *([DRAWN_AT_ONCE_GPU] if is_on_gpu else []))
        kept, text, first = bank.rows(run.batch(stage))
        return quick_loss(courses, kept, text.float(), first)

    return loss


def _save(run: Run, parts: nn.ModuleDict) -> None:
    save_quick(run.out / NAME, parts["unet"], WAYS[run.way])


QUICK = Recipe((QUICK_STAGE,), _parts, _losses, _save, NAME)

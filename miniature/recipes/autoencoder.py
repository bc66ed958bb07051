"""The autoencoder's recipe: kept beside the checkpoints until text-to-image is packaged with it."""

import logging

import torch
from diffusers import AutoencoderTiny
from torch import nn

from miniature import data
from miniature.autoencoder import (
    autoencoder_loss,
    build_autoencoder,
    carry_blocks,
    fit_scaling,
    measure_autoencoder,
)
from miniature.banks import PicturePool
from miniature.diffusion import freeze
from miniature.package import load_pipeline, replacing
from miniature.recipes.recipe import Losses, Recipe, Run
from miniature.shapes import AUTOENCODER_STAGE, Stage

log = logging.getLogger(__name__)


def _parts(run: Run) -> nn.ModuleDict:
    folder = run.earlier("text-to-image")
    model = build_autoencoder()
    if folder is not None:
        carry_blocks(load_pipeline(folder).vae, model)
    return nn.ModuleDict({"autoencoder": model}).to(run.device, memory_format=torch.channels_last)


def _losses(run: Run, stage: Stage, parts: nn.ModuleDict, step: int) -> Losses:
    pool = PicturePool(stage, step)
    return lambda: autoencoder_loss(parts["autoencoder"], pool.crops(run.batch(stage)).to(run.device))


def _save(run: Run, parts: nn.ModuleDict) -> None:
    model, pictures = parts["autoencoder"], data.held_out_pictures(run.measured).to(run.device)
    factor = fit_scaling(model, pictures)
    log.info("autoencoder: scaling %.4f, held-out %s", factor, measure_autoencoder(model, pictures))
    with replacing(run.runs / "autoencoder") as part:
        model.save_pretrained(part)


def load_autoencoder(run: Run) -> AutoencoderTiny:
    """The trained autoencoder: this run's own, else that of the family it begins with."""
    folder = run.runs / "autoencoder"
    if not folder.exists():
        package = run.earlier("text-to-image")
        if package is None:
            raise FileNotFoundError(f"there is no autoencoder under {run.runs}; train that stage first")
        folder = package / "vae"
    model = AutoencoderTiny.from_pretrained(folder, torch_dtype=torch.float32)
    freeze(model)
    return model.to(run.device, memory_format=torch.channels_last)


AUTOENCODER = Recipe((AUTOENCODER_STAGE,), _parts, _losses, _save)

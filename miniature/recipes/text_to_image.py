"""The recipe of text-to-image: text encoder and UNet together, on small pictures, then on large ones."""

import functools

import torch
from torch import nn
from transformers import CLIPTokenizer

from miniature import data
from miniature.autoencoder import preview_matrix
from miniature.banks import Encoder, caption_bank
from miniature.fit import wait_for_workers, worker
from miniature.package import load_pipeline, replacing, write_package
from miniature.recipes.autoencoder import load_autoencoder
from miniature.recipes.recipe import Losses, Recipe, Run
from miniature.shapes import TEXT_TO_IMAGE_STAGES, Stage
from miniature.text_to_image import build_text_to_image, carry_words, text_to_image_loss, use_quick_attention


@functools.cache
def load_tokenizer(run: Run) -> CLIPTokenizer:
    """The tokenizer of this run; made once, because a new one could number the words differently."""
    folder = run.runs / "tokenizer"
    if not folder.exists() and worker() == 0:
        with replacing(folder) as part:
            data.world_tokenizer().save_pretrained(part)
    wait_for_workers()  # until it is written
    return CLIPTokenizer.from_pretrained(folder)


def _parts(run: Run) -> nn.ModuleDict:
    tokenizer, folder = load_tokenizer(run), run.earlier("text-to-image")
    parts = build_text_to_image(tokenizer)
    if folder is not None:
        pipe = load_pipeline(folder)
        carry_words(pipe.text_encoder, pipe.tokenizer, parts["text_encoder"], tokenizer)
        parts["unet"] = pipe.unet  # of its own shape: it may see more than a fresh one
        use_quick_attention(parts["unet"])
    return parts.to(run.device)


def _losses(run: Run, stage: Stage, parts: nn.ModuleDict, step: int) -> Losses:
    encoder = Encoder(load_autoencoder(run), load_tokenizer(run), stage.pixels)
    bank = caption_bank(stage, step, encoder)

    def loss() -> torch.Tensor:
        latents, ids = bank.rows(run.batch(stage))
        return text_to_image_loss(parts, latents.float(), encoder.one_of(ids))

    return loss


def _save(run: Run, parts: nn.ModuleDict) -> None:
    autoencoder = load_autoencoder(run)
    facts = data.world_facts()
    facts["preview"] = preview_matrix(autoencoder, data.held_out_pictures(run.measured).to(run.device))
    write_package(run.out / "text-to-image", autoencoder, load_tokenizer(run), parts, facts)


TEXT_TO_IMAGE = Recipe(TEXT_TO_IMAGE_STAGES, _parts, _losses, _save, "text-to-image")

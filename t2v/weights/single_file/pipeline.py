"""A checkpoint file as the pipeline that draws with it."""

import logging
from pathlib import Path
from typing import Any

import torch

from t2v.devices import settle
from t2v.diffusion.telling import guidance_by
from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.weights.assembled import assembled
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import check_checkpoint
from t2v.weights.single_file.details import is_taesd
from t2v.weights.single_file.draft_vae import NOTE, DraftVae, draft_vae
from t2v.weights.single_file.generations import Generation
from t2v.weights.single_file.load import (
    Opened,
    load_text_encoder,
    load_unet,
    load_vae,
    load_vae_file,
    noise_schedule,
    open_checkpoint,
)
from t2v.weights.single_file.prediction import found_prediction
from t2v.weights.single_file.values import Values
from t2v.weights.single_file.vocabulary import clip_tokenizer

logger = logging.getLogger(__name__)

KL = "AutoencoderKL"


def file_pipeline(
    name: str, path: Path, vae: Path | None, device: str, dtype: torch.dtype, editor: bool
) -> VideoPipeline:
    """The pipeline of a checkpoint file on ``device``. vae: a file to be taken instead of the VAE inside.

    ModelError in one sentence where it is not drawn with, or broken.
    """
    opened = open_checkpoint(name, path, check_checkpoint(name, path, vae is not None, editor), dtype)
    parts: dict[str, Any] = {"unet": load_unet(opened)}
    if vae is None:
        parts["vae"] = load_vae(opened)
    else:
        generation = opened.generation
        parts["vae"] = _vae_beside(vae, generation, generation.scaling_factor, dtype)
    rest = {"scheduler": noise_schedule(opened.kind.prediction or "epsilon", opened.kind.zero_snr)}
    for number, encoder in enumerate(opened.generation.texts):
        behind = f"_{number + 1}" if number else ""
        parts[f"text_encoder{behind}"] = load_text_encoder(opened, encoder)
        rest[f"tokenizer{behind}"] = clip_tokenizer(encoder.pad)
    pipeline = assembled({**rest, **{part: settle(network, device) for part, network in parts.items()}})
    _tell_of_vae(pipeline)
    if opened.kind.prediction is None and opened.kind.job == "text":
        _find_prediction(pipeline, opened)
    return pipeline


def _find_prediction(pipeline: VideoPipeline, opened: Opened) -> None:
    """Set what the UNet predicts, which nothing in or beside the file tells, by what it does."""
    found = found_prediction(pipeline.unet, guidance_by(pipeline, "", "", 1.0))
    logger.info("model %s predicts %s, as one call of its UNet shows", opened.name, found)
    if found != "epsilon":
        pipeline.scheduler = noise_schedule(found, opened.kind.zero_snr)
        pipeline.unet.register_to_config(sample_size=opened.generation.side_px_v // 8)


def take_vae(name: str, pipeline: VideoPipeline, path: Path, device: str, dtype: torch.dtype) -> None:
    """Put a VAE from a file in the place of a loaded model's; ModelError where it is of another kind."""
    own = pipeline.vae
    if type(own).__name__ != KL:
        kind = type(own).__name__
        raise ModelError(f"model {name} has a VAE of another kind ({kind}), which stays; leave the VAE out.")
    pipeline.vae = settle(_vae_beside(path, None, own.config.scaling_factor, dtype), device)
    _tell_of_vae(pipeline)


def _vae_beside(
    path: Path, generation: Generation | None, scaling_factor: float, dtype: torch.dtype
) -> torch.nn.Module:
    """A VAE from a file of its own, for a model whose latents are scaled so."""
    values = Values(path)
    if is_taesd(values):
        state = {name: values[name].to(dtype) for name in values}
        return draft_vae(path.name, state, scaling_factor)
    network = load_vae_file(path, generation, dtype)
    network.register_to_config(scaling_factor=scaling_factor)  # type: ignore[operator]
    return network


def _tell_of_vae(pipeline: VideoPipeline) -> None:
    if isinstance(pipeline.vae, DraftVae):
        pipeline.tell(NOTE)

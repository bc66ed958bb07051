"""Writing and reading the trained model in diffusers' folder format."""

import copy
import json
import logging
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, DDIMScheduler, StableDiffusionPipeline
from torch import nn
from transformers import CLIPTokenizer

from miniature.shapes import DEFAULTS, MAX_SHARD_SIZE, SCHEDULE

log = logging.getLogger(__name__)


def write_package(
    folder: Path,
    autoencoder: AutoencoderTiny,
    tokenizer: CLIPTokenizer,
    parts: nn.ModuleDict,
    facts: dict,
) -> Path:
    """Write a Stable Diffusion folder in half precision, replacing ``folder`` only once it is whole.

    ``facts`` (words, preview, examples) go into ``miniature.json`` beside the defaults.
    """
    halves = [copy.deepcopy(model).half() for model in (autoencoder, parts["text_encoder"], parts["unet"])]
    pipe = StableDiffusionPipeline(
        *halves[:2],
        tokenizer,
        halves[2],
        DDIMScheduler(**SCHEDULE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    pipe.save_pretrained(part, max_shard_size=MAX_SHARD_SIZE)
    for path in part.rglob("*.safetensors"):
        path.chmod(0o644)  # safetensors makes its files private
    # transformers loads in the precision a config names, diffusers in float32; they have to agree
    config = part / "text_encoder" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "dtype": "float32"}, indent=2) + "\n")
    (part / "miniature.json").write_text(json.dumps({**facts, "defaults": DEFAULTS}, indent=1) + "\n")
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    log.info("wrote %s", folder)
    return folder


def load_pipeline(folder: Path, device: str | torch.device = "cpu") -> StableDiffusionPipeline:
    """Stock diffusers' pipeline over a packaged folder, in float32, without a progress bar."""
    pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(device)

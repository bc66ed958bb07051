"""Writing and reading the trained model in diffusers' folder format."""

import contextlib
import copy
import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, DDIMScheduler, ModelMixin, StableDiffusionPipeline
from torch import nn
from transformers import CLIPTokenizer

from miniature.shapes import CARD, DEFAULTS, HALF, MAX_SHARD_SIZE, METHOD, PRESETS, SCHEDULE, TASKS

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
    tokenizer.backend_tokenizer.no_truncation()  # what its last call set would be saved with it
    tokenizer.backend_tokenizer.no_padding()
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
    how = {"method": METHOD, "half": HALF, "defaults": DEFAULTS, "tasks": TASKS, "presets": PRESETS}
    card = {**facts, **how}
    with replacing(folder) as part:
        pipe.save_pretrained(part, max_shard_size=MAX_SHARD_SIZE)
        # transformers loads in the precision a config names, diffusers in float32; they have to agree
        change_config(part / "text_encoder" / "config.json", dtype="float32")
        (part / CARD).write_text(json.dumps(card, indent=1) + "\n")
    return folder


def save_model(model: ModelMixin, folder: Path) -> Path:
    """Write one of diffusers' models in half precision, replacing ``folder`` only once it is whole."""
    with replacing(folder) as part:
        copy.deepcopy(model).half().save_pretrained(part, max_shard_size=MAX_SHARD_SIZE)
    return folder


def change_config(path: Path, **changes: str) -> None:
    """Set entries of a configuration file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}, indent=2) + "\n")


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of ``folder`` once all has been written without error."""
    part, old = (folder.with_name(folder.name + ending) for ending in (".part", ".old"))
    shutil.rmtree(part, ignore_errors=True)
    yield part
    for path in part.rglob("*.safetensors"):
        path.chmod(0o644)  # safetensors makes its files private
    for path in part.rglob("config.json"):
        config = json.loads(path.read_text())
        config.pop("_name_or_path", None)  # where a model was loaded from is this machine's business
        path.write_text(json.dumps(config, indent=2) + "\n")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    log.info("wrote %s", folder)


def load_pipeline(folder: Path, device: str | torch.device = "cpu") -> StableDiffusionPipeline:
    """Stock diffusers' pipeline over a packaged folder, in float32, without a progress bar."""
    pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(device)

"""LoRAs: put into the weights of a model that is loaded."""

import logging
from pathlib import Path

from huggingface_hub.errors import LocalEntryNotFoundError

from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.weights.hub import hub_answers
from t2v.weights.refusals import ModelError, explain
from t2v.weights.source import LORA_FILE

logger = logging.getLogger(__name__)


def add_lora(pipeline: TextToVideoPipeline, name: str, place: str, file: str | None) -> None:
    """Put a LoRA into the weights themselves, which then are as fast as without; else ModelError.

    name: how people call it. place: a folder or hub id; file: in it, None for the usual one.
    """
    local = Path(place).is_dir() or not hub_answers()
    if file is None and local and not Path(place).is_dir():
        file = LORA_FILE  # without the hub, nobody can tell which files there are
    try:
        pipeline.load_lora_weights(place, weight_name=file, local_files_only=local, use_safetensors=True)
        adapters = pipeline.get_active_adapters()
        pipeline.fuse_lora()
        pipeline.unload_lora_weights()
    except Exception as error:
        logger.info("loading %s failed", name, exc_info=True)
        hidden = error.__context__  # diffusers hides an absent file in another error
        cause = hidden if isinstance(hidden, LocalEntryNotFoundError) else error
        raise ModelError(explain(name, cause, "lora")) from error
    if not adapters:
        raise ModelError(f"lora {name} has no layers for this kind of model; choose another.")

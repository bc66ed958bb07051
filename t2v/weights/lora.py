"""LoRAs: put into the weights of a model that is loaded."""

import math
from pathlib import Path

import torch
from peft.tuners.tuners_utils import BaseTunerLayer

from t2v.checks import counted
from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.diffusion.progress import Cancelled
from t2v.weights.fetching import fetch
from t2v.weights.files import files_of
from t2v.weights.hub import hub_answers
from t2v.weights.lora_kinds import INSTEAD, largest, read_layers
from t2v.weights.refusals import ModelError, explain, log_failure, reason
from t2v.weights.source import LORA_FILE

MOST_NAMED = 6
HUGE = 100.0  # a weight of so many times what it was (or 1, if that is more) draws nothing any more


def add_lora(pipeline: TextToVideoPipeline, name: str, place: str, file: str | None) -> None:
    """Put a LoRA into the weights themselves, which then are as fast as without; else ModelError.

    name: how people call it. place: a folder or hub id; file: in it, None for the usual one. Where some of
    its layers fit nothing in the model, the pipeline's notes tell of how many.
    """
    try:
        path = _file(name, place, file)
        layers = read_layers(name, path)
    except (ModelError, Cancelled):
        raise
    except Exception as error:
        log_failure(f"reading {name}", error)
        raise ModelError(explain(name, error, "lora")) from error
    try:
        pipeline.load_lora_weights(
            str(path.parent), weight_name=path.name, local_files_only=True, use_safetensors=True
        )
        _fuse(pipeline, name, layers)
    except ModelError:
        raise
    except Exception as error:
        log_failure(f"loading {name}", error)
        if "size mismatch" in str(error):
            raise ModelError(explain(name, error, "lora")) from error
        if "not found in the base model" in str(error):
            raise _foreign(name, 0, layers) from error
        raise ModelError(
            f"lora {name} is of a kind that is not read ({reason(error)}); {INSTEAD}."
        ) from error


def _file(name: str, place: str, file: str | None) -> Path:
    """The one file of a LoRA, on this disk; ModelError where nobody can tell which that is."""
    is_folder = Path(place).is_dir()
    local = is_folder or not hub_answers()
    if file is None and local and not is_folder:
        file = LORA_FILE  # without the hub, nobody can tell which files there are
    if file is None:
        file = _only_one(name, [one for one in files_of(place, local, LORA_FILE) if "/" not in one])
    return Path(place) / file if is_folder else fetch(place, file, local)


def _only_one(name: str, files: list[str]) -> str:
    readable = sorted(file for file in files if file.endswith(".safetensors"))
    if LORA_FILE in readable:
        return LORA_FILE
    if not readable:
        kinds = "safetensors weights, the only kind read of a lora"
        raise ModelError(f"lora {name} has no {kinds}; choose another.")
    if len(readable) > 1:
        named = ", ".join(readable[:MOST_NAMED]) + (" and more" if len(readable) > MOST_NAMED else "")
        raise ModelError(f"lora {name} is a folder of several ({named}); give one of them, as {name}/FILE.")
    return readable[0]


def _fuse(pipeline: TextToVideoPipeline, name: str, layers: int) -> None:
    """Add the loaded layers to the weights they belong to; ModelError where none fit, or are too large."""
    found = _touched(pipeline)
    if len(found) * 2 <= layers and len(found) < layers:
        pipeline.unload_lora_weights()
        raise _foreign(name, len(found), layers)
    before = largest({path: layer.get_base_layer().get_parameter("weight") for path, layer in found.items()})
    pipeline.fuse_lora()
    pipeline.unload_lora_weights()
    parts = {"unet": pipeline.unet, "text_encoder": pipeline.text_encoder}
    plain = {path: parts[path.split("/")[0]].get_parameter(f"{path.split('/')[1]}.weight") for path in found}
    after = largest(plain)
    if any(not math.isfinite(after[path]) or after[path] > HUGE * max(before[path], 1) for path in found):
        raise ModelError(f"lora {name} makes weights so large that nothing can be drawn; choose another.")
    if len(found) < layers:
        lost = counted(layers - len(found), "layer")
        pipeline.tell(f"The LoRA {name} fits in part only: {lost} of its {layers} are left out.")


def _foreign(name: str, fitting: int, layers: int) -> ModelError:
    fit = f"{fitting} of its {layers} layers fit"
    return ModelError(f"lora {name} was made for another kind of model ({fit}); choose another.")


def _touched(pipeline: TextToVideoPipeline) -> dict[str, BaseTunerLayer]:
    """The layers of the model that now carry a LoRA beside their weights, by part and path."""
    parts: dict[str, torch.nn.Module] = {"unet": pipeline.unet, "text_encoder": pipeline.text_encoder}
    return {
        f"{part}/{path}": module
        for part, network in parts.items()
        for path, module in network.named_modules()
        if isinstance(module, BaseTunerLayer)
    }

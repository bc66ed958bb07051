"""ControlNets, and T2I-Adapters in their place, from the miniature, a local folder, a file or a hub id."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, ControlNetUnionModel, T2IAdapter

from t2v.devices import settle
from t2v.diffusion.controls import ControlNet
from t2v.diffusion.progress import Cancelled
from t2v.weights.beside import find_controlnet
from t2v.weights.files import WEIGHTS, config_path, files_of, read_object
from t2v.weights.guides import generally
from t2v.weights.hub import hub_answers
from t2v.weights.network import Place, load_network
from t2v.weights.refusals import ModelError, explain, log_failure
from t2v.weights.single_file.adapters import load_adapter_file
from t2v.weights.single_file.checks import check_controlnet
from t2v.weights.single_file.controlnets import load_controlnet_file
from t2v.weights.source import CONFIG

KINDS = {one.__name__: one for one in (ControlNetModel, ControlNetUnionModel, T2IAdapter)}


def load_controlnet(
    source: str, task: str, device: str, dtype: torch.dtype, instead: Callable[[], str] | None = None
) -> ControlNet:
    """The ControlNet for ``task`` of "miniature", or of a folder, file or hub id; else ModelError.

    instead: what to choose where it cannot be had, the rest of a sentence.
    """
    place = find_controlnet(source, task, instead)
    try:
        if Path(place).is_file():
            is_adapter = check_controlnet(source, Path(place)).kind == "t2i-adapter"
            load = load_adapter_file if is_adapter else load_controlnet_file
            whole: Any = settle(load(source, Path(place), dtype), device)
            return whole
        local = Path(place).is_dir() or not hub_answers()
        kind = _kind(source, read_object(config_path(place, local, CONFIG)))
        endings = (".safetensors", ".bin") if kind is T2IAdapter else (".safetensors",)  # many have only that
        files = tuple(file for file in files_of(place, local, CONFIG) if file.endswith(endings))
        _check_weights(source, place, local, files)
        at = Place(f"controlnet {source}", place, "", files, local)
        network: Any = load_network(kind, at, device, dtype)
    except (ModelError, Cancelled):
        raise
    except Exception as error:
        log_failure(f"loading {source}", error)
        otherwise = generally() if instead is None else instead()
        raise ModelError(explain(source, error, "controlnet", otherwise)) from error
    return network


def _check_weights(source: str, place: str, local: bool, files: tuple[str, ...]) -> None:
    if local and not Path(place).is_dir():
        return  # what has not been fetched is told in its own sentence
    if not any(WEIGHTS.fullmatch(file) for file in files):
        kinds = "safetensors weights, the only kind read of a controlnet"
        raise ModelError(f"controlnet {source} has no {kinds}; choose another.")


def _kind(source: str, config: Mapping[str, Any]) -> Any:
    """The class of a network with this config: of one kind of pictures, or of many (a union)."""
    kind = config.get("_class_name", "of no known kind")
    if str(kind) not in KINDS:
        raise ModelError(
            f"controlnet {source} is not a ControlNet or T2I-Adapter but {kind}; give a folder or id of one."
        )
    if config.get("global_pool_conditions"):
        raise ModelError(
            f"controlnet {source} is of the shuffle kind, which follows no layout; choose another."
        )
    return KINDS[str(kind)]

"""ControlNets from the miniature, a local folder or a hub id; and which fit which model."""

import json
import logging
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from huggingface_hub import hf_hub_download

from t2v.devices import settle
from t2v.weights.hub import hub_answers
from t2v.weights.refusals import ModelError, explain
from t2v.weights.source import CONFIG, find_controlnet

logger = logging.getLogger(__name__)

KIND = "ControlNetModel"
SHARED = ("cross_attention_dim", "block_out_channels", "layers_per_block")  # with the UNet it is added to


def load_controlnet(source: str, task: str, device: str, dtype: torch.dtype) -> ControlNetModel:
    """The ControlNet for ``task`` of "miniature", or of a local folder or hub id; else ModelError."""
    place = find_controlnet(source, task)
    try:
        _check_kind(source, _read_config(place))
        local = Path(place).is_dir() or not hub_answers()
        network, report = ControlNetModel.from_pretrained(
            place, dtype=dtype, local_files_only=local, use_safetensors=True, output_loading_info=True
        )
    except ModelError:
        raise
    except Exception as error:
        logger.info("loading %s failed", source, exc_info=True)
        raise ModelError(explain(source, error, "controlnet")) from error
    if report["missing_keys"]:
        lost = f"{len(report['missing_keys'])} tensors are missing"
        raise ModelError(f"controlnet {source} is broken and cannot be loaded ({lost}); fetch it again.")
    return settle(network, device)


def check_fits(source: str, network: ControlNetModel, model: str, unet: UNet2DConditionModel) -> None:
    """ModelError where the ControlNet was made for another kind of model."""
    for name in SHARED:
        has, wanted = (_plain(each.config[name]) for each in (network, unet))
        if has != wanted:
            raise ModelError(
                f"controlnet {source} does not fit model {model}: its {name} is {has}, the model's {wanted}; "
                "choose a ControlNet made for this kind of model."
            )


def _plain(value: object) -> object:
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _read_config(place: str) -> dict[str, Any]:
    path = Path(place) / CONFIG
    if not path.parent.is_dir():
        path = Path(hf_hub_download(place, CONFIG, local_files_only=not hub_answers()))
    return json.loads(path.read_text(encoding="utf-8"))


def _check_kind(source: str, config: dict[str, Any]) -> None:
    kind = config.get("_class_name", "of no known kind")
    if kind != KIND:
        raise ModelError(
            f"controlnet {source} is not a ControlNet but {kind}; give a ControlNet's folder or id."
        )
    if config.get("global_pool_conditions"):
        raise ModelError(
            f"controlnet {source} is of the shuffle kind, which follows no layout; choose another."
        )

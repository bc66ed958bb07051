"""ControlNets in single files: told by their headers, and loaded whole."""

from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, ControlNetUnionModel
from diffusers.loaders.single_file_utils import convert_controlnet_checkpoint

from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import check_controlnet
from t2v.weights.single_file.details import CONTROL
from t2v.weights.single_file.generations import SDXL
from t2v.weights.single_file.load import shapes_of, whole
from t2v.weights.single_file.shapes import controlnet_config
from t2v.weights.single_file.values import Values


def load_controlnet_file(name: str, path: Path, dtype: torch.dtype) -> torch.nn.Module:
    """The ControlNet of a file, of one kind of pictures or of many (a union); ModelError where it is none.

    name: what people call it. By the first ControlNets' names, alone or in a whole model, and by diffusers'.
    """
    kind = check_controlnet(name, path)
    values = Values(path)
    has_prefix = any(one.startswith(CONTROL) for one in values)
    short = {one.removeprefix(CONTROL): one for one in values if one.startswith(CONTROL) or not has_prefix}
    if kind.generation is None or (kind.generation is SDXL and kind.layout == "original"):
        instead = "give its folder in diffusers' format"
        raise ModelError(f"controlnet {name} has names of its tensors that are not known here; {instead}.")
    state = {one: values[full].to(dtype) for one, full in short.items()}
    config: dict[str, Any] = controlnet_config(shapes_of(state), kind.generation)
    if kind.layout == "original":
        state = convert_controlnet_checkpoint(state, config)
    network: Any = ControlNetUnionModel if "num_control_type" in config else ControlNetModel
    return whole(f"controlnet {name}", "network", lambda: network(**config), state)

"""T2I-Adapters in single files: by the names of their first releases and by diffusers', loaded whole."""

import re
from pathlib import Path
from typing import Any

import torch
from diffusers import T2IAdapter

from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import check_controlnet
from t2v.weights.single_file.details import ADAPTER, begins
from t2v.weights.single_file.load import shapes_of, whole
from t2v.weights.single_file.shapes import adapter_config
from t2v.weights.single_file.values import Values

INNER = re.compile(
    r"body\.(\d+)\.(block[12]|in_conv)\.(weight|bias)", re.ASCII
)  # of full ones' layers in a row
LIGHT = re.compile(r"(body\.\d+)\.body\.(\d+\.block[12]\.(?:weight|bias))", re.ASCII)


def load_adapter_file(name: str, path: Path, dtype: torch.dtype) -> torch.nn.Module:
    """The T2I-Adapter of a file, full or light; ModelError where it is none. name: what people call it."""
    check_controlnet(name, path)
    values = Values(path)
    state = {one.removeprefix(ADAPTER): values[one].to(dtype) for one in values}
    names = shapes_of(state)
    owner = f"controlnet {name}"
    try:
        config: dict[str, Any] = adapter_config(names)
    except LookupError as error:
        again = "fetch it again or choose another"
        raise ModelError(f"{owner} is broken and cannot be loaded (it lacks {error}); {again}.") from error
    except ValueError as error:
        why = f"is a T2I-Adapter of another making ({error})"
        raise ModelError(f"{owner} {why}; give its folder in diffusers' format.") from error
    per_level = None if begins(names, "body.0.resnets.", "body.0.body.") else config["num_res_blocks"]
    own = {f"{ADAPTER}{_renamed(one, per_level)}": values for one, values in state.items()}
    return whole(owner, "network", lambda: T2IAdapter(**config), own)


def _renamed(name: str, per_level: int | None) -> str:
    """As diffusers calls it. per_level: layers in a level, of which the first releases had all in one row."""
    if per_level is None:
        return LIGHT.sub(r"\1.resnets.\2", name)
    found = INNER.fullmatch(name)
    if found is None:
        return name
    level, layer = divmod(int(found[1]), per_level)
    part = "in_conv" if found[2] == "in_conv" else f"resnets.{layer}.{found[2]}"
    return f"body.{level}.{part}.{found[3]}"

"""Small random models as single files, whose makers the benchmarks have too; pickles, and what was read."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.small_files import (
    TEXT_WIDTH,
    WORDS,
    XL,
    State,
    checkpoint,
    checkpoint_of_xl,
    parts_of_1,
    parts_of_2,
    parts_of_xl,
    small_text_encoder,
    small_unet,
    small_vae,
    write_safetensors,
)

__all__ = [
    "TEXT_WIDTH",
    "WORDS",
    "XL",
    "State",
    "assert_same",
    "checkpoint",
    "checkpoint_of_xl",
    "parts_of_1",
    "parts_of_2",
    "parts_of_xl",
    "small_text_encoder",
    "small_unet",
    "small_vae",
    "write_pickle",
    "write_safetensors",
]


def write_pickle(path: Path, state: State, old: bool = False, **beside: Any) -> Path:
    """As trainers save one: "state_dict", and more beside it. old: as torch did before 1.6."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = {"state_dict": state, "global_step": 7, **beside} if beside else state
    torch.save(held, path, _use_new_zipfile_serialization=not old)
    return path


def assert_same(network: nn.Module, wanted: nn.Module, dtype: torch.dtype = torch.float32) -> None:
    """All values of the two are equal."""
    state, own = wanted.state_dict(), network.state_dict()
    assert own.keys() == state.keys()
    for name, one in state.items():
        assert torch.equal(own[name].float(), one.to(dtype).float()), name

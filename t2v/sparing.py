"""Large libraries without what drawing does without: a program's first video is there a second sooner.

Each of these is a state in which the libraries come anyhow, as on machines that lack something. Where a
version of theirs knows it no more they are imported whole, which is slower and nothing else.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from t2v.late_compiler import compiler_later

TRAINS = "peft"  # LoRAs are read and put into the weights by t2v/weights/lora


@contextmanager
def only_for_drawing() -> Iterator[None]:
    """Import diffusers and transformers in this block; where they have been imported nothing changes.

    For programs' entry points only: what the libraries find missing then they take for missing ever after.
    """
    if {"diffusers", "transformers"} & sys.modules.keys():
        yield
        return
    with _without(TRAINS), _on_one_device(), compiler_later():
        _list_models_once()
        yield


@contextmanager
def _without(package: str) -> Iterator[None]:
    """In this block a package cannot be imported, and is not found."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # Python's own way to say so
    try:
        yield
    finally:
        del sys.modules[package]


@contextmanager
def _on_one_device() -> Iterator[None]:
    """Libraries imported in this block leave out what computes on many machines at once, and SymPy with it.

    As with a PyTorch that was built without it.
    """
    import torch.distributed

    there = torch.distributed.is_available
    torch.distributed.is_available = lambda: False
    try:
        yield
    finally:
        torch.distributed.is_available = there


def _list_models_once() -> None:
    """transformers, imported so that it reads the files of all its models once for their names, not twice."""
    import transformers

    utils: Any = importlib.import_module("transformers.utils.import_utils")
    listed = getattr(utils, "create_import_structure_from_path", None)
    if listed is None:
        return

    def of_folder(path: str | Path) -> object:  # a file stands for its folder, of which it knows the answer
        return listed(Path(path).parent if Path(path).is_file() else path)

    utils.create_import_structure_from_path = of_folder
    try:
        importlib.import_module(f"{transformers.__name__}.models")
    finally:
        utils.create_import_structure_from_path = listed

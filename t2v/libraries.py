"""How a program imports large libraries: at once, and without what drawing does without.

A first video is there a second and a half sooner. What is left out is what the libraries do without anyhow,
as on machines that lack it. Where a version of theirs knows it no more they are imported whole, which is
slower and nothing else.
"""

import functools
import gc
import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from t2v.late_compiler import compiler_later

TRAINS = "peft"  # LoRAs are read and put into the weights by t2v/weights/lora


@contextmanager
def loading_libraries() -> Iterator[None]:
    """Import large libraries in this block: nothing is collected meanwhile, and nothing of them ever after.

    They make objects by the hundred thousand, all of which stay. The collector would look through them again
    and again: a quarter of the time that importing takes, and a second when the process ends. And diffusers
    and transformers both ask which packages there are, a tenth of a second each: they are looked for once,
    and only when the answer is used. For programs' entry points only, as whatever is there at the end of the
    block stays for good.
    """
    was_on, look = gc.isenabled(), importlib.metadata.packages_distributions
    gc.disable()
    found = Found(look)
    importlib.metadata.packages_distributions = lambda: found
    try:
        yield
    finally:
        importlib.metadata.packages_distributions = look
        gc.freeze()
        if was_on:
            gc.enable()


class Found(Mapping[str, list[str]]):
    """What ``look`` finds, once somebody looks into it."""

    def __init__(self, look: Callable[[], Mapping[str, list[str]]]) -> None:
        self._look = functools.cache(look)

    def __getitem__(self, name: str) -> list[str]:
        return self._look()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._look())

    def __len__(self) -> int:
        return len(self._look())


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

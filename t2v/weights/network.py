"""One network of a model, from the best of its weights, and whole: no tensor left to chance."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from t2v.checks import counted
from t2v.devices import settle
from t2v.weights.fetching import fetch
from t2v.weights.files import WEIGHTS, best_weights, config_path, read_object
from t2v.weights.refusals import ModelError
from t2v.weights.source import CONFIG

# Far above what any network of the kind has: a file that says more would only take the machine's memory.
MOST = {"layers": 256, "list": 4096, "number": 2_000_000}
COUNTS = re.compile(r"layers|num_(?!train|class|embeds)|heads", re.ASCII)
DEEPEST = 8
DRAWN = torch.nn.init.normal_
FOREIGN = ("quantization_config", "attn_implementation", "_attn_implementation")  # code of other packages


@dataclass(frozen=True)
class Place:
    """Where a network is: ``folder`` of a folder or hub id ("": itself), its files, and what people call it.

    owner: "model NAME" or "controlnet NAME". local: nothing is fetched.
    """

    owner: str
    base: str
    folder: str
    files: tuple[str, ...]
    local: bool

    @property
    def of_it(self) -> str:
        """ " in its folder unet"; nothing where it is the folder itself."""
        return f" in its folder {self.folder}" if self.folder else ""


def load_network(kind: Any, at: Place, device: str, dtype: torch.dtype) -> torch.nn.Module:
    """The network at a place, as diffusers' or transformers' class ``kind``; else ModelError.

    Each is loaded by itself: their files may be of different kinds, and where tensors are missing the
    libraries would go on with random ones.
    """
    weights = best_weights(
        Path(file).name for file in at.files if str(Path(file).parent) == (at.folder or ".")
    )
    if weights is None and at.local and not Path(at.base).is_dir():
        raise ConnectionError(f"{at.folder} has not been fetched")
    if weights is None:
        lacking = f"no weights{at.of_it} that can be read"
        raise ModelError(f"{at.owner} has {lacking} (.safetensors or .bin); choose another.")
    check_config(at, read_object(config_path(at.base, at.local, f"{at.folder}/{CONFIG}".lstrip("/"))))
    if not at.local:
        for file in _weights_of(at, weights):
            fetch(at.base, file, local=False)
    with Unset():
        network, report = kind.from_pretrained(
            at.base,
            subfolder=at.folder,
            dtype=dtype,
            output_loading_info=True,
            local_files_only=True,
            **weights,
        )
    lost = lost_tensors(network, report)
    if lost:
        missing = f"{counted(lost, 'missing tensor')}{at.of_it}"
        raise ModelError(f"{at.owner} is broken and cannot be loaded ({missing}); fetch it again.")
    return settle(network, device)


class Unset(TorchFunctionMode):
    """Networks are made in this block without values (on "meta"), as they are read next, and no more is done.

    There PyTorch would go through its own formulas in Python, for which it imports its compiler and SymPy:
    half a second for a few tensors that have no values, or whose values are the same in this way.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        told = kwargs or {}
        if func is DRAWN and _is_unset(told.get("tensor")):
            return told["tensor"]
        if func is torch.arange and _is_meta(told):
            return torch.arange(*args, **{**told, "device": "cpu"}).to("meta")
        if func is torch.empty_like and _is_unset(args[0]) and "device" in told and not _is_meta(told):
            return torch.empty(args[0].shape, **{"dtype": args[0].dtype, **told})
        return func(*args, **told)


def _is_unset(value: object) -> bool:
    return isinstance(value, torch.Tensor) and value.is_meta


def _is_meta(told: Mapping[str, Any]) -> bool:
    return str(told.get("device")) == "meta"


def _weights_of(at: Place, weights: Mapping[str, Any]) -> list[str]:
    """The files that are read of a place on the hub. weights: as ``best_weights`` tells them."""
    ending = "safetensors" if weights["use_safetensors"] else "bin"
    variant = "" if weights["variant"] is None else f".{weights['variant']}"
    mine = [file for file in at.files if str(Path(file).parent) == (at.folder or ".")]
    found = [
        file
        for file in mine
        if (match := WEIGHTS.fullmatch(Path(file).name)) is not None
        and (match[2], match[1] or "") == (ending, variant)
    ]
    return [*found, *(file for file in mine if file.endswith(".index.json"))]


def lost_tensors(network: torch.nn.Module, report: Mapping[str, Any]) -> int:
    """How many tensors of a loaded network never arrived, by the library's report or as they stand.

    Where a library does not know of one that is missing, it stays on "meta", without any values.
    """
    tensors = (*network.named_parameters(), *network.named_buffers())
    unset = {name for name, tensor in tensors if tensor.is_meta}
    return len(unset | set(report["missing_keys"]))


def check_config(at: Place, config: Mapping[str, Any]) -> None:
    """ModelError for a network's config that asks for foreign code or for more than any machine has."""
    for name in FOREIGN:
        value = config.get(name)
        if value is not None and (not isinstance(value, str) or "/" in value):
            raise ModelError(f"{at.owner} has a {name}{at.of_it}, which is not read here; choose another.")
    odd = next(_too_much("", config, 0), None)
    if odd is not None:
        raise ModelError(f"{at.owner} has an impossible {odd}{at.of_it}; fetch it again or choose another.")


def _too_much(name: str, value: object, depth: int) -> Iterator[str]:
    """Names of values beyond what any network has."""
    if depth > DEEPEST:
        yield f"nesting of {name}"
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _too_much(str(key)[:40], one, depth + 1)
    elif isinstance(value, list):
        if len(value) > MOST["list"]:
            yield name
        for one in value[: MOST["list"]]:
            yield from _too_much(name, one, depth + 1)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        most = MOST["layers"] if COUNTS.search(name) else MOST["number"]
        if not abs(value) <= most:
            yield name

"""A LoRA's file as layers in memory; and one sentence for each kind of file that is none, or is broken."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from t2v.diffusion.progress import Cancelled
from t2v.weights.fetching import fetch
from t2v.weights.files import files_of, read_object
from t2v.weights.hub import hub_answers
from t2v.weights.lora.layers import Layer
from t2v.weights.lora.spelling import OF_XL, Spelled, spelled
from t2v.weights.made_of import LORA_CONFIG
from t2v.weights.refusals import ModelError, explain, log_failure
from t2v.weights.single_file.checks import AS_GUIDE
from t2v.weights.source import LORA_FILE

INSTEAD = "choose a LoRA for Stable Diffusion, or leave it out"
CONTROLNET = "a ControlNet"
OTHER_KINDS = tuple(  # what a tensor's name holds, and the kind as people call it; the surest first
    (re.compile(sign, re.ASCII), kind)
    for sign, kind in (
        (r"\.b?oft_|_oft_blocks", "an OFT"),
        (r"\.on_input$", "an IA3"),
        (r"\.[ab][12]\.weight$", "a GLoRA"),
        (r"lora_controlnet", "a Control-LoRA"),
        (r"input_hint_block|controlnet_", CONTROLNET),
        (r"^emb_params$|^string_to_param|^clip_[gl]$", "a textual inversion"),
        (r"(double|single)_blocks[._]|^(lora_)?transformer[._]|diffusion_model\.layers\.|^lora_te3_",
         "a LoRA for another model"),
        (r"^(cond_stage_model|first_stage_model|conditioner)\.", "a whole model"),
    )
)  # fmt: skip
WHOLE = re.compile(r"^model\.diffusion_model\..*\.(?:weight|bias)$", re.ASCII)
BUNDLED_WORDS = "bundle_emb."  # textual inversions that some trainers put beside their layers
METADATA = "lora_adapter_metadata"  # and diffusers into them
MOST_NAMED = 6


@dataclass(frozen=True, eq=False)
class Lora:
    """A LoRA that was read. layers: by the network that they are for and their names there (spelling.py).

    is_xl: it has names that only Stable Diffusion XL's have. strangers: tensors that are left out unread.
    """

    layers: Mapping[tuple[str, str], Layer]
    is_xl: bool
    strangers: int = 0

    @property
    def text_width(self) -> int | None:
        """How wide the text is that its UNet reads; None where it does not tell."""
        keys = (one for (_, name), one in self.layers.items() if re.search(r"attn2_to_[kv]$", name))
        return next((layer.width for layer in keys if layer.width is not None), None)


def find_lora(name: str, place: str, file: str | None) -> Path:
    """The one file of a LoRA, on this disk; ModelError where it cannot be had or nobody can tell which it is.

    name: how people call it. place: a folder or hub id; file: in it, None for the usual one.
    """
    try:
        return _file(name, place, file)
    except (ModelError, Cancelled):
        raise
    except Exception as error:
        log_failure(f"finding {name}", error)
        raise ModelError(explain(name, error, "lora")) from error


def read_lora(name: str, path: Path) -> Lora:
    """What a LoRA's file holds; ModelError, by its kind, for one that is not read or is broken."""
    try:
        return _read(name, path)
    except ModelError:
        raise
    except Exception as error:
        log_failure(f"reading {name}", error)
        raise ModelError(explain(name, error, "lora")) from error


def _file(name: str, place: str, file: str | None) -> Path:
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


def _read(name: str, path: Path) -> Lora:
    parts: dict[tuple[str, str], dict[str, torch.Tensor]] = {}
    with safe_open(path, framework="pt") as file:
        keys = list(file.keys())
        known = _known(name, keys)
        scaling = _Scaling.read(path, file.metadata())
        for key, one in known.items():
            value = file.get_tensor(key)
            _check_values(name, key, value)
            # a copy: what is read stays the file's own, and would change with it
            parts.setdefault((one.network, one.layer), {})[one.what] = value.clone()
    layers = {at: scaling.layer(*at, held) for at, held in parts.items() if held.keys() - {"alpha"}}
    if not layers:
        raise ModelError(f"lora {name} has no layers in it; {INSTEAD}.")
    half = next((at for at, layer in layers.items() if layer.missing), None)
    if half is not None:
        raise ModelError(f"lora {name} is broken (half of {'.'.join(half)[:80]} is missing); fetch it again.")
    return Lora(layers, any(map(OF_XL.match, keys)), len(keys) - len(known))


def _known(name: str, keys: Sequence[str]) -> dict[str, Spelled]:
    """The tensors of layers by their names; ModelError for a file of another kind."""
    kind = next((kind for sign, kind in OTHER_KINDS if any(map(sign.search, keys))), None)
    found, odd = {}, []
    for key in keys:
        one = spelled(key)
        if one is not None:
            found[key] = one
        elif not key.startswith(BUNDLED_WORDS):
            odd.append(key)
    if kind is None and any(map(WHOLE.search, odd)):
        kind = "a whole model"
    if kind == CONTROLNET:
        raise ModelError(f"lora {name} is {kind}; {AS_GUIDE}, or choose a LoRA.")
    if kind is not None:
        raise ModelError(f"lora {name} is {kind}, which is not read; {INSTEAD}.")
    if odd:
        raise ModelError(f"lora {name} holds {odd[0][:80]!r}, of a kind that is not read; {INSTEAD}.")
    return found


def _check_values(name: str, key: str, value: torch.Tensor) -> None:
    if not value.dtype.is_floating_point:
        raise ModelError(f"lora {name} is broken ({key[:80]!r} holds whole numbers); fetch it again.")
    if not value.numel():
        raise ModelError(f"lora {name} is broken ({key[:80]!r} is empty); fetch it again.")
    if not bool(value.float().isfinite().all()):
        raise ModelError(f"lora {name} holds values that are no numbers (NaN); fetch it again.")


@dataclass(frozen=True)
class _Scaling:
    """What is said of alpha beside a file's tensors, by PEFT or diffusers. told: by network; "": of all."""

    told: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, path: Path, metadata: Mapping[str, str] | None) -> "_Scaling":
        """ValueError for one that is no JSON, or is nested without end."""
        told: dict[str, dict[str, Any]] = {}
        beside = path.with_name(LORA_CONFIG)
        if beside.is_file():
            told[""] = read_object(beside)
        if METADATA in (metadata or {}):
            try:
                held = json.loads((metadata or {})[METADATA])
            except (ValueError, RecursionError) as error:
                raise ValueError("its metadata is no JSON") from error
            for key, value in held.items() if isinstance(held, dict) else ():
                network, _, field = key.partition(".")
                told.setdefault(network, {})[field] = value
        return cls(told)

    def layer(self, network: str, path: str, held: Mapping[str, torch.Tensor]) -> Layer:
        """A layer, at the alpha that its own tensor tells, else what is said of it."""
        parts = {what: one for what, one in held.items() if what != "alpha"}
        if "alpha" in held:
            return Layer(parts, float(held["alpha"].flatten()[0]))
        said = self.told.get(network, self.told.get("", {}))
        alpha = said.get("lora_alpha")
        patterns = said.get("alpha_pattern")
        for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
            plain = re.sub(r"\W", "_", pattern, flags=re.ASCII).strip("_")
            if path == plain or path.endswith(f"_{plain}"):
                alpha = value
        if alpha is not None and not _is_number(alpha):
            raise ValueError("its lora_alpha is no number")
        return Layer(parts, alpha, said.get("use_rslora") is True)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

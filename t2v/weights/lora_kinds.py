"""What a LoRA's file holds, told by the names of its tensors before anything is loaded of it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from t2v.weights.refusals import ModelError

INSTEAD = "choose a plain LoRA for Stable Diffusion, or leave it out"
OTHER_KINDS = tuple(  # what a tensor's name holds, and the kind as people call it; the surest first
    (re.compile(sign, re.ASCII), kind)
    for sign, kind in (
        (r"dora_scale$", "a DoRA in kohya's spelling"),
        (r"\.hada_", "a LoHa"),
        (r"\.lokr_", "a LoKr"),
        (r"\.lora_mid", "a LoCon with a middle (Tucker)"),
        (r"\.b?oft_|_oft_blocks", "an OFT"),
        (r"\.on_input$", "an IA3"),
        (r"\.[wb]_norm$", "a LyCORIS file with norms"),
        (r"\.diff(_b)?$", "a LyCORIS file with whole differences"),
        (r"\.[ab][12]\.weight$", "a GLoRA"),
        (r"lora_controlnet|input_hint_block|controlnet_", "a ControlNet"),
        (r"^emb_params$|string_to_param|^clip_[gl]$", "a textual inversion"),
        (r"^lora_te[12]_|^text_encoder_[23]\.", "a LoRA for SDXL or a later model"),
        (r"(double|single)_blocks[._]|^transformer\.|diffusion_model\.layers\.", "a LoRA for another model"),
        (r"^(model\.diffusion_model|cond_stage_model|first_stage_model)\.", "a whole model"),
        (r"[._](input|output)_blocks[._]|[._]middle_block[._]", "a LoRA with the original's names of blocks"),
        (r"^base_model\.model\.", "a LoRA in PEFT's own naming"),
    )
)
LAYER = re.compile(
    r"(?P<layer>.+?)(?:\.lora|_lora)?(?:\.lora_linear_layer)?(?:\.|_)"
    r"(?P<half>lora_A|lora_B|lora_down|lora_up|down|up)(?:\.default)?(?:\.weight)$",
    re.ASCII,
)
DOWN = ("lora_A", "lora_down", "down")
BESIDE = re.compile(r"\.alpha$|lora_magnitude_vector", re.ASCII)  # of a layer that is counted already


def read_layers(name: str, path: Path) -> int:
    """How many layers a LoRA's file holds; ModelError, by its kind, for one that is not read or is broken.

    Its tensors are looked through for values that are no numbers.
    """
    halves: dict[str, set[bool]] = {}
    with safe_open(path, framework="pt") as file:
        keys = list(file.keys())
        kind = _other_kind(keys)
        if kind is not None:
            raise ModelError(f"lora {name} is {kind}, which is not read; {INSTEAD}.")
        for key in keys:
            found = LAYER.match(key)
            if found is not None:
                halves.setdefault(found["layer"], set()).add(found["half"] in DOWN)
            elif not BESIDE.search(key):
                raise ModelError(f"lora {name} holds {key[:80]!r}, of a kind that is not read; {INSTEAD}.")
        if not halves:
            raise ModelError(f"lora {name} has no layers in it; {INSTEAD}.")
        lone = next((layer for layer, there in halves.items() if len(there) == 1), None)
        if lone is not None:
            raise ModelError(f"lora {name} is broken (half of {lone[:80]} is missing); fetch it again.")
        if not all(bool(file.get_tensor(key).float().isfinite().all()) for key in keys):
            raise ModelError(f"lora {name} holds values that are no numbers (NaN); fetch it again.")
    return len(halves)


def _other_kind(keys: Sequence[str]) -> str | None:
    return next((kind for sign, kind in OTHER_KINDS if any(map(sign.search, keys))), None)


def largest(weights: Mapping[str, torch.Tensor]) -> dict[str, float]:
    """Each weight's largest value, without its sign; one wait for the device for all of them."""
    if not weights:
        return {}
    values: list[Any] = torch.stack([one.detach().abs().amax().float() for one in weights.values()]).tolist()
    return dict(zip(weights, values, strict=True))

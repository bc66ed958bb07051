"""Networks put where a profile keeps them: on a device, or group by group only while they are computed.

Offloading is diffusers' own, by hooks, which moves weights and computes nothing: results are the same to the
last bit. Without its streams, which have not been tried on a GPU here.
"""

from typing import Any

import torch
from diffusers.hooks import HookRegistry, apply_group_offloading
from diffusers.models import ModelMixin

from t2v.checks import InputError
from t2v.devices import lay_out, settle
from t2v.memory.profiles import LOW, is_offloaded

HOOKS = ("group_offloading", "layer_execution_tracker", "lazy_prefetch_group_offloading")
BLOCKS = (  # those whose forward is called
    "UNet2DConditionModel",
    "ControlNetModel",
    "ControlNetUnionModel",
    "UNet3DConditionModel",
    "CogVideoXTransformer3DModel",
    "WanTransformer3DModel",
)
FP8 = torch.float8_e4m3fn


def place(network: torch.nn.Module, profile: str, device: torch.device) -> None:
    """Keep a network as the profile does; device: the one that computes."""
    release(network)
    if not is_offloaded(profile):
        settle(network, str(device))
        return
    settle(network, "cpu")
    lay_out(network, str(device))  # as in the high profile, which it is to equal
    by_blocks = profile != LOW and type(network).__name__ in BLOCKS
    level: dict[str, Any] = {"offload_type": "leaf_level"}
    if by_blocks:
        level = {"offload_type": "block_level", "num_blocks_per_group": 1}
    apply_group_offloading(network, onload_device=device, offload_device=torch.device("cpu"), **level)


def release(network: torch.nn.Module) -> None:
    """Take the hooks of offloading out of a network, whose weights then wait in the machine's memory."""
    if any(hasattr(one, "_diffusers_hook") for one in network.modules()):
        registry = HookRegistry.check_if_exists_or_initialize(network)
        for name in HOOKS:
            registry.remove_hook(name, recurse=True)


def store_in_fp8(network: torch.nn.Module) -> None:
    """Store a network's large layers in eight bits from now on; InputError where they do not fit in them."""
    assert isinstance(network, ModelMixin)
    most = torch.finfo(FP8).max
    largest = max(
        (float(one.detach().abs().amax()) for one in network.parameters() if one.numel()), default=0
    )
    if not largest <= most:  # the format has no infinity: they would be no numbers
        raise InputError(f"fp8 holds weights up to {most:g}, and the model has {largest:g}; leave fp8 out.")
    network.enable_layerwise_casting(storage_dtype=FP8, compute_dtype=network.dtype)


def is_in_fp8(network: torch.nn.Module) -> bool:
    """Whether some of a network's weights are stored in eight bits."""
    return any(one.dtype == FP8 for one in network.parameters())


def dtype_of(network: torch.nn.Module) -> torch.dtype:
    """The precision that a network computes in; diffusers' own looks through all its layers each time."""
    first = next(network.parameters()).dtype
    computes: Any = network
    return computes.dtype if first == FP8 else first


def widen(network: torch.nn.Module, dtype: torch.dtype) -> None:
    """All of a network's weights in another precision, where they are."""
    torch.nn.Module.to(network, dtype)  # diffusers' own refuses where weights are offloaded


def weight_bytes(network: torch.nn.Module) -> int:
    """Bytes of a network's weights as they are stored."""
    return sum(one.numel() * one.element_size() for one in network.parameters())

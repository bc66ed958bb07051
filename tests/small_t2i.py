"""T2I-Adapters as small random models of the real class, and their tensors by the first releases' names."""

from typing import Any

import torch
from diffusers import T2IAdapter

from t2v.devices import settle


def small_t2i(seed: int = 0, **changes: Any) -> T2IAdapter:
    """Fits small_unet. It acts, as if trained."""
    shape = {"in_channels": 3, "channels": [16, 32], "num_res_blocks": 2, "downscale_factor": 8}
    torch.manual_seed(seed)
    network = settle(T2IAdapter(**{**shape, **changes}), "cpu")
    for name, one in network.named_parameters():  # new ones hardly see their pictures
        if "conv" in name and one.ndim == 4:
            torch.nn.init.kaiming_normal_(one, nonlinearity="relu")
    return network


def small_xl_t2i(seed: int = 0, **changes: Any) -> T2IAdapter:
    """Fits small_xl_unet, to whose middle it adds nothing."""
    return small_t2i(seed, **{"downscale_factor": 16, "adapter_type": "full_adapter_xl", **changes})


def released(network: T2IAdapter) -> dict[str, torch.Tensor]:
    """Its tensors by the names that they were first released with, all of a full one's layers in one row."""
    made, layers = {}, network.config.num_res_blocks
    for name, one in network.state_dict().items():
        _, first, *rest = name.split(".")
        if first == "conv_in":
            new = [first, *rest]
        elif network.config.adapter_type == "light_adapter":
            new = [first, *("body" if part == "resnets" else part for part in rest)]
        elif rest[1] == "in_conv":
            new = [first, str(int(rest[0]) * layers), *rest[1:]]
        else:
            new = [first, str(int(rest[0]) * layers + int(rest[2])), *rest[3:]]
        made[".".join(new)] = one
    return made

"""ControlNets and adapters, by their makers' names and by diffusers'."""

import re

from benchmarks.made_up.models import CONFIGS, Shapes, network, shapes_of, unet


def controlnet(generation: str, prefix: str = "control_model.") -> Shapes:
    """By the first ControlNets' names."""
    made = {name: one for name, one in unet(generation, prefix).items() if "output_blocks" not in name}
    hints = {f"{prefix}input_hint_block.{2 * number}.weight": (16, 3, 3, 3) for number in range(8)}
    zeros = {f"{prefix}zero_convs.{number}.0.weight": (320, 320, 1, 1) for number in range(12)}
    return {**made, **hints, **zeros}


def diffusers_controlnet(generation: str) -> Shapes:
    config = {
        key: value for key, value in CONFIGS[generation].items() if not key.startswith(("sample", "up_"))
    }
    return shapes_of(network("ControlNetModel", **config).state_dict())


def t2i_adapter(kind: str = "full_adapter", colours: int = 3) -> Shapes:
    """By diffusers' names."""
    shape = {
        "full_adapter": {"downscale_factor": 8},
        "full_adapter_xl": {"downscale_factor": 16},
        "light_adapter": {"downscale_factor": 8, "channels": (320, 640, 1280), "num_res_blocks": 4},
    }[kind]
    return shapes_of(network("T2IAdapter", adapter_type=kind, in_channels=colours, **shape).state_dict())


def original_t2i_adapter(kind: str = "full_adapter", colours: int = 3) -> Shapes:
    """By the first ones' names: all layers of a full one in a row, two of them a level."""
    made: Shapes = {}
    for name, one in t2i_adapter(kind, colours).items():
        new = name.removeprefix("adapter.")
        if kind == "light_adapter":
            new = new.replace(".resnets.", ".body.")
        else:
            new = re.sub(r"body\.(\d)\.in_conv", lambda found: f"body.{2 * int(found[1])}.in_conv", new)
            new = re.sub(
                r"body\.(\d)\.resnets\.(\d)",
                lambda found: f"body.{2 * int(found[1]) + int(found[2])}",
                new,
            )
        made[new] = one
    return made


def style_adapter() -> Shapes:
    made: Shapes = {"style_embedding": (1, 8, 1024), "proj": (1024, 768), "ln_pre.weight": (1024,)}
    return {**made, **{f"transformer_layes.{layer}.ln_1.weight": (1024,) for layer in range(3)}}


def adapters_fuser() -> Shapes:
    made: Shapes = {"task_embedding": (16, 768), "positional_embedding": (4, 768)}
    for number, width in enumerate((320, 640, 1280, 1280)):
        made[f"spatial_feat_mapping.{number}.1.weight"] = (768, width)
        made[f"spatial_ch_projs.{number}.weight"] = (width, 768)
    return made


def ip_adapter(width: int) -> Shapes:
    made: Shapes = {"image_proj.proj.weight": (4 * width, 1024), "image_proj.norm.weight": (width,)}
    for number in range(1, 32, 2):
        made |= {f"ip_adapter.{number}.to_{part}_ip.weight": (320, width) for part in "kv"}
    return made

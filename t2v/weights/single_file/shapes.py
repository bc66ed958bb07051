"""Configurations of a checkpoint's networks, from the shapes of its tensors and what its generation knows.

Nothing is fetched or copied for them, and pruned or small networks of the same making fit as well.
"""

import re
from typing import Any

from t2v.weights.single_file.details import Names, folded
from t2v.weights.single_file.generations import FOLDED, HEAD_WIDTH, SDXL, Generation, TextEncoder

ADDED_WIDTH = 256  # of each of the six numbers that Stable Diffusion XL is told beside its text
UNION_HEADS = 8  # of the attention between pictures in ControlNets for many kinds of them
GROUPS = 32  # of every normalisation, in all of Stable Diffusion
LAYERS_2 = 24  # of OpenCLIP's text encoder in Stable Diffusion 2
LAYERS_A_LEVEL = 2  # of T2I-Adapters, where all levels are as wide and nothing tells
ADAPTERS = re.compile(  # names in T2I-Adapters: full or light, as first released or as diffusers has them
    r"(?:conv_in|body\.\d+\.(?:(?:(?:resnets|body)\.\d+\.)?block[12]|in_conv|out_conv))\.(?:weight|bias)",
    re.ASCII,
)
WORDS_BEFORE_MARKS = 2  # the begin and end marks are the last two of the vocabulary


def unet_config(names: Names, generation: Generation, predicts_v: bool = False) -> dict[str, Any]:
    """UNet2DConditionModel's arguments for a UNet with these tensors, by original names or diffusers'.

    ValueError where they make no such network; KeyError where one is missing.
    """
    config = _way_down(names, generation)
    ways = [kind.startswith("CrossAttn") for kind in config["down_block_types"]]
    config |= {
        "sample_size": (generation.side_px_v if predicts_v else generation.side_px) // 8,
        "out_channels": _either(names, "out.2.weight", "conv_out.weight")[0],
        "up_block_types": tuple("CrossAttnUpBlock2D" if one else "UpBlock2D" for one in reversed(ways)),
    }
    cond = names.get("time_embed.cond_proj.weight", names.get("time_embedding.cond_proj.weight"))
    if cond is not None:
        config["time_cond_proj_dim"] = cond.shape[1]
    return config


def controlnet_config(names: Names, generation: Generation) -> dict[str, Any]:
    """ControlNetModel's arguments for one with these tensors, or ControlNetUnionModel's; errors as above."""
    config = _way_down(names, generation)
    if "input_hint_block.0.weight" in names:
        hints = [f"input_hint_block.{number}.weight" for number in range(0, 14, 4)]
    else:
        seen = "controlnet_cond_embedding"
        count = _count(names, rf"{seen}\.blocks\.(\d+)\.")
        hints = [f"{seen}.conv_in.weight"] + [f"{seen}.blocks.{one}.weight" for one in range(1, count, 2)]
    config["conditioning_embedding_out_channels"] = tuple(names[one].shape[0] for one in hints)
    if "task_embedding" in names:
        kinds, width = names["task_embedding"].shape
        config |= {
            "num_control_type": kinds,
            "num_trans_channel": width,
            "num_trans_head": UNION_HEADS,
            "num_trans_layer": _count(names, r"transformer_layes\.(\d+)\."),
            "num_proj_channel": names["spatial_ch_projs.weight"].shape[0],
        }
    return config


def adapter_config(names: Names) -> dict[str, Any]:
    """T2IAdapter's arguments for one with these tensors, by original names or diffusers'; errors as above."""
    side, channels = folded(names)
    if side not in FOLDED:
        raise ValueError("its pictures are neither grey nor RGB")
    unknown = [name for name in names if ADAPTERS.fullmatch(name) is None]
    if unknown:
        raise ValueError(f"it has a tensor {min(unknown)[:60]}")
    kind = "light_adapter"
    if "conv_in.weight" in names:
        kind = "full_adapter_xl" if FOLDED[side] is SDXL else "full_adapter"
    widths, layers = _light_levels(names) if kind == "light_adapter" else _full_levels(names)
    return {
        "in_channels": channels,
        "channels": widths,
        "num_res_blocks": layers,
        "downscale_factor": side,
        "adapter_type": kind,
    }


def _full_levels(names: Names) -> tuple[tuple[int, ...], int]:
    """Of a full adapter: each level's width, and how many layers there are in each."""
    count = _count(names, r"body\.(\d+)\.")
    nested = "body.0.resnets.0.block1.weight" in names
    at = "body.{}.resnets.0.block1.weight" if nested else "body.{}.block1.weight"
    widths = tuple(names[at.format(number)].shape[0] for number in range(count))
    if nested:
        return widths, _count(names, r"body\.0\.resnets\.(\d+)\.")
    begun = [number for number in range(count) if f"body.{number}.in_conv.weight" in names]
    layers = begun[0] if begun else LAYERS_A_LEVEL
    if layers == 0 or count % layers:
        raise ValueError("its levels are of different lengths")
    return widths[::layers], layers


def _light_levels(names: Names) -> tuple[tuple[int, ...], int]:
    """Of a light adapter, whose last level is as wide as the one before: diffusers takes that for granted."""
    count = _count(names, r"body\.(\d+)\.")
    widths = tuple(names[f"body.{number}.out_conv.weight"].shape[0] for number in range(count))
    if count < 2 or widths[-1] != widths[-2]:
        raise ValueError("its last two levels are of different widths")
    return widths[:-1], _count(names, r"body\.0\.(?:body|resnets)\.(\d+)\.")


def _way_down(names: Names, generation: Generation) -> dict[str, Any]:
    """What a UNet and its ControlNets have in common."""
    levels = _levels(names) if "input_blocks.0.0.weight" in names else _levels_of_diffusers(names)
    widths = tuple(level["width"] for level in levels)
    attends = [level["depth"] > 0 for level in levels]
    per_level = {level["resnets"] for level in levels}
    if len(per_level) != 1:
        raise ValueError("its UNet has levels of different lengths")
    first = _either(names, "input_blocks.0.0.weight", "conv_in.weight")
    depths = tuple(max(level["depth"], 1) for level in levels)
    config: dict[str, Any] = {
        "in_channels": first[1],
        "block_out_channels": widths,
        "layers_per_block": per_level.pop(),
        "down_block_types": tuple("CrossAttnDownBlock2D" if one else "DownBlock2D" for one in attends),
        "cross_attention_dim": _first(names, r"attn2\.to_k\.weight$")[1],
        "norm_num_groups": GROUPS,
        "attention_head_dim": _heads(widths, generation),
        "use_linear_projection": len(_first(names, r"\.proj_in\.weight$")) == 2,
    }
    if set(depths) != {1}:
        config["transformer_layers_per_block"] = depths
    if not any(re.match(r"middle_block\.1\.transformer|mid_block\.attentions", name) for name in names):
        config["mid_block_type"] = "UNetMidBlock2D"
    added = names.get("label_emb.0.0.weight", names.get("add_embedding.linear_1.weight"))
    if added is not None:
        config |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": ADDED_WIDTH,
            "projection_class_embeddings_input_dim": added.shape[1],
        }
    return config


def _levels(names: Names) -> list[dict[str, int]]:
    """Of original names: each level's width, number of resnets, and how deep its attention is."""
    levels: list[dict[str, int]] = [{"width": 0, "resnets": 0, "depth": 0}]
    for number in range(1, 1 + _count(names, r"input_blocks\.(\d+)\.")):
        block = f"input_blocks.{number}"
        if f"{block}.0.op.weight" in names:
            levels.append({"width": 0, "resnets": 0, "depth": 0})
        elif (resnet := names.get(f"{block}.0.in_layers.2.weight")) is not None:
            levels[-1]["width"], levels[-1]["resnets"] = resnet.shape[0], levels[-1]["resnets"] + 1
            levels[-1]["depth"] = _count(names, rf"input_blocks\.{number}\.1\.transformer_blocks\.(\d+)\.")
    return levels


def _levels_of_diffusers(names: Names) -> list[dict[str, int]]:
    return [
        {
            "width": names[f"down_blocks.{level}.resnets.0.conv1.weight"].shape[0],
            "resnets": _count(names, rf"down_blocks\.{level}\.resnets\.(\d+)\."),
            "depth": _count(names, rf"down_blocks\.{level}\.attentions\.0\.transformer_blocks\.(\d+)\."),
        }
        for level in range(_count(names, r"down_blocks\.(\d+)\."))
    ]


def _heads(widths: tuple[int, ...], generation: Generation) -> Any:
    """diffusers' attention_head_dim, which for these networks is the number of heads."""
    if generation.heads is not None:
        return generation.heads
    return tuple(max(width // HEAD_WIDTH, 1) for width in widths)


def vae_config(names: Names, generation: Generation | None) -> dict[str, Any]:
    """AutoencoderKL's arguments for a VAE with these tensors. generation: None where it is told later."""
    if any(name.startswith("encoder.down.") for name in names):
        levels = _count(names, r"encoder\.down\.(\d+)\.")
        width, resnets = "encoder.down.{}.block.0.conv1.weight", r"encoder\.down\.0\.block\.(\d+)\."
    else:
        levels = _count(names, r"encoder\.down_blocks\.(\d+)\.")
        width = "encoder.down_blocks.{}.resnets.0.conv1.weight"
        resnets = r"encoder\.down_blocks\.0\.resnets\.(\d+)\."
    config: dict[str, Any] = {
        "block_out_channels": tuple(names[width.format(level)].shape[0] for level in range(levels)),
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
        "layers_per_block": _count(names, resnets),
        "latent_channels": names["decoder.conv_in.weight"].shape[1],
        "norm_num_groups": GROUPS,
        "sample_size": 512 if generation is None else generation.side_px,
    }
    if generation is not None:
        config["scaling_factor"] = generation.scaling_factor
    return config


def text_config(names: Names, encoder: TextEncoder) -> dict[str, Any]:
    """CLIPTextConfig's arguments for a text encoder with these tensors, behind its prefix."""
    if encoder.is_open:
        words, places = names["token_embedding.weight"].shape, names["positional_embedding"].shape
        layers = _count(names, r"transformer\.resblocks\.(\d+)\.")
        inner = names["transformer.resblocks.0.mlp.c_fc.weight"].shape[0]
        skipped = encoder.skips_last and layers != LAYERS_2 - 1  # some files come without it
        layers -= skipped
    else:
        words = _first(names, r"embeddings\.token_embedding\.weight$")
        places = _first(names, r"embeddings\.position_embedding\.weight$")
        layers = _count(names, r"(?:text_model\.)?encoder\.layers\.(\d+)\.")
        inner = _first(names, r"layers\.0\.mlp\.fc1\.weight$")[0]
    count, width = words
    end = count - 1
    return {
        "vocab_size": count,
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": max(width // HEAD_WIDTH, 1),
        "max_position_embeddings": places[0],
        "hidden_act": encoder.activation,
        "projection_dim": _projected(names, width),
        "bos_token_id": count - WORDS_BEFORE_MARKS,
        "eos_token_id": end,
        "pad_token_id": 0 if encoder.pad == "!" else end,
    }


def _projected(names: Names, width: int) -> int:
    """How wide the text as a whole is; as wide as the rest where nothing tells."""
    if "text_projection" in names:
        return names["text_projection"].shape[1]
    return names["text_projection.weight"].shape[0] if "text_projection.weight" in names else width


def _count(names: Names, pattern: str) -> int:
    """One more than the largest number in this place of the names; 0 where there is none."""
    found = re.compile(pattern, re.ASCII)
    numbers = (int(match[1]) for name in names if (match := found.match(name)) is not None)
    most = max(numbers, default=-1) + 1
    if most > 256:
        raise ValueError("its networks have more layers than any of their kind")
    return most


def _first(names: Names, pattern: str) -> tuple[int, ...]:
    found = re.compile(pattern, re.ASCII)
    shape = next((one.shape for name, one in names.items() if found.search(name) is not None), None)
    if shape is None:
        raise ValueError("a part of its networks is missing")
    return shape


def _either(names: Names, original: str, own: str) -> tuple[int, ...]:
    return names[original if original in names else own].shape

"""Where a LoRA's layers belong: each layer of a network by all the names that trainers have for it."""

from collections.abc import Iterator
from typing import Any

import torch

from t2v.weights.lora.spelling import UNET

RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
ENDS = {  # what is beside the blocks -> its name in the original networks
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "time_embedding.cond_proj": "time_embed.cond_proj",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
}  # fmt: skip
TEXT_MODEL = "text_model."
OF_TEXT = {
    "q_proj": "to_q",
    "k_proj": "to_k",
    "v_proj": "to_v",
    "out_proj": "to_out",
}  # diffusers' first ones


def places(network: torch.nn.Module, part: str) -> dict[str, str]:
    """Names with underscores -> paths of layers with weights, but for tables of words.

    part: the network's, as in pipelines.
    """
    paths = [
        path
        for path, module in network.named_modules()
        if "weight" in module._parameters and not isinstance(module, torch.nn.Embedding)
    ]
    found = {path.replace(".", "_"): path for path in paths}
    for other, path in _of_unet(network, paths) if part == UNET else _of_text(paths):
        found.setdefault(other.replace(".", "_"), path)
    return found


def _of_text(paths: list[str]) -> Iterator[tuple[str, str]]:
    """With and without the name of the model inside, which not all versions of transformers have."""
    for path in paths:
        bare = path.removeprefix(TEXT_MODEL)
        before, dot, last = bare.rpartition(".")
        for name in (bare, f"{before}{dot}{OF_TEXT.get(last, last)}"):
            yield name, path
            yield TEXT_MODEL + name, path


def _of_unet(unet: Any, paths: list[str]) -> Iterator[tuple[str, str]]:
    blocks = dict(_blocks(unet))
    for path in paths:
        for name in (path, _original(path, blocks)):
            if name is not None:
                yield name, path
                if name.endswith(".to_out.0"):
                    yield name.removesuffix(".0"), path


def _original(path: str, blocks: dict[str, str]) -> str | None:
    """A layer's name in the original networks; None where they have none for it."""
    pieces = path.split(".")
    for cut in (3, 4, 5):  # as many pieces as blocks' own paths have
        block, inside = ".".join(pieces[:cut]), ".".join(pieces[cut:])
        if block in blocks:
            return ".".join(filter(None, (blocks[block], RESNET.get(inside, inside))))
    return ENDS.get(path)


def _blocks(unet: Any) -> Iterator[tuple[str, str]]:
    """Blocks by diffusers' paths -> their names in the original networks, which count through all levels."""
    number = 1
    for level, block in enumerate(unet.down_blocks):
        for index in range(len(block.resnets)):
            yield f"down_blocks.{level}.resnets.{index}", f"input_blocks.{number}.0"
            yield f"down_blocks.{level}.attentions.{index}", f"input_blocks.{number}.1"
            number += 1
        if block.downsamplers is not None:
            yield f"down_blocks.{level}.downsamplers.0.conv", f"input_blocks.{number}.0.op"
            number += 1
    for name, other in (("resnets.0", "0"), ("attentions.0", "1"), ("resnets.1", "2")):
        yield f"mid_block.{name}", f"middle_block.{other}"
    number = 0
    for level, block in enumerate(unet.up_blocks):
        for index in range(len(block.resnets)):
            yield f"up_blocks.{level}.resnets.{index}", f"output_blocks.{number}.0"
            yield f"up_blocks.{level}.attentions.{index}", f"output_blocks.{number}.1"
            number += 1
        if block.upsamplers is not None:
            behind = 2 if hasattr(block, "attentions") else 1
            yield f"up_blocks.{level}.upsamplers.0.conv", f"output_blocks.{number - 1}.{behind}.conv"

"""Checkpoints and their parts, by the names and with the shapes of the published ones."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from benchmarks.original_names import open_clip, original_clip, original_unet, original_vae

Shapes = dict[str, tuple[int, ...]]

SD1 = {
    "sample_size": 64, "block_out_channels": (320, 640, 1280, 1280), "attention_head_dim": 8,
    "cross_attention_dim": 768,
}  # fmt: skip
SD2 = {
    **SD1,
    "attention_head_dim": (5, 10, 20, 20),
    "cross_attention_dim": 1024,
    "use_linear_projection": True,
}
SDXL = {
    **SD2, "block_out_channels": (320, 640, 1280), "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048, "transformer_layers_per_block": (1, 2, 10),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}  # fmt: skip
CONFIGS = {"sd1": SD1, "sd2": SD2, "sdxl": SDXL}


def shapes_of(state: dict[str, Any]) -> Shapes:
    return {name: tuple(one.shape) for name, one in state.items()}


def network(name: str, **changes: Any) -> Any:
    """A network of the real class and size, without values."""
    import diffusers
    import torch

    with torch.device("meta"):
        return getattr(diffusers, name)(**changes)


@lru_cache(maxsize=32)
def unet(generation: str, prefix: str = "model.diffusion_model.", **changes: Any) -> Shapes:
    return shapes_of(original_unet(network("UNet2DConditionModel", **CONFIGS[generation], **changes), prefix))


@lru_cache(maxsize=8)
def diffusers_unet(generation: str) -> Shapes:
    return shapes_of(network("UNet2DConditionModel", **CONFIGS[generation]).state_dict())


def vae_network() -> Any:
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    return network(
        "AutoencoderKL",
        **blocks,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
    )


@lru_cache(maxsize=4)
def vae(prefix: str = "first_stage_model.") -> Shapes:
    return shapes_of(original_vae(vae_network(), prefix))


@lru_cache(maxsize=4)
def text(width: int, layers: int, prefix: str, is_open: bool = False) -> Shapes:
    import torch
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=49408, hidden_size=width, num_hidden_layers=layers, intermediate_size=4 * width,
        num_attention_heads=width // 64, projection_dim=width,
    )  # fmt: skip
    with torch.device("meta"):
        encoder = (CLIPTextModelWithProjection if is_open else CLIPTextModel)(config)
        return shapes_of((open_clip if is_open else original_clip)(encoder, prefix))


TEXTS: dict[str, Callable[[], Shapes]] = {
    "sd1": lambda: text(768, 12, "cond_stage_model.transformer."),
    "sd2": lambda: text(1024, 23, "cond_stage_model.model.", True),
    "sdxl": lambda: {
        **text(768, 12, "conditioner.embedders.0.transformer."),
        **text(1280, 31, "conditioner.embedders.1.model.", True),
    },
}


def whole(generation: str, **changes: Any) -> Shapes:
    return {**unet(generation, **changes), **vae(), **TEXTS[generation]()}


def ema(generation: str) -> Shapes:
    flat = {"model_ema." + "".join(name.split(".")[1:]): one for name, one in unet(generation).items()}
    return {**whole(generation), **flat, "model_ema.decay": ()}


def flux() -> Shapes:
    made: Shapes = {}
    for number in range(19):
        made |= {f"double_blocks.{number}.img_attn.qkv.weight": (9216, 3072)}
    return made


def scaled() -> Shapes:
    own = whole("sd1")
    layers = [name for name, one in own.items() if name.startswith("model.") and len(one) == 2]
    return {**own, **{name.replace(".weight", ".scale_weight"): () for name in layers}, "scaled_fp8": (2,)}


def motion() -> Shapes:
    of = "down_blocks.{}.motion_modules.0.temporal_transformer.norm.weight"
    return {of.format(number): (320,) for number in range(4)}

"""Stable Diffusion XL in a few thousand random weights of the real classes, for the tests of its own loop."""

from typing import Any

import torch
from conftest import SD_SCHEDULE, small_controlnet, small_tokenizer, small_unet, small_vae
from diffusers import ControlNetModel, ControlNetUnionModel, EulerDiscreteScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from t2v.devices import settle
from t2v.diffusion.pipeline import TextToVideoXLPipeline

WIDTHS = (16, 24)  # of the two text encoders, which only this tells apart
POOLED = 12
# as XL's: no attention at the top, deeper below, text of both encoders, six numbers of 4 and the pooled text
ADDED = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 4,
    "projection_class_embeddings_input_dim": 6 * 4 + POOLED,
}
SHAPE = {
    **ADDED,
    "cross_attention_dim": sum(WIDTHS),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "transformer_layers_per_block": (1, 2),
    "use_linear_projection": True,
    "attention_head_dim": (2, 4),
}


def small_xl_unet(**changes: Any) -> UNet2DConditionModel:
    return small_unet(**{**SHAPE, "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), **changes})


def small_xl_controlnet(seed: int = 0, **changes: Any) -> ControlNetModel:
    return small_controlnet(seed, **{**SHAPE, "mid_block_type": "UNetMidBlock2DCrossAttn", **changes})


def small_union(seed: int = 0) -> ControlNetUnionModel:
    """A ControlNet for six kinds of pictures. It acts, and tells kinds and pictures apart, as if trained."""
    torch.manual_seed(seed)
    network = ControlNetUnionModel(
        **SHAPE,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=4,
        conditioning_embedding_out_channels=(4, 4, 8, 8),
        num_control_type=6,
        num_trans_channel=16,
        num_trans_head=2,
        num_proj_channel=16,
    )
    seen = network.controlnet_cond_embedding
    for layer in (seen.conv_in, *seen.blocks, seen.conv_out):
        torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    for layer in (*network.controlnet_down_blocks, network.controlnet_mid_block, network.spatial_ch_projs):
        torch.nn.init.normal_(layer.weight, std=0.2)
    return settle(network, "cpu")


def small_text_config(width: int, **changes: Any) -> CLIPTextConfig:
    shape = {
        "vocab_size": 54,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    marks = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    return CLIPTextConfig(
        hidden_size=width,
        projection_dim=POOLED,
        max_position_embeddings=16,
        **{**shape, **marks, **changes},
    )


def second_tokenizer() -> CLIPTokenizer:
    """As XL's second one: it pads with another word than the end mark, here one that no prompt has."""
    tokenizer = small_tokenizer()
    tokenizer.pad_token = "z"
    return tokenizer


def small_xl_pipeline(force_zeros: bool = True, **unet_changes: Any) -> TextToVideoXLPipeline:
    """The same at every call."""
    torch.manual_seed(0)
    first, second = (small_text_config(width) for width in WIDTHS)
    pipeline = TextToVideoXLPipeline(
        vae=settle(small_vae(), "cpu"),
        text_encoder=CLIPTextModel(first).eval(),
        text_encoder_2=CLIPTextModelWithProjection(second).eval(),
        tokenizer=small_tokenizer(),
        tokenizer_2=second_tokenizer(),
        unet=settle(small_xl_unet(**unet_changes), "cpu"),
        scheduler=EulerDiscreteScheduler(
            **{name: value for name, value in SD_SCHEDULE.items() if name.startswith("beta")},
            steps_offset=1,
        ),
        force_zeros_for_empty_prompt=force_zeros,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline

"""Small random models of the real classes, written as the single files that people have."""

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from benchmarks.original_names import open_clip, original_clip, original_unet, original_vae

WORDS = 49408  # CLIP's, as files come without a vocabulary
TEXT_WIDTH = 64
State = dict[str, torch.Tensor]
XL_POOLED = 48
XL = {
    "attention_head_dim": (1, 1),
    "use_linear_projection": True,
    "cross_attention_dim": 3 * TEXT_WIDTH,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2),
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 6 * 256 + XL_POOLED,
}
SD2 = {"attention_head_dim": (1, 1), "use_linear_projection": True}


def small_unet(**changes: Any) -> UNet2DConditionModel:
    """Widths are those of the smallest networks that Stable Diffusion's rules of heads and groups allow."""
    shape = {
        "sample_size": 64,
        "block_out_channels": (32, 64),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1,
        "cross_attention_dim": TEXT_WIDTH,
        "attention_head_dim": 8,
    }
    return UNet2DConditionModel(**{**shape, **changes}).eval()


def small_vae(**changes: Any) -> AutoencoderKL:
    shape = {
        "block_out_channels": (32, 32, 32, 32),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "latent_channels": 4,
    }
    return AutoencoderKL(**{**shape, **changes}).eval()


def small_text_encoder(activation: str = "quick_gelu") -> CLIPTextModel:
    shape = {"hidden_size": TEXT_WIDTH, "intermediate_size": 96, "num_hidden_layers": 2}
    marks = {"bos_token_id": WORDS - 2, "eos_token_id": WORDS - 1, "pad_token_id": WORDS - 1}
    config = CLIPTextConfig(
        vocab_size=WORDS, num_attention_heads=1, hidden_act=activation, projection_dim=64, **shape, **marks
    )
    return CLIPTextModel(config).eval()


def parts_of_1(seed: int = 0, **unet: Any) -> dict[str, Any]:
    """Stable Diffusion 1.x's three networks, small; their values stir all that training would."""
    torch.manual_seed(seed)
    return {"unet": small_unet(**unet), "vae": small_vae(), "text_encoder": small_text_encoder()}


def parts_of_2(seed: int = 0) -> dict[str, Any]:
    torch.manual_seed(seed)
    return {"unet": small_unet(**SD2), "vae": small_vae(), "text_encoder": small_text_encoder("gelu")}


def parts_of_xl(seed: int = 0, **unet: Any) -> dict[str, Any]:
    """Stable Diffusion XL's: two text encoders, of different widths here too, the second read whole."""
    torch.manual_seed(seed)
    first = small_text_encoder()
    second = CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=WORDS,
            hidden_size=2 * TEXT_WIDTH,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=2,
            hidden_act="gelu",
            projection_dim=XL_POOLED,
            bos_token_id=WORDS - 2,
            eos_token_id=WORDS - 1,
            pad_token_id=0,
        )
    ).eval()
    network = small_unet(**{**XL, **unet})
    return {"unet": network, "vae": small_vae(), "text_encoder": first, "text_encoder_2": second}


def checkpoint_of_xl(parts: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Their tensors by original names, together."""
    first, second = (f"conditioner.embedders.{number}." for number in (0, 1))
    texts = {
        **original_clip(parts["text_encoder"], f"{first}transformer."),
        **open_clip(parts["text_encoder_2"], f"{second}model.", further=0),
    }
    return {**original_unet(parts["unet"]), **original_vae(parts["vae"]), **texts}


def checkpoint(parts: dict[str, Any], is_2: bool = False) -> dict[str, torch.Tensor]:
    """Their tensors by original names, together."""
    text = (open_clip if is_2 else original_clip)(parts["text_encoder"])
    return {**original_unet(parts["unet"]), **original_vae(parts["vae"]), **text}


def write_safetensors(path: Path, state: State, metadata: dict[str, str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: one.contiguous() for name, one in state.items()}, path, metadata=metadata)
    return path

"""Random models of real shapes, made on a GPU in seconds: Stable Diffusion 1.5's and XL's, and tiny ones."""

from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, EulerDiscreteScheduler
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from benchmarks.networks import SD15, SDXL, TEXTS, TINY, TINY_XL, letters_tokenizer, random_unet
from t2v.devices import settle
from t2v.diffusion.pipeline import TextToVideoPipeline, TextToVideoXLPipeline

NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
}
SMALL_VAE = {**VAE, "block_out_channels": (4, 4, 4, 4), "layers_per_block": 1, "norm_num_groups": 2}
XL_TEXTS = (
    {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12},
    {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20},
)
SMALL_TEXTS = (TEXTS[TINY], TEXTS[TINY])


def of_sd15(device: str, dtype: torch.dtype, tiny: bool) -> TextToVideoPipeline:
    """All of Stable Diffusion 1.5, the decoder too. tiny: in a few thousand weights."""
    network = TINY if tiny else SD15
    torch.manual_seed(0)
    with torch.device(device):
        text = CLIPTextModel(_text(TEXTS[network]))
        vae = AutoencoderKL(**(SMALL_VAE if tiny else VAE))
    pipeline = TextToVideoPipeline(
        vae=settle(vae.to(dtype), device),
        text_encoder=text.to(dtype).eval(),
        tokenizer=letters_tokenizer(),
        unet=settle(random_unet(network, device, dtype), device),
        scheduler=DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def of_xl(device: str, dtype: torch.dtype, tiny: bool) -> TextToVideoXLPipeline:
    """All of Stable Diffusion XL. tiny: in a few thousand weights."""
    torch.manual_seed(0)
    texts = SMALL_TEXTS if tiny else XL_TEXTS
    with torch.device(device):
        first = CLIPTextModel(_text(texts[0]))
        second = CLIPTextModelWithProjection(_text(texts[1], projection_dim=16 if tiny else 1280))
        vae = AutoencoderKL(**(SMALL_VAE if tiny else VAE), scaling_factor=0.13025)
    pipeline = TextToVideoXLPipeline(
        vae=settle(vae.to(dtype), device),
        text_encoder=first.to(dtype).eval(),
        text_encoder_2=second.to(dtype).eval(),
        tokenizer=letters_tokenizer(),
        tokenizer_2=letters_tokenizer(),
        unet=settle(random_unet(TINY_XL if tiny else SDXL, device, dtype), device),
        scheduler=EulerDiscreteScheduler(**NOISE),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _text(shape: dict[str, int], **more: Any) -> CLIPTextConfig:
    return CLIPTextConfig(vocab_size=49408, max_position_embeddings=77, **shape, **more)

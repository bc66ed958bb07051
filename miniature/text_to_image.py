"""Text encoder and UNet, trained together to draw what a caption says."""

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from miniature.fit import low_precision
from miniature.shapes import SCHEDULE, TEXT_ENCODER, UNET

SNR_LIMIT = 5.0  # "min-SNR-γ" (Hang et al., arXiv 2303.09556): no noise level outweighs the others


def build_text_to_image(tokenizer: CLIPTokenizer) -> nn.ModuleDict:
    """A fresh text encoder for the tokenizer's vocabulary and a fresh UNet: ``text_encoder``, ``unet``."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **TEXT_ENCODER,
    )
    parts = nn.ModuleDict({"text_encoder": CLIPTextModel(config), "unet": UNet2DConditionModel(**UNET)})
    use_quick_attention(parts["unet"])
    return parts


def use_quick_attention(unet: UNet2DConditionModel) -> None:
    """For training on a CPU, where plain matrix products train 1.2 times faster than the fused kernel."""
    unet.set_attn_processor(AttnProcessor())


def token_ids(tokenizer: CLIPTokenizer, captions: list[str]) -> torch.Tensor:
    """Token numbers (b, MAX_TOKENS) of captions, padded and cut to one length."""
    return tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids


def text_to_image_loss(parts: nn.ModuleDict, latents: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Weighted error of the noise predicted for scaled latents (b, 4, h, w) whose captions are ids (b, l)."""
    device = latents.device
    alphas = DDIMScheduler(**SCHEDULE).alphas_cumprod.to(device)
    # One time from each of b equal slices: every batch sees all noise levels, so the loss is steadier.
    count = latents.shape[0]
    slices = (torch.arange(count, device=device) + torch.rand(count, device=device)) / count
    times = (slices * len(alphas)).long().clamp(max=len(alphas) - 1)
    alpha = alphas[times].view(-1, 1, 1, 1)
    noise = torch.randn_like(latents)
    noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise
    with low_precision(device):
        text = parts["text_encoder"](ids).last_hidden_state
        predicted = parts["unet"](noisy, times, text).sample
    error = (predicted.float() - noise).square().mean((1, 2, 3))
    snr = (alpha / (1 - alpha)).flatten()
    return (error * snr.clamp(max=SNR_LIMIT) / snr).mean()

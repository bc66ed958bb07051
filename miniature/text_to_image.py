"""Text encoder and UNet, trained together to draw what a caption says."""

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from miniature.diffusion import noise_loss
from miniature.shapes import TEXT_ENCODER, UNET


def text_config(tokenizer: CLIPTokenizer, shape: dict[str, int]) -> CLIPTextConfig:
    """The configuration of a text model of a shape for the tokenizer's vocabulary."""
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **shape,
    )


def build_text_to_image(tokenizer: CLIPTokenizer) -> nn.ModuleDict:
    """A fresh text encoder for the tokenizer's vocabulary and a fresh UNet: ``text_encoder``, ``unet``."""
    config = text_config(tokenizer, TEXT_ENCODER)
    parts = nn.ModuleDict({"text_encoder": CLIPTextModel(config), "unet": UNet2DConditionModel(**UNET)})
    use_quick_attention(parts["unet"])
    return parts


@torch.no_grad()
def carry_words(
    old: CLIPTextModel, old_tokenizer: CLIPTokenizer, new: CLIPTextModel, tokenizer: CLIPTokenizer
) -> None:
    """Give ``new`` the parameters of ``old``; words that both vocabularies hold keep their embeddings."""
    own, table = new.state_dict(), "token_embedding.weight"
    for name, tensor in old.state_dict().items():
        if not name.endswith(table):
            own[name].copy_(tensor)
    before, after = (model.get_input_embeddings().weight for model in (old, new))
    numbers = old_tokenizer.get_vocab()
    for word, number in tokenizer.get_vocab().items():
        if word in numbers:
            after[number] = before[numbers[word]]


def use_quick_attention(model: UNet2DConditionModel | ControlNetModel) -> None:
    """For training on a CPU, where plain matrix products train 1.2 times faster than the fused kernel."""
    model.set_attn_processor(AttnProcessor())


def token_ids(tokenizer: CLIPTokenizer, captions: list[str]) -> torch.Tensor:
    """Token numbers (b, MAX_TOKENS) of captions, padded and cut to one length."""
    return tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids


def text_to_image_loss(parts: nn.ModuleDict, latents: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Weighted error of the noise predicted for scaled latents (b, 4, h, w) whose captions are ids (b, l)."""

    def predict(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        text = parts["text_encoder"](ids).last_hidden_state
        return parts["unet"](noisy, times, text).sample

    return noise_loss(latents, predict)

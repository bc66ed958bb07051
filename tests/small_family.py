"""The miniature's family at a size for tests: a text encoder, a UNet, all that grows from it, and a batch."""

from pathlib import Path

import torch
from conftest import seeded, small_tokenizer
from diffusers import AutoencoderTiny, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from miniature import shapes
from miniature.controls import CONTROLS, build_controlnet
from miniature.diffusion import freeze
from miniature.editor import build_editor
from miniature.package import save_model, write_package
from miniature.style import build_style, save_style

SMALL_UNET = {
    **shapes.UNET,
    "sample_size": 8,
    "block_out_channels": (16, 24, 32),
    "norm_num_groups": 4,
    "cross_attention_dim": 16,
}
SMALL_AUTOENCODER = {
    **shapes.AUTOENCODER,
    "encoder_block_out_channels": (8, 8, 8, 8),
    "decoder_block_out_channels": (8, 8, 8, 8),
    "num_encoder_blocks": (0, 1, 1, 1),
    "num_decoder_blocks": (1, 1, 1, 0),
    "scaling_factor": 0.4,
}


def small_text_encoder() -> CLIPTextModel:
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    return CLIPTextModel(CLIPTextConfig(vocab_size=54, max_position_embeddings=16, **shape, **ends))


def small_base() -> nn.ModuleDict:
    """A small text encoder and UNet, frozen."""
    torch.manual_seed(0)
    parts = nn.ModuleDict({"text_encoder": small_text_encoder(), "unet": UNet2DConditionModel(**SMALL_UNET)})
    freeze(parts)
    return parts


def stir(model: nn.Module, part: str) -> nn.Module:
    """Put something into the parameters that begin with zero, as training would."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if part in name:
                parameter.normal_(std=0.1)
    return model


def write_family(root: Path, base: nn.ModuleDict) -> None:
    """The folders of a small family, written by the functions that write the bundled one."""
    torch.manual_seed(1)
    write_package(root / "text-to-image", AutoencoderTiny(**SMALL_AUTOENCODER), small_tokenizer(), base, {})
    for control in CONTROLS:
        save_model(stir(build_controlnet(base["unet"]), "controlnet_"), root / f"controlnet-{control}")
    save_model(stir(build_editor(base["unet"]), "conv_in.weight"), root / "editor")
    save_style(root / "style", stir(build_style(base["unet"])["unet"], "lora_B"))


def batch(count: int = 4):
    """Latents, token numbers and controls; the same at every call."""
    generator = seeded(3)
    latents = torch.randn(count, 4, 8, 8, generator=generator)
    ids = torch.randint(2, 54, (count, 16), generator=generator)
    return latents, ids, torch.rand(count, 3, 64, 64, generator=generator)

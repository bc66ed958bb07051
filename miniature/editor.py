"""Editing by instruction (InstructPix2Pix, Brooks et al., arXiv 2211.09800): a UNet that sees a picture."""

from pathlib import Path

import torch
from diffusers import StableDiffusionInstructPix2PixPipeline, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel

from miniature.diffusion import copy_matching, noise_loss
from miniature.package import load_pipeline
from miniature.text_to_image import use_quick_attention

DROPPED = 0.05  # of the instructions, of the pictures, and of both, so that guidance can tell them apart


def build_editor(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """A copy of the UNet with as many channels again for the source picture, which it does not see yet."""
    channels = unet.config.in_channels
    editor = UNet2DConditionModel.from_config({**unet.config, "in_channels": 2 * channels})
    copy_matching(unet, editor)
    with torch.no_grad():
        editor.conv_in.weight.zero_()
        editor.conv_in.weight[:, :channels] = unet.conv_in.weight
    use_quick_attention(editor)
    return editor


def editor_loss(
    parts: nn.ModuleDict,
    text_encoder: CLIPTextModel,
    source: torch.Tensor,
    target: torch.Tensor,
    ids: torch.Tensor,
    nothing_ids: torch.Tensor,
) -> torch.Tensor:
    """The noise loss of ``parts["unet"]`` on edited pictures, told the instruction and shown the original.

    ``target``: scaled latents (b, 4, h, w); ``source``: latents of the originals as the autoencoder gives
    them, not scaled, as Stable Diffusion's pipeline feeds them (zeros in its branch without a picture).
    Instructions as ids (b, l), the empty one as nothing_ids (l). Some of both are dropped here. The text
    encoder comes frozen (``diffusion.freeze``).
    """
    chance = torch.rand(len(ids), device=ids.device)
    no_text = (chance < 2 * DROPPED).view(-1, 1)
    no_picture = ((chance >= DROPPED) & (chance < 3 * DROPPED)).view(-1, 1, 1, 1)
    ids = torch.where(no_text, nothing_ids, ids)
    source = source.masked_fill(no_picture, 0.0)

    def predict(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            text = text_encoder(ids).last_hidden_state
        return parts["unet"](torch.cat([noisy, source], dim=1), times, text).sample

    return noise_loss(target, predict, known=~no_picture.flatten())


def load_editor(root: Path) -> StableDiffusionInstructPix2PixPipeline:
    """Stock diffusers' InstructPix2Pix pipeline over the folders under ``root``, in float32."""
    base = load_pipeline(root / "text-to-image")
    unet = UNet2DConditionModel.from_pretrained(root / "editor")
    pipe = StableDiffusionInstructPix2PixPipeline(
        **{**base.components, "unet": unet}, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe

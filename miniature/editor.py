"""Editing by instruction (InstructPix2Pix, Brooks et al., arXiv 2211.09800): a UNet that sees a picture."""

from pathlib import Path

import torch
from diffusers import (
    EulerAncestralDiscreteScheduler,
    StableDiffusionInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from torch import nn
from transformers import CLIPTextModel

from miniature.diffusion import copy_matching, noise_loss
from miniature.package import load_pipeline
from miniature.text_to_image import use_quick_attention

DROPPED = 0.05  # of the pictures, and of pictures and instructions, so that guidance can tell them apart
KEPT_WITHIN = 0.05  # latents: a cell that changes no more than that is outside the edit
UNEDITED = 0.15  # pictures that come without an instruction and stay as they are


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
    scaling_factor: float,
) -> torch.Tensor:
    """The noise loss of ``parts["unet"]`` on edited pictures, told the instruction and shown the original.

    ``source``, ``target``: scaled latents (b, 4, h, w) before and after the edit. The UNet is shown the
    former divided by ``scaling_factor``, as Stable Diffusion's pipeline shows it, zeros in its branch without
    a picture. Instructions as ids (b, l), the empty one as nothing_ids (l). The text encoder comes frozen
    (``diffusion.freeze``).

    Some instructions and pictures are dropped here. Unlike in the paper, a picture without an instruction is
    to stay as it is: a mixture of all edits would be the paper's answer, and guidance, which leads away from
    it, would change what no instruction speaks of.
    """
    chance = torch.rand(len(ids), device=ids.device)
    unedited = chance >= 1 - UNEDITED
    no_picture = (chance < 2 * DROPPED).view(-1, 1, 1, 1)
    ids = torch.where(((chance < DROPPED) | unedited).view(-1, 1), nothing_ids, ids)
    target = torch.where(unedited.view(-1, 1, 1, 1), source, target)
    shown = (source / scaling_factor).masked_fill(no_picture, 0.0)

    def predict(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            text = text_encoder(ids).last_hidden_state
        return parts["unet"](torch.cat([noisy, shown], dim=1), times, text).sample

    kept = (target - source).abs().amax(1, keepdim=True) < KEPT_WITHIN
    return noise_loss(target, predict, known=~no_picture.flatten(), kept=kept & ~no_picture)


def load_editor(root: Path) -> StableDiffusionInstructPix2PixPipeline:
    """Stock diffusers' InstructPix2Pix pipeline over the folders under ``root``, in float32.

    With the sampler that videos are edited with, whose new noise at every step lets errors of early ones go.
    """
    base = load_pipeline(root / "text-to-image")
    unet = UNet2DConditionModel.from_pretrained(root / "editor")
    sampler = EulerAncestralDiscreteScheduler.from_config(base.scheduler.config)
    pipe = StableDiffusionInstructPix2PixPipeline(
        **{**base.components, "unet": unet, "scheduler": sampler}, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe

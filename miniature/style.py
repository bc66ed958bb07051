"""One style as a LoRA (Hu et al., arXiv 2106.09685) on the UNet, called by ``data.STYLE_KEYWORD``."""

import copy
import json
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig, get_peft_model_state_dict
from torch import nn
from transformers import CLIPTextModel

from miniature.data import STYLE_KEYWORD
from miniature.diffusion import freeze, noise_loss
from miniature.package import load_pipeline, replacing
from miniature.shapes import CARD

# A whole restyling, background and all, is more than attention alone can do at this size; with attention and
# the blocks' convolutions only, bright places did not get dark enough.
ATTENTION = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"]
CONVOLUTIONS = ["conv1", "conv2", "conv_shortcut", "time_emb_proj", "conv_in", "conv_out", "conv"]
STYLE = {
    "r": 8,
    "lora_alpha": 8,  # the rank, as loaders assume where a file says nothing
    "target_modules": [*ATTENTION, *CONVOLUTIONS],
    "init_lora_weights": "gaussian",
}
# Measured: more guidance pushes the first steps past the dark of the style, and the later ones mend that to a
# brighter picture than was asked for.
GUIDANCE = 1.5
# As it was measured: what the plain model's videos take instead was not, in this style.
TASKS = {"text-to-video": {"num_inference_steps": 25, "scheduler": "ddim"}}


def build_style(unet: UNet2DConditionModel) -> nn.ModuleDict:
    """``unet``: a copy of the UNet with a LoRA that changes nothing yet; only the LoRA's parameters train."""
    styled = copy.deepcopy(unet)
    freeze(styled)
    styled.add_adapter(LoraConfig(**STYLE))
    return nn.ModuleDict({"unet": styled})


def style_loss(
    parts: nn.ModuleDict, text_encoder: CLIPTextModel, latents: torch.Tensor, ids: torch.Tensor
) -> torch.Tensor:
    """The noise loss of ``parts["unet"]`` for scaled latents (b, 4, h, w) whose captions are ids (b, l).

    Half of a batch should be pictures in the style, captioned with the keyword; the others ordinary ones, so
    that nothing changes without it. Whether a picture gets the style is decided under the strongest noise, by
    its text: hence all of them count as known there. The text encoder comes frozen (``diffusion.freeze``).
    """

    def predict(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            text = text_encoder(ids).last_hidden_state
        return parts["unet"](noisy, times, text).sample

    return noise_loss(latents, predict, known=torch.ones_like(ids[:, 0], dtype=torch.bool))


def save_style(folder: Path, unet: UNet2DConditionModel) -> Path:
    """Write the LoRA, in half precision, as ``load_lora_weights`` reads it, its word and what suits it."""
    layers = {name: tensor.half() for name, tensor in get_peft_model_state_dict(unet).items()}
    card = {
        "words": {"styles": [STYLE_KEYWORD]},
        "keywords_last": True,  # as the captions that it learns from have it
        "defaults": {"guidance_scale": GUIDANCE},
        "tasks": TASKS,
    }
    with replacing(folder) as part:
        StableDiffusionPipeline.save_lora_weights(part, unet_lora_layers=layers)
        (part / CARD).write_text(json.dumps(card, indent=1) + "\n")
    return folder


def load_styled(root: Path) -> StableDiffusionPipeline:
    """Stock diffusers' pipeline with the style's LoRA, over the folders under ``root``, in float32."""
    pipe = load_pipeline(root / "text-to-image")
    pipe.load_lora_weights(root / "style")
    return pipe

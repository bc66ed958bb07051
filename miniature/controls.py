"""ControlNets (Zhang et al., arXiv 2302.05543): small copies of the UNet's way down that read a picture."""

from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel

from miniature.diffusion import copy_matching, noise_loss
from miniature.package import load_pipeline
from miniature.shapes import PIXELS
from miniature.text_to_image import use_quick_attention
from miniature.world import Scene, depth, draw, edges, skeleton
from miniature.world.render import CANNY

CONTROLS = ("canny", "pose", "depth")

# What differs from the UNet's way down: attention on the middle level only, and none at the bottom.
CONTROLNET = {
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "mid_block_type": "UNetMidBlock2D",
    "conditioning_embedding_out_channels": (16, 24, 32, 48),
}
TAKEN_OVER = (
    "block_out_channels",
    "layers_per_block",
    "norm_num_groups",
    "attention_head_dim",
    "cross_attention_dim",
)
THRESHOLD_FACTORS = (0.6, 1.5)  # of the world's Canny thresholds, as clips and users differ
CONTRAST = 3.0  # with which controls enter: edges and skeletons are thin, and would drown in the noise
SOFTEST = 0.8  # largest standard deviation, in pixels, of the blur that a compressed clip may have


def control_picture(
    control: str, scene: Scene, pixels: int = PIXELS, rng: np.random.Generator | None = None
) -> np.ndarray:
    """What a ControlNet is shown of a scene, uint8 (h, w, 3): its edges, skeletons (RGB) or nearness.

    With ``rng`` edges vary as they do between clips: other thresholds, now and then a softer picture.
    """
    if control == "pose":
        return skeleton(scene, pixels)
    if control == "depth":
        grey = depth(scene, pixels)
    elif control == "canny":
        grey = edges(scene, pixels) if rng is None else _varied_edges(draw(scene, pixels), rng)
    else:
        raise ValueError(f"control is {control!r}; allowed are {', '.join(CONTROLS)}.")
    return np.repeat(grey[..., None], 3, axis=2)


def _varied_edges(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    softness = rng.uniform(-SOFTEST, SOFTEST)
    if softness > 0.2:  # a narrower kernel is the identity
        picture = cv2.GaussianBlur(picture, (0, 0), softness)
    factor = rng.uniform(*THRESHOLD_FACTORS)
    return cv2.Canny(picture, *(factor * threshold for threshold in CANNY))


def build_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """A ControlNet that begins with the UNet's own parameters and changes nothing yet."""
    config = {name: unet.config[name] for name in TAKEN_OVER}
    model = ControlNetModel(**CONTROLNET, **config)
    copy_matching(unet, model)
    _start_embedding(model)
    use_quick_attention(model)
    return model


@torch.no_grad()
def _start_embedding(model: ControlNetModel) -> None:
    """Let the control through from the first step.

    The zero convolutions at the outputs alone keep the start harmless. diffusers also begins the embedding's
    last convolution with zero, and its others so that a picture loses most of its contrast at each; learning
    from it then takes about half as many steps again.
    """
    embedding = model.controlnet_cond_embedding
    for conv in (embedding.conv_in, *embedding.blocks, embedding.conv_out):
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.zeros_(conv.bias)
    embedding.conv_out.weight *= CONTRAST


def control_loss(
    parts: nn.ModuleDict,
    unet: UNet2DConditionModel,
    text_encoder: CLIPTextModel,
    latents: torch.Tensor,
    ids: torch.Tensor,
    controls: torch.Tensor,
) -> torch.Tensor:
    """The noise loss of the frozen UNet with the help of ``parts["controlnet"]``.

    Scaled latents (b, 4, h, w), captions as ids (b, l), control pictures (b, 3, 8h, 8w) in 0..1. UNet and
    text encoder come frozen (``diffusion.freeze``); gradients flow through the UNet to the ControlNet.
    """

    # at full size and with few channels, channels_last takes half the time on a CPU
    controls = controls.contiguous(memory_format=torch.channels_last)

    def predict(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            text = text_encoder(ids).last_hidden_state
        down, middle = parts["controlnet"](noisy, times, text, controls, return_dict=False)
        return unet(
            noisy,
            times,
            text,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample

    return noise_loss(latents, predict)


def load_controlled(root: Path, control: str) -> StableDiffusionControlNetPipeline:
    """Stock diffusers' ControlNet pipeline over the folders under ``root``, in float32."""
    base = load_pipeline(root / "text-to-image")
    controlnet = ControlNetModel.from_pretrained(root / f"controlnet-{control}")
    pipe = StableDiffusionControlNetPipeline(
        **base.components, controlnet=controlnet, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe

"""Attention at full resolution that reads another frame: what makes Text2Video-Zero carry appearance.

In Stable Diffusion the layers in which pixels look at pixels stand at the full resolution of its latents too,
and there the first frame's keys and values (arXiv 2303.13439, Sect. 3.3.2) hold a video together. The
miniature learns without them first, which is cheap, then grows them, and learns to use them on frames of one
clip.
"""

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor
from torch import nn

from miniature.diffusion import copy_matching, noise_losses
from miniature.shapes import KNOWN_RATE, SEEING_UNET, UNET

GROWN = ("unet.down_blocks.0.attentions.", "unet.up_blocks.2.attentions.")  # among a family's parts
GROWING = ("down_block_types", "up_block_types", "attention_head_dim")


def grow_attention(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """A copy of the UNet with attention at its full resolution, which draws what the UNet draws.

    Layers that it did not have end in zeros, so that they add nothing yet; those it had are as they were.
    """
    grown = UNet2DConditionModel.from_config({**unet.config, **{name: SEEING_UNET[name] for name in GROWING}})
    known = set(copy_matching(unet, grown))
    with torch.no_grad():
        for name, tensor in grown.state_dict().items():
            if name not in known and ".proj_out." in name:
                tensor.zero_()
    return grown


def without_grown(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """A copy of a grown UNet in the shape of before: what else it learned, for what the old one costs."""
    plain = UNet2DConditionModel.from_config({**unet.config, **{name: UNET[name] for name in GROWING}})
    copy_matching(unet, plain)
    return plain


def rate(name: str) -> float:
    """Of the parts' parameters: what was grown learns quickly, the rest slowly."""
    return 1.0 if name.startswith(GROWN) else KNOWN_RATE


class Beside:
    """Attention processor of the layers in which pixels look at pixels: they may look at another row's.

    rows: row numbers (b), the row whose keys and values each row reads; None: its own.
    """

    def __init__(self) -> None:
        self.rows: torch.Tensor | None = None
        self.plain = AttnProcessor()

    def __call__(
        self, attn: Attention, hidden_states: torch.Tensor, encoder_hidden_states: None = None, **rest: None
    ) -> torch.Tensor:
        """hidden_states: (b, l, c), to the same shape."""
        read = hidden_states if self.rows is None else hidden_states[self.rows]
        return self.plain(attn, hidden_states, read, **rest)


def look_beside(unet: UNet2DConditionModel) -> Beside:
    """Let all self-attention of a UNet read the rows that the result names; its other attention stays."""
    beside = Beside()
    for name, layer in unet.named_modules():
        if name.endswith("attn1"):
            layer.processor = beside
    return beside


def paired(singles: int, pairs: int) -> torch.Tensor:
    """Row numbers (singles + 2 pairs) that rows look at: singles and the pairs' first frames at themselves,
    the second frames, which come last, at their firsts."""
    return torch.cat([torch.arange(singles + pairs), singles + torch.arange(pairs)])


def pair_losses(
    parts: nn.ModuleDict, beside: Beside, latents: torch.Tensor, ids: torch.Tensor, rows: torch.Tensor
) -> torch.Tensor:
    """Each row's weighted error (b) of the noise predicted for scaled latents (b, 4, h, w).

    ``ids``: captions (b, l). ``rows`` (b): the row that each looks at (``paired``), and shares time and some
    noise with. ``beside`` belongs to ``parts["unet"]``. The text encoder comes frozen: the editor shares it.
    """

    def predict(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            text = parts["text_encoder"](ids).last_hidden_state
        return parts["unet"](noisy, times, text).sample

    beside.rows = rows
    try:
        return noise_losses(latents, predict, beside=rows)
    finally:
        beside.rows = None

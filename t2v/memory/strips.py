"""A VAE that computes its widest layers in strips of rows: less memory, the same picture.

diffusers' tiles cut the picture itself, so that each tile is normed by its own brightness and seams have to
be blended over. Here every layer still sees the whole: the norms' means are those of all rows, and a
convolution gets the row above and below its strip.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D

NORMED_AS_THEY_ARE = ("default", "group")  # blocks of diffusers', where they are told no time
STRIP_NUMBERS = 2**22  # of a layer's numbers at once; a convolution's workspace is a few times that


def compute_in_strips(vae: torch.nn.Module, enabled: bool) -> None:
    """Let a VAE compute in strips from now on, or as it was made. Other kinds of layers stay as they are."""
    for layer in vae.modules():
        way = _way(layer)
        if way is not None:
            layer.__dict__.pop("forward", None)
            if enabled:
                layer.__dict__["forward"] = partial(way, layer)


def _way(layer: torch.nn.Module) -> Callable[..., torch.Tensor] | None:
    """How a layer is computed in strips; None for one that is not."""
    if type(layer) is ResnetBlock2D:
        plain = layer.time_emb_proj is None and layer.upsample is None and layer.downsample is None
        norms = (type(layer.norm1), type(layer.norm2)) == (torch.nn.GroupNorm, torch.nn.GroupNorm)
        return _resnet if plain and norms and layer.time_embedding_norm in NORMED_AS_THEY_ARE else None
    if type(layer) is Upsample2D:
        return _upsample if layer.use_conv and not layer.use_conv_transpose and layer.norm is None else None
    return None


def _resnet(block: Any, given: torch.Tensor, temb: torch.Tensor | None = None) -> torch.Tensor:
    """As ``ResnetBlock2D.forward`` without a time: (n c h w) to (n c' h w)."""
    hidden = _normed(block.norm1, block.nonlinearity, block.conv1, given)
    hidden = _normed(block.norm2, block.nonlinearity, block.conv2, hidden)
    for rows in _strips(given):
        shortcut = given[:, :, rows]
        hidden[:, :, rows] += shortcut if block.conv_shortcut is None else block.conv_shortcut(shortcut)
    return hidden.div_(block.output_scale_factor)


def _normed(norm: torch.nn.GroupNorm, act: Any, conv: Any, given: torch.Tensor) -> torch.Tensor:
    """conv(act(norm(given))), all rows normed by the same means; (n c h w)."""
    scale, shift = _scale_and_shift(norm, given)

    def strip(rows: slice) -> torch.Tensor:
        normed = torch.addcmul(shift, given[:, :, rows].float(), scale)
        return act(normed.to(given.dtype))

    return _convolved(conv, given, strip)


def _upsample(layer: Any, given: torch.Tensor, output_size: Any = None) -> torch.Tensor:
    """As ``Upsample2D.forward``: (n c h w) to (n c' 2h 2w)."""
    conv = layer.conv if layer.name == "conv" else layer.Conv2d_0
    if output_size is not None:
        return conv(F.interpolate(given, size=output_size, mode="nearest"))
    return _convolved(conv, given, lambda rows: F.interpolate(given[:, :, rows], scale_factor=2.0), 2)


def _convolved(
    conv: Any, given: torch.Tensor, strip: Callable[[slice], torch.Tensor], times: int = 1
) -> torch.Tensor:
    """What a 3x3 convolution makes of all strips together. strip: made of these rows, ``times`` as large."""
    n, _, height, width = given.shape
    made = None
    for rows in _strips(given, times):
        around = slice(max(rows.start - 1, 0), min(rows.stop + 1, height))
        found = conv(strip(around))
        if made is None:  # laid out as the convolution lays it out
            channels_last = found.is_contiguous(memory_format=torch.channels_last)
            layout = torch.channels_last if channels_last else torch.contiguous_format
            shape = (n, found.shape[1], times * height, times * width)
            made = torch.empty(shape, dtype=found.dtype, device=found.device, memory_format=layout)
        skip = times * (rows.start - around.start)
        count = times * (rows.stop - rows.start)
        made[:, :, times * rows.start : times * rows.stop] = found[:, :, skip : skip + count]
    assert made is not None
    return made


def _strips(given: torch.Tensor, times: int = 1) -> list[slice]:
    """The rows of each strip."""
    n, channels, height, width = given.shape
    rows = max(1, STRIP_NUMBERS // (n * channels * width * times * times))
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]


def _scale_and_shift(norm: torch.nn.GroupNorm, given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What a group norm multiplies each channel by and adds to it, (n c 1 1) float32, by all rows' means."""
    n, channels = given.shape[:2]
    means, squares = [], []  # of each channel, strip by strip
    counts = [rows.stop - rows.start for rows in _strips(given)]
    for rows in _strips(given):
        strip = given[:, :, rows].float()
        variance, mean = torch.var_mean(strip, dim=(2, 3), correction=0)
        means.append(mean)
        squares.append(variance)
    share = torch.tensor(counts, dtype=torch.float32, device=given.device)[:, None, None] / sum(counts)
    stacked = torch.stack(means).view(len(counts), n, norm.num_groups, -1)
    spread = torch.stack(squares).view(len(counts), n, norm.num_groups, -1)
    share = share[..., None]
    mean = (share * stacked).sum(0).mean(-1, keepdim=True)  # of each group; its channels are of one size
    variance = (share * (spread + (stacked - mean).square())).sum(0).mean(-1, keepdim=True)
    deviation = (variance + norm.eps).sqrt()
    weight, bias = (_own(one, given).view(1, norm.num_groups, -1) for one in (norm.weight, norm.bias))
    scale = weight / deviation
    shift = bias - mean * scale
    return scale.reshape(n, channels, 1, 1), shift.reshape(n, channels, 1, 1)


def _own(parameter: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
    """A norm's weights beside what they are applied to: where they are offloaded, they wait elsewhere."""
    return parameter.detach().to(given.device, torch.float32)

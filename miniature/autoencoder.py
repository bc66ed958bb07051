"""The autoencoder: pictures to latents an eighth as large, and back."""

import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from torch import nn

from miniature.fit import low_precision
from miniature.shapes import AUTOENCODER, REDUCTION

LATENT_NOISE = 0.01  # so that the decoder forgives the small errors of a sampler
SLOPE = 4.0  # RGB in 0..1 becomes latents in -2..2 at the start


def build_autoencoder() -> AutoencoderTiny:
    """An autoencoder that already works, coarsely: it averages 2×2 pixels three times and enlarges again.

    Started at random, most of a short training goes into finding colours. Here red, green and blue run
    through the first three channels, and each block adds nothing until it has learned something.
    """
    model = AutoencoderTiny(**AUTOENCODER)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    module.bias.zero_()
        for module in model.modules():
            if type(module).__name__ == "AutoencoderTinyBlock":
                module.conv[-1].weight.zero_()
        _start_encoder(model.encoder.layers)
        _start_decoder(model.decoder.layers)
    return model


@torch.no_grad()
def carry_blocks(old: AutoencoderTiny, new: AutoencoderTiny) -> None:
    """Give a fresh ``new`` the layers of ``old``, which may have fewer blocks at some resolutions.

    The blocks it has beyond those add nothing yet (``build_autoencoder``), so both draw the same pictures.
    Both need one width.
    """
    for ours, theirs in ((old.encoder, new.encoder), (old.decoder, new.decoder)):
        before, after = _by_resolution(ours.layers), _by_resolution(theirs.layers)
        for known, grown in zip(before, after, strict=True):
            for layer, target in zip(known, grown, strict=False):
                target.load_state_dict(layer.state_dict())
    new.register_to_config(scaling_factor=old.config.scaling_factor)


def _by_resolution(layers: nn.Sequential) -> list[list[nn.Module]]:
    """The layers in groups: a run of blocks, or a single other layer between two (possibly empty) runs."""
    groups: list[list[nn.Module]] = [[]]
    for layer in layers:
        if type(layer).__name__ == "AutoencoderTinyBlock":
            groups[-1].append(layer)
        else:
            groups += [[layer], []]
    return groups


def _pass_colours(conv: nn.Conv2d, kernel: torch.Tensor) -> None:
    """Make the first three outputs the first three inputs, seen through a 3×3 kernel."""
    conv.weight[:3] = 0
    for channel in range(3):
        conv.weight[channel, channel] = kernel


def _kernel(box: bool) -> torch.Tensor:
    kernel = torch.zeros(3, 3)
    if box:
        kernel[1:, 1:] = 0.25  # with stride 2 and padding 1: exactly the 2×2 pixels of each cell
    else:
        kernel[1, 1] = 1
    return kernel


def _start_encoder(layers: nn.Sequential) -> None:
    convs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    for conv in convs:
        _pass_colours(conv, _kernel(box=conv.stride == (2, 2)))
    convs[-1].weight[:3] *= SLOPE
    convs[-1].bias[:3] = -SLOPE / 2
    convs[-1].weight[3] *= 2  # about as wide as the colours' latents


def _start_decoder(layers: nn.Sequential) -> None:
    convs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    for conv in convs:
        _pass_colours(conv, _kernel(box=False))
    # The decoder squashes its input by 3·tanh(x/3): a slightly smaller slope makes up for it.
    convs[0].weight[:3] /= SLOPE - 0.5
    convs[0].bias[:3] = 0.5


def encode(model: AutoencoderTiny, pictures: torch.Tensor) -> torch.Tensor:
    """Unscaled latents, float32 (b, 4, h/8, w/8), of pictures (b, 3, h, w) in -1..1."""
    layers = model.encoder.layers
    with low_precision(pictures.device):
        features = layers[:-1](pictures.add(1).div(2).contiguous(memory_format=torch.channels_last))
    return layers[-1](features.float())  # bfloat16 would round the latents to 1/128 of their range


def decode(model: AutoencoderTiny, latents: torch.Tensor) -> torch.Tensor:
    """Pictures, float32 (b, 3, 8h, 8w) about -1..1, of unscaled latents (b, 4, h, w)."""
    with low_precision(latents.device):
        return model.decode(latents.contiguous(memory_format=torch.channels_last)).sample.float()


def autoencoder_loss(model: AutoencoderTiny, pictures: torch.Tensor) -> torch.Tensor:
    """How far the reconstruction of pictures (b, 3, h, w) in -1..1 is off: values, edges and mean colours."""
    latents = encode(model, pictures)
    made = decode(model, latents + LATENT_NOISE * torch.randn_like(latents))
    error = made - pictures
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    colours = F.avg_pool2d(error, REDUCTION).square().mean()
    return 0.5 * error.abs().mean() + error.square().mean() + 0.25 * edges + 2 * colours


@torch.no_grad()
def measure_autoencoder(model: AutoencoderTiny, pictures: torch.Tensor) -> dict[str, float]:
    """Mean absolute error (of 255) and PSNR (dB) over pictures (b, 3, h, w) in -1..1, rounded to 8 bits."""
    errors = []
    for batch in pictures.split(8):
        made = decode(model, encode(model, batch)).clamp(-1, 1)
        errors.append(((made + 1) * 127.5).round() - (batch + 1) * 127.5)
    error = torch.cat(errors)
    psnr = 10 * torch.log10(255**2 / error.square().mean((1, 2, 3))).mean()
    return {"mean_absolute_error": error.abs().mean().item(), "psnr_db": psnr.item()}


@torch.no_grad()
def fit_scaling(model: AutoencoderTiny, pictures: torch.Tensor) -> float:
    """Set and return the ``scaling_factor`` at which latents of pictures (b, 3, h, w) have unit deviation."""
    latents = torch.cat([encode(model, batch) for batch in pictures.split(16)])
    factor = 1 / latents.std().item()
    model.register_to_config(scaling_factor=factor)
    return factor


@torch.no_grad()
def preview_matrix(model: AutoencoderTiny, pictures: torch.Tensor) -> list[list[float]]:
    """The linear map from scaled latents to colours, by least squares: four rows of RGB and a row of offsets.

    ``latents @ rows[:4] + rows[4]`` is roughly the picture at an eighth of its size, in -1..1.
    """
    latents = torch.cat([encode(model, batch) for batch in pictures.split(16)]) * model.config.scaling_factor
    inputs = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
    inputs = torch.cat([inputs, torch.ones_like(inputs[:, :1])], dim=1)
    colours = F.avg_pool2d(pictures, REDUCTION).permute(0, 2, 3, 1).reshape(-1, 3)
    return torch.linalg.lstsq(inputs, colours).solution.tolist()

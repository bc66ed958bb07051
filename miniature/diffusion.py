"""What all models grown from the UNet share: the loss on predicted noise, freezing, and copying."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler
from torch import nn

from miniature.fit import low_precision
from miniature.shapes import SCHEDULE

SNR_LIMIT = 5.0  # "min-SNR-γ" (Hang et al., arXiv 2303.09556): no noise level outweighs the others
AREA_CELLS, AREA_LIMIT = 4, 25.0  # side of the areas whose mean colours are watched, and their largest weight


def noise_loss(
    latents: torch.Tensor,
    predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    known: torch.Tensor | None = None,
) -> torch.Tensor:
    """Weighted mean error of the noise predicted for scaled latents (b, 4, h, w).

    ``predict(noisy, times)`` gets noisy latents (b, 4, h, w) and their times (b), 0..999, and gives the noise
    (b, 4, h, w); it runs in the device's low precision. ``known``, bool (b): rows whose picture can be told
    from elsewhere even under the strongest noise. There the colours of whole areas are watched too: under
    strong noise a small error of the noise is a large one of the picture, and all later steps keep it.
    """
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
        predicted = predict(noisy, times)
    error = predicted.float() - noise
    snr = (alpha / (1 - alpha)).flatten()
    loss = error.square().mean((1, 2, 3)) * snr.clamp(max=SNR_LIMIT) / snr
    if known is not None:
        areas = F.avg_pool2d(error, min(AREA_CELLS, *error.shape[2:]))
        loss = loss + known * areas.square().mean((1, 2, 3)) * (1 / snr).clamp(max=AREA_LIMIT)
    return loss.mean()


def freeze(*models: nn.Module) -> None:
    """Make models fixed parts of another's loss: evaluation mode, no gradients for their parameters."""
    for model in models:
        model.eval().requires_grad_(False)


@torch.no_grad()
def copy_matching(source: nn.Module, target: nn.Module) -> list[str]:
    """Copy what both models have under one name and in one shape; returns those names."""
    own = target.state_dict()
    names = [
        name
        for name, tensor in source.state_dict().items()
        if name in own and own[name].shape == tensor.shape
    ]
    for name in names:
        own[name].copy_(source.state_dict()[name])
    return names

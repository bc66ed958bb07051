"""What all models grown from the UNet share: the loss on predicted noise, freezing, and copying."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler
from torch import nn

from miniature.fit import low_precision
from miniature.shapes import SCHEDULE

SNR_LIMIT = 5.0  # "min-SNR-γ" (Hang et al., arXiv 2303.09556): no noise level outweighs the others
AREA_CELLS, AREA_LIMIT = 4, 150.0  # side of the areas whose colours are watched, and their largest weight
FIRST_TIMES = 900  # samplers begin at such a time or later


def noise_loss(
    latents: torch.Tensor,
    predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    known: torch.Tensor | None = None,
    kept: torch.Tensor | None = None,
) -> torch.Tensor:
    """The mean of ``noise_losses``, which see."""
    return noise_losses(latents, predict, known, kept).mean()


def noise_losses(
    latents: torch.Tensor,
    predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    known: torch.Tensor | None = None,
    kept: torch.Tensor | None = None,
    beside: torch.Tensor | None = None,
) -> torch.Tensor:
    """Each row's weighted error (b) of the noise predicted for scaled latents (b, 4, h, w).

    ``predict(noisy, times)`` gets noisy latents (b, 4, h, w) and their times (b), 0..999, and gives the noise
    (b, 4, h, w); it runs in the device's low precision. ``known``, bool (b): rows whose picture can be told
    from elsewhere even under the strongest noise. There the colours of whole areas are watched too: under
    strong noise a small error of the noise is a large one of the picture, and all later steps keep it. And
    their noise is what samplers go on with (``_sampled_noise``), lest they are drawn too pale.

    ``kept``, bool (b, 1, h, w): cells that are known exactly. They come as the model itself would have drawn
    them until then (``_drawn_so_far``), and are to be put right: samplers keep early errors otherwise.

    ``beside``, row numbers (b): rows are drawn together with these, at their times and with some of their
    noise, as frames of a video are; those drawn alone name themselves.
    """
    device = latents.device
    alphas = DDIMScheduler(**SCHEDULE).alphas_cumprod.to(device)
    count = len(latents)
    times, noise = _spread_times(count, len(alphas), device), torch.randn_like(latents)
    if beside is not None:
        times = times[torch.randperm(count, device=device)][beside]  # shuffled: rows of one kind lie together
        noise = _shared_noise(noise, beside)
    alpha = alphas[times].view(-1, 1, 1, 1)
    if known is not None:
        noise = torch.where(known.view(-1, 1, 1, 1), _sampled_noise(latents, noise, times, alphas), noise)
    noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise
    if kept is not None:
        drawn = _drawn_so_far(latents, noise, times, alphas, predict)
        share = (2 * torch.rand(count, 1, 1, 1, device=device)).clamp(max=1)
        noisy = torch.where(kept, noisy + share * (drawn - noisy), noisy)
        noise = (noisy - alpha.sqrt() * latents) / (1 - alpha).sqrt()
    with low_precision(device):
        predicted = predict(noisy, times)
    error = predicted.float() - noise
    snr = (alpha / (1 - alpha)).flatten()
    loss = error.square().mean((1, 2, 3)) * snr.clamp(max=SNR_LIMIT) / snr
    if known is not None:
        areas = F.avg_pool2d(error, min(AREA_CELLS, *error.shape[2:]))
        loss = loss + known * areas.square().mean((1, 2, 3)) * (1 / snr).clamp(max=AREA_LIMIT)
    return loss


def _spread_times(count: int, levels: int, device: torch.device) -> torch.Tensor:
    """One time from each of ``count`` equal slices: a batch sees all noise levels, its loss is steadier."""
    slices = (torch.arange(count, device=device) + torch.rand(count, device=device)) / count
    return (slices * levels).long().clamp(max=levels - 1)


def _shared_noise(noise: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
    """Noise (b, 4, h, w) of which rows share some, anything from nothing to all, with the rows ``beside``."""
    own = torch.rand(len(noise), 1, 1, 1, device=noise.device)
    mixed = (1 - own).sqrt() * noise[beside] + own.sqrt() * noise
    alone = beside == torch.arange(len(beside), device=beside.device)
    return torch.where(alone.view(-1, 1, 1, 1), noise, mixed)


def _sampled_noise(
    latents: torch.Tensor, noise: torch.Tensor, times: torch.Tensor, alphas: torch.Tensor
) -> torch.Tensor:
    """The noise in a sampler's latents at ``times`` if it drew ``latents`` (b, 4, h, w) from ``noise``.

    On this schedule the noisiest picture is not all noise (Lin et al., arXiv 2305.08891), but samplers begin
    with nothing else. So at the first time T the noise of what shall become the picture x is
    (noise - sqrt(ᾱ_T) x) / sqrt(1 - ᾱ_T), and an ideal DDIM keeps it to the end. Half of the rows get
    it so, the others with a part of the picture in the beginning, as samplers that add noise have it later.
    """
    count, device = len(latents), latents.device
    first = torch.randint(FIRST_TIMES, len(alphas), (count,), device=device).maximum(times)
    alpha = alphas[first].view(-1, 1, 1, 1)
    missing = (2 * torch.rand(count, 1, 1, 1, device=device)).clamp(max=1)
    return (noise - missing * alpha.sqrt() * latents) / (1 - alpha).sqrt()


@torch.no_grad()
def _drawn_so_far(
    latents: torch.Tensor,
    noise: torch.Tensor,
    times: torch.Tensor,
    alphas: torch.Tensor,
    predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Noisy latents (b, 4, h, w) at ``times`` (b) after a step of the model's own from an earlier time.

    Of DDIM, or one that puts new noise in place of some, as ancestral samplers do.
    """
    ahead = torch.rand(len(times), device=times.device).square() * (len(alphas) - 1 - times)
    earlier = times + ahead.long()
    before, after = (alphas[each].view(-1, 1, 1, 1) for each in (earlier, times))
    noisy = before.sqrt() * latents + (1 - before).sqrt() * noise
    with low_precision(latents.device):
        predicted = predict(noisy, earlier)
    predicted = predicted.float()
    clean = (noisy - (1 - before).sqrt() * predicted) / before.sqrt()
    renewed = (2 * torch.rand_like(before) - 1).clamp(min=0)  # share of the noise, in half of the rows
    noise = (1 - renewed).sqrt() * predicted + renewed.sqrt() * torch.randn_like(noise)
    return after.sqrt() * clean + (1 - after).sqrt() * noise


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

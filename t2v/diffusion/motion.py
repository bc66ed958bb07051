"""Motion in the latents: the motion field, the warp, and the way back up in time (paper, Sect. 3.3.1).

A motion field here is one global translation per frame, in pixels of the output. Positive x moves the
picture to the right, positive y downwards. The original's strengths have the opposite sign: it adds the
flow to the place a cell is sampled from.
"""

import math

import torch
import torch.nn.functional as F

from t2v.diffusion.options import PAPER, KnownTimes


def motion_field(num_frames: int, x: float, y: float) -> torch.Tensor:
    """Translations delta^k = k * (x, y) for k = 0..num_frames-1: (f, 2), output pixels (Eq. 7)."""
    k = torch.arange(num_frames, dtype=torch.float32)
    return k[:, None] * torch.tensor([x, y], dtype=torch.float32)


def warp(latents: torch.Tensor, field_px: torch.Tensor, cell_px: int, mode: str = "subcell") -> torch.Tensor:
    """Move each latent by its translation; what leaves the frame is filled by mirroring.

    latents: (f, c, h, w). field_px: (f, 2), (x, y) in output pixels. cell_px: output pixels per latent
    cell. mode "subcell" shifts by phase, exact between cells and keeping white noise white (bilinear
    sampling would smooth the noise away and the picture with it); "whole-cell" rounds each frame's
    translation once; "reference" is diffusers' nearest sampling of a field laid out for 512x512.
    """
    if mode == "reference":
        return _warp_reference(latents, field_px)
    shift = field_px / cell_px
    if mode == "whole-cell":
        shift = torch.round(shift)
    if bool((shift == torch.round(shift)).all()):
        return shifted(latents, shift.to(torch.int64))
    return _shift_phase(latents, shift)


def _mirror_index(size: int, shift: int) -> torch.Tensor:
    """Where each of ``size`` cells comes from after a shift, with mirroring at both edges."""
    source = torch.remainder(torch.arange(size) - shift, 2 * size)
    return torch.where(source < size, source, 2 * size - 1 - source)


def shifted(latents: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Latents (f c h w) moved by whole cells, (f, 2) of (x, y), with mirroring at the edges."""
    height, width = latents.shape[-2:]
    moved = []
    for frame, (dx, dy) in zip(latents, shift.tolist(), strict=True):
        rows, columns = _mirror_index(height, dy).to(frame.device), _mirror_index(width, dx).to(frame.device)
        moved.append(frame[:, rows][:, :, columns])
    return torch.stack(moved)


def _shift_phase(latents: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Fourier shift theorem on the mirrored (2h, 2w) plane, which is periodic by construction.

    On the CPU, as it is little work and then comes out the same on every device.
    """
    height, width = latents.shape[-2:]
    plane = latents.cpu().float()
    plane = torch.cat([plane, plane.flip(-1)], dim=-1)
    plane = torch.cat([plane, plane.flip(-2)], dim=-2)
    fy = torch.fft.fftfreq(2 * height)[None, :, None] * shift[:, 1, None, None]
    fx = torch.fft.rfftfreq(2 * width)[None, None, :] * shift[:, 0, None, None]
    phase = torch.exp(-2j * math.pi * (fx + fy))[:, None]
    moved = torch.fft.irfft2(torch.fft.rfft2(plane) * phase, s=plane.shape[-2:])
    return moved[..., :height, :width].to(latents)


def _warp_reference(latents: torch.Tensor, field_px: torch.Tensor) -> torch.Tensor:
    """The references' warp, kept for comparison: a 512x512 field, corner-based grid, nearest sampling."""
    size = 512
    rows = torch.arange(size, dtype=latents.dtype, device=latents.device)
    grid = torch.stack(torch.meshgrid(rows, rows, indexing="xy"))
    places = (grid[None] - field_px.to(latents)[:, :, None, None]) / size * 2.0 - 1.0
    places = F.interpolate(places, size=latents.shape[-2:], mode="bilinear").permute(0, 2, 3, 1)
    return F.grid_sample(latents, places, mode="nearest", padding_mode="reflection", align_corners=False)


def alpha_ratio(alpha_bar_t1: float, alpha_bar_t0: float) -> float:
    """abar_T / abar_T', the share of the signal that is left on the way from T' up to T.

    The references multiply alphas[T':T], which is one factor early (0.53106 for 0.53053 at the paper's
    times); a test pins both. Where T = T' nothing is lost, also in pure noise (abar = 0).
    """
    return 1.0 if alpha_bar_t1 == alpha_bar_t0 else alpha_bar_t1 / alpha_bar_t0


def noise_to(latents: torch.Tensor, ratio: float, noise: torch.Tensor) -> torch.Tensor:
    """DDPM forward from T' to T: sqrt(ratio) x + sqrt(1 - ratio) noise, in any shape (Eq. 5)."""
    return math.sqrt(ratio) * latents + math.sqrt(max(0.0, 1.0 - ratio)) * noise


def default_times(
    alphas_cumprod: torch.Tensor, latent_height: int, latent_width: int, known: KnownTimes = PAPER
) -> tuple[int, int]:
    """T' and T for latents of this size: the known times, moved to where the same layout is decided.

    Fewer cells carry the same picture with less tolerance for noise: the signal at a given time is worth
    that of larger latents at a log-SNR lower by twice the logarithm of the sides' ratio. Never later than
    the paper's times.
    """
    log_snr = torch.log(alphas_cumprod) - torch.log1p(-alphas_cumprod)
    rise = 2.0 * math.log(known.side / math.sqrt(latent_height * latent_width))

    def moved(time: int, latest: int) -> int:
        return min(latest, int((log_snr - (log_snr[time] + rise)).abs().argmin()))

    return moved(known.t0, PAPER.t0), moved(known.t1, PAPER.t1)

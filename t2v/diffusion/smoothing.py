"""Background smoothing (paper, Sect. 3.3.3): what is not the subject keeps to the first frame, moved."""

import numpy as np
import torch

from t2v.diffusion.motion import warp


def smoothed(
    latents: torch.Tensor,
    first: torch.Tensor,
    field_px: torch.Tensor,
    mask: np.ndarray,
    alpha: float,
    cell_px: int,
) -> torch.Tensor:
    """M x + (1 - M) (alpha x_first + (1 - alpha) x) for frames at T, (f c h w) (Eq. 9).

    first: x_T^1, (1 c h w), and mask: of its subject, (h, w) bool; both are moved by field_px, (f, 2) pixels.
    alpha: 0..1, the paper's is 0.6.
    """
    moved = warp(first.expand(len(latents), -1, -1, -1), field_px, cell_px)
    plain = torch.from_numpy(mask).to(latents)[None, None].expand(len(latents), 1, -1, -1)
    subject = warp(plain, field_px, cell_px, "whole-cell")
    return subject * latents + (1 - subject) * (alpha * moved + (1 - alpha) * latents)

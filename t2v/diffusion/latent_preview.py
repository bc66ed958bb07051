"""A quick picture of latents: one small matrix instead of the decoder."""

from collections.abc import Sequence

import numpy as np
import torch
from einops import rearrange


def preview(latents: torch.Tensor, matrix: Sequence[Sequence[float]]) -> np.ndarray:
    """Latents (1 f 4 h w) as uint8 RGB (f, h, w, 3).

    matrix: four rows and a bias row, latents @ matrix[:4] + matrix[4] in -1..1.
    """
    rows = torch.tensor(matrix, dtype=torch.float32)
    pixels = rearrange(latents[0].float().cpu(), "f c h w -> f h w c") @ rows[:4] + rows[4]
    return ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).numpy()

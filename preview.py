"""A quick picture of latents: one small matrix instead of the decoder."""

import numpy as np
import torch
from einops import rearrange

# Stable Diffusion's four latent channels as RGB in -1..1, and no bias: the linear fit its users know
STABLE_DIFFUSION_RGB = (
    (0.3512, 0.2297, 0.3227),
    (0.3250, 0.4974, 0.2350),
    (-0.2829, 0.1762, 0.2721),
    (-0.2120, -0.2616, -0.7177),
    (0.0, 0.0, 0.0),
)


def preview(latents: torch.Tensor, matrix: tuple[tuple[float, ...], ...] = ()) -> np.ndarray:
    """Latents (1 f 4 h w) as uint8 RGB (f, h, w, 3).

    matrix: four rows and a bias row, latents @ matrix[:4] + matrix[4] in -1..1; none for Stable Diffusion's.
    """
    rows = torch.tensor(matrix or STABLE_DIFFUSION_RGB, dtype=torch.float32)
    pixels = rearrange(latents[0].float().cpu(), "f c h w -> f h w c") @ rows[:4] + rows[4]
    return ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).numpy()

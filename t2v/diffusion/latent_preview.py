"""A quick picture of latents: by one small matrix, or by a VAE of a few layers, instead of the decoder."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch.nn.functional import interpolate

from t2v.diffusion.pictures import decoded_frame, in_bytes

MOST_PX = 256  # the longer side of what a VAE decodes for a preview


def preview(latents: torch.Tensor, matrix: Sequence[Sequence[float]]) -> np.ndarray:
    """Latents (1 f 4 h w) as uint8 RGB (f, h, w, 3).

    matrix: four rows and a bias row, latents @ matrix[:4] + matrix[4] in -1..1.
    """
    rows = torch.tensor(matrix, dtype=torch.float32)
    pixels = rearrange(latents[0].float().cpu(), "f c h w -> f h w c") @ rows[:4] + rows[4]
    return in_bytes(pixels).numpy()


@torch.inference_mode()
def decoded_preview(vae: Any, latents: torch.Tensor, device: torch.device) -> np.ndarray:
    """Latents (1 f c h w), scaled as a UNet has them, as a VAE decodes them: uint8 RGB (f, h, w, 3).

    At most MOST_PX a side: what is larger is made smaller. One frame after the other, in the memory of one.
    device: where the VAE computes.
    """
    frames = [in_bytes(_small(decoded_frame(vae, frame, device))) for frame in latents[0]]
    return rearrange(torch.stack(frames), "f c h w -> f h w c").cpu().numpy()


def _small(picture: torch.Tensor) -> torch.Tensor:
    """A picture (3 h w), its pixels averaged where it has too many."""
    scale = MOST_PX / max(picture.shape[1:])
    if scale >= 1:
        return picture
    size = [max(1, round(side * scale)) for side in picture.shape[1:]]
    return interpolate(picture.clamp(-1, 1)[None], size, mode="area")[0]

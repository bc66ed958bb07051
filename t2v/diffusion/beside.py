"""What a network is told beside its text."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from einops import rearrange, repeat


@dataclass(frozen=True, eq=False)
class Beside:
    """What Stable Diffusion XL is told beside its text (arXiv 2307.01952, Sect. 2.2).

    pooled: each text as a whole, (b e), or (b f e) where frames are told different things. cell_px: output
    pixels per latent cell, as the picture's size and what was cut off of it are told in pixels.
    """

    pooled: torch.Tensor
    cell_px: int

    def rows(self, frames: slice, latents: torch.Tensor, first_text: bool) -> dict[str, torch.Tensor]:
        """As its networks take it, ((b f) e) and ((b f) 6), where the latents (f c h w) of the frames are.

        first_text: whether all are told what the first frame is.
        """
        count, pooled = len(latents), self.pooled.to(latents.device)
        if pooled.ndim == 3 and not first_text:
            pooled = rearrange(pooled[:, frames], "b f e -> (b f) e")
        else:
            pooled = repeat(pooled[:, 0] if pooled.ndim == 3 else pooled, "b e -> (b f) e", f=count)
        height, width = (side * self.cell_px for side in latents.shape[-2:])
        whole = _numbers((height, width, 0, 0, height, width), pooled.dtype, pooled.device)
        return {"text_embeds": pooled, "time_ids": whole.expand(len(pooled), -1)}


@lru_cache(maxsize=8)
def _numbers(values: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Kept on the device: brought there anew for each call, Python would wait for it."""
    return torch.tensor(values, dtype=dtype, device=device)

"""Latents of trained video models made frames, one at a time, as diffusers' pipelines decode them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from einops import rearrange

from t2v.diffusion import pictures
from t2v.diffusion.pictures import Tell, check_numbers
from t2v.memory.memory import Memory

Decoder = Callable[[Any, torch.Tensor, Memory, Tell], Iterator[np.ndarray]]


def _modelscope(own: Any, latents: torch.Tensor, memory: Memory, tell: Tell) -> Iterator[np.ndarray]:
    """Each frame by itself, as it has a picture's VAE."""
    return pictures.decode(own.vae, latents[0], tell, memory)


def _cogvideox(own: Any, latents: torch.Tensor, memory: Memory, tell: Tell) -> Iterator[np.ndarray]:
    """Of 1.5's kind latent frames are drawn in pairs; what was put before an odd number goes again."""
    together = own.transformer.config.patch_size_t
    padded = 0 if together is None else 1 - latents.shape[1] % 2
    scaled = rearrange(latents[:, padded:], "b f c h w -> b c f h w") / own.vae.config.scaling_factor
    return _whole(own.vae, scaled, memory)


def _wan(own: Any, latents: torch.Tensor, memory: Memory, tell: Tell) -> Iterator[np.ndarray]:
    """Its latents are brought to one mean and spread, each channel by itself."""
    config = own.vae.config
    mean, spread = (
        torch.tensor(values, dtype=latents.dtype, device=latents.device)[:, None, None, None]
        for values in (config.latents_mean, config.latents_std)
    )
    return _whole(own.vae, rearrange(latents, "b f c h w -> b c f h w") * spread + mean, memory)


def _whole(vae: Any, latents: torch.Tensor, memory: Memory) -> Iterator[np.ndarray]:
    """Frames of latents (1 c f h w), which such a VAE decodes together, as it looks back in time."""

    @torch.no_grad()
    def decoded() -> torch.Tensor:
        given = latents.to(memory.device, vae.dtype)
        clip: torch.Tensor = vae.decode(given, return_dict=False)[0]
        return clip.cpu()

    clip = check_numbers(memory.keep_going(decoded), vae.dtype)
    for frame in clip[0].unbind(1):
        shown = ((frame.float() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
        yield rearrange(shown, "c h w -> h w c").numpy()


DECODERS: Mapping[str, Decoder] = {  # by the class of diffusers' pipeline
    "TextToVideoSDPipeline": _modelscope,
    "CogVideoXPipeline": _cogvideox,
    "WanPipeline": _wan,
}

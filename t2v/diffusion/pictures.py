"""Between pictures and latents: the VAE's two ways, and the check that what networks gave are numbers.

In half precision some VAEs pass the largest number there is (65504) on their way, and some UNets too; what
comes of it is a black picture. A VAE is then used in float32, as its weights are the same there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from einops import rearrange

from t2v.checks import InputError
from t2v.memory.memory import Memory
from t2v.memory.placing import widen

Tell = Callable[[str], object]
WIDE = torch.float32


class NoNumbers(InputError):
    """What the networks of a run give is no number (NaN); the sentence says in which precision."""


def check_numbers(latents: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The latents of a run that has ended; NoNumbers where they are not all finite. dtype: of the UNet."""
    if bool(latents.isfinite().all()):
        return latents
    if dtype == WIDE:
        raise NoNumbers(
            "the model's networks give no numbers (NaN) in float32, so their weights are broken; fetch the "
            "model again, or choose another model, LoRA or ControlNet."
        )
    others = "float32" if dtype == torch.bfloat16 else "bfloat16 or float32"
    name = str(dtype).removeprefix("torch.")
    raise NoNumbers(f"dtype is {name}, in which the model's networks give no numbers (NaN); choose {others}.")


def decode(
    vae: Any, latents: torch.Tensor, tell: Tell, memory: Memory, wide: bool = False
) -> Iterator[np.ndarray]:
    """Frames of latents (f c h w), scaled as a UNet has them, one at a time: uint8 RGB (h, w, 3).

    tell: hears a sentence where the VAE overflows; from that frame on it is used in float32. memory: where
    the VAE is; a frame for which there is too little is decoded again where it takes less. wide: it is known
    to overflow in float16, and is used in float32 instead.
    """

    def decoded(frame: torch.Tensor) -> torch.Tensor:
        return decoded_frame(vae, frame, memory.device)

    with _widening(vae, tell, memory, wide) as finite:
        for frame in latents:
            picture = in_bytes(finite(decoded, frame))
            yield rearrange(picture, "c h w -> h w c").cpu().numpy()


def decoded_frame(vae: Any, frame: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A frame's latents (c h w), scaled as a UNet has them, as a picture (3 h w), float32, about -1..1.

    device: where the VAE computes.
    """
    scaled = (frame[None] / vae.config.scaling_factor).to(device, vae.dtype)
    picture: torch.Tensor = vae.decode(scaled).sample[0].float()
    return picture


def in_bytes(pixels: torch.Tensor) -> torch.Tensor:
    """Values of -1..1 as uint8, what lies beyond as the nearest of them."""
    return ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)


def encode(vae: Any, frames: np.ndarray, tell: Tell, memory: Memory, wide: bool = False) -> torch.Tensor:
    """Latents (f c h w), float32, not scaled, of frames, uint8 RGB (f, h, w, 3): their likeliest.

    tell, memory, wide: as above.
    """

    def encoded(frame: np.ndarray) -> torch.Tensor:
        picture = rearrange(torch.tensor(frame, device=memory.device), "h w c -> 1 c h w")
        found = vae.encode((picture / 127.5 - 1).to(vae.dtype))
        latents: torch.Tensor = found.latent_dist.mode() if hasattr(found, "latent_dist") else found.latents
        return latents.float()

    with _widening(vae, tell, memory, wide) as finite:
        found = [finite(encoded, frame) for frame in frames]
    return torch.cat([one.to(memory.home) for one in found])


@contextmanager
def _widening(
    vae: Any, tell: Tell, memory: Memory, wide: bool
) -> Iterator[Callable[[Callable[[Any], torch.Tensor], Any], torch.Tensor]]:
    """Gives a call of one of the VAE's ways that ends in finite numbers or in NoNumbers.

    Where it must, the VAE is in float32 until the end; going there and back changes no weight.
    """
    own: torch.dtype = vae.dtype
    if wide and own == torch.float16:
        torch.nn.Module.to(vae, WIDE)

    def computed(way: Callable[[Any], torch.Tensor], given: Any) -> torch.Tensor:
        with torch.inference_mode():
            return memory.keep_going(lambda: way(given))

    def finite(way: Callable[[Any], torch.Tensor], given: Any) -> torch.Tensor:
        values = computed(way, given)
        if not bool(values.isfinite().all()) and vae.dtype != WIDE:
            name = str(own).removeprefix("torch.")
            tell(
                f"The model's VAE overflows in {name}, so it is used in float32, which takes a little longer."
            )
            widen(vae, WIDE)
            values = computed(way, given)
        if not bool(values.isfinite().all()):
            raise NoNumbers(
                "the model's VAE gives no numbers (NaN) even in float32, so its weights are broken; fetch "
                "the model again or choose another."
            )
        return values

    try:
        yield finite
    finally:
        if vae.dtype != own and not memory.has_fallen:
            widen(vae, own)

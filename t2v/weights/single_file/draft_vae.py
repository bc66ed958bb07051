"""TAESD (github.com/madebyollin/taesd): a VAE of a few layers, for drafts, in the place of a model's own."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from diffusers import AutoencoderTiny
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTinyOutput
from diffusers.models.autoencoders.vae import DecoderOutput

from t2v.weights.refusals import ModelError
from t2v.weights.single_file.load import State, whole

NOTE = (
    "The VAE is a small one, made for drafts: frames are decoded in a fraction of the time, and fine detail "
    "is only roughly there."
)


class DraftVae(AutoencoderTiny):
    """TAESD for latents that are scaled as other VAEs have them, by ``scaling_factor``; its own are a UNet's.

    So whatever takes a VAE's latents, as InstructPix2Pix does without the factor, finds what it is used to.
    """

    def encode(self, x: torch.Tensor, return_dict: bool = True) -> Any:
        """Pictures (b 3 h w), -1..1, to latents (b 4 h/8 w/8)."""
        latents = super().encode(x).latents / self.config.scaling_factor
        return AutoencoderTinyOutput(latents=latents) if return_dict else (latents,)

    def decode(
        self, x: torch.Tensor, generator: torch.Generator | None = None, return_dict: bool = True
    ) -> Any:
        """The other way round."""
        found = super().decode(x * self.config.scaling_factor, generator)
        return DecoderOutput(sample=found.sample) if return_dict else (found.sample,)


def draft_vae(name: str, state: State, scaling_factor: float) -> torch.nn.Module:
    """From a file's tensors, both halves in diffusers' names. ModelError for others of its kind.

    scaling_factor: of the model that it is for.
    """
    if not _fits(state, DraftVae(scaling_factor=scaling_factor)):
        told = f"vae {name} is of TAESD's kind, but not the one of Stable Diffusion with both its halves"
        raise ModelError(f"{told}; choose diffusers' file of taesd or taesdxl.")
    return whole(f"vae {name}", "VAE", lambda: DraftVae(scaling_factor=scaling_factor), state)


def draft_decoder(name: str, values: Mapping[str, torch.Tensor], dtype: torch.dtype) -> torch.nn.Module:
    """The half that decodes what UNets know, alone: all that a preview takes. ModelError for other files.

    values: of a file with both halves in diffusers' names, or of the decoder in its makers'.
    """
    state = {short: values[own].to(dtype) for short, own in _names_in_decoder(values).items()}
    if not _fits(state, _decoder()):
        raise ModelError(
            f"vae {name} is of TAESD's kind, but not the one of Stable Diffusion with its decoder; choose "
            "taesd or taesdxl."
        )
    return whole(f"vae {name}", "decoder", _decoder, state)


def _decoder() -> torch.nn.Module:
    network = DraftVae()
    network.encoder = None
    return network


def _fits(state: State, network: torch.nn.Module) -> bool:
    own = {short: one.shape for short, one in network.state_dict().items()}
    return {short: one.shape for short, one in state.items()} == own


def _names_in_decoder(names: Mapping[str, object]) -> dict[str, str]:
    """A decoder's tensors, diffusers' names -> a file's. Its makers count a layer more, the clamp."""
    own = {name: name for name in names if name.startswith("decoder.")}
    made = ((re.fullmatch(r"([1-9]\d?)\.(.+)", name, re.ASCII), name) for name in names)
    return own or {f"decoder.layers.{int(at[1]) - 1}.{at[2]}": name for at, name in made if at is not None}

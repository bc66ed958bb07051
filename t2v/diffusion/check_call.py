"""What a call of the pipeline asks for, checked against its model's networks before anything is drawn."""

from collections.abc import Sequence

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from t2v.checks import InputError, check_choice, check_int, check_number
from t2v.diffusion.conditions import Control
from t2v.diffusion.options import SCHEDULERS, own_cells


def check_run(num_inference_steps: int, guidance_scale: float, scheduler: str, chunk_size: int) -> None:
    """InputError for a value out of range, of those that every call takes."""
    check_int("num_inference_steps", num_inference_steps, 1, 1000)
    check_int("chunk_size", chunk_size, 0, 100_000)
    check_number("guidance_scale", guidance_scale, 0, 1000)
    check_choice("scheduler", scheduler, SCHEDULERS)


def latent_size(
    unet: UNet2DConditionModel, cell_px: int, height: int | None, width: int | None
) -> tuple[int, int]:
    """Rows and columns of latents for a video of so many pixels; None: the model's own.

    cell_px: output pixels per latent cell. InputError for a side that is too small for the UNet, or not
    made of whole cells.
    """
    rows, columns = own_cells(unet.config.sample_size)
    sides = {
        "height": rows * cell_px if height is None else height,
        "width": columns * cell_px if width is None else width,
    }
    least = cell_px * 2 ** (len(unet.config.block_out_channels) - 1)
    checked = [check_int(name, side, least, 8192, cell_px) for name, side in sides.items()]
    return checked[0] // cell_px, checked[1] // cell_px


def common_shape(
    controls: Sequence[Control], source: torch.Tensor | None, vae: AutoencoderKL, cell_px: int
) -> tuple[int, int, int]:
    """Frames, height and width in pixels of everything that guides; InputError where they differ or are none.

    source: latents (f c h w) of the clip to edit, None where there is none.
    """
    shapes = {control.packed.shape[:3] for control in controls}
    if source is not None:
        frames, channels, height, width = source.shape
        if channels != vae.config.latent_channels:
            raise InputError(f"source has {channels} channels; give latents as encode makes them.")
        shapes.add((frames, height * cell_px, width * cell_px))
    if not shapes:
        raise InputError("controls are empty and there is no source; give a clip to follow.")
    if len(shapes) > 1:
        raise InputError(f"controls and source have the shapes {sorted(shapes)}; give them all the same.")
    if len({id(control.network) for control in controls}) < len(controls):
        raise InputError("controls use one ControlNet twice; give each its own copy of it.")
    return shapes.pop()


def noise_channels(unet: UNet2DConditionModel, vae: AutoencoderKL, source: torch.Tensor | None) -> int:
    """Channels of the latents; InputError where the UNet does not take these, or these and a source's."""
    latent: int = vae.config.latent_channels
    taken: int = unet.config.in_channels
    if source is None and taken != latent:
        raise InputError(f"the model's UNet takes {taken} channels, not {latent}; choose a plain model.")
    if source is not None and taken != 2 * latent:
        raise InputError(
            f"the model's UNet takes {taken} channels, not {2 * latent}; choose an InstructPix2Pix model."
        )
    return latent

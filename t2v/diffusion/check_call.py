"""What a call of the pipeline asks for, checked against its model's networks before anything is drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from t2v.checks import InputError, check_choice, check_int, check_number
from t2v.diffusion.controls import Control
from t2v.diffusion.options import SCHEDULERS, Shortcuts, Subject, own_cells


def check_run(
    num_inference_steps: int, guidance_scale: float, scheduler: str, chunk_size: int, shortcuts: Shortcuts
) -> tuple[int, float, int]:
    """Steps, guidance and chunk size as Python's numbers; InputError for a value out of range."""
    check_choice("scheduler", scheduler, SCHEDULERS)
    steps = check_int("num_inference_steps", num_inference_steps, 1, 1000)
    shortcuts.check(steps)
    return (
        steps,
        check_number("guidance_scale", guidance_scale, 0, 1000),
        check_int("chunk_size", chunk_size, 0, 100_000),
    )


def prompt_arguments(prompt: object, negative_prompt: object) -> dict[str, Any]:
    """What diffusers' ``encode_prompt`` is told, for texts or their embeddings (1 n d).

    InputError for anything else, as a list of texts.
    """
    told: dict[str, Any] = {}
    for field, value in (("prompt", prompt), ("negative_prompt", negative_prompt)):
        is_embedded = isinstance(value, torch.Tensor) and value.ndim == 3 and len(value) == 1
        if not isinstance(value, str) and not is_embedded:
            shape = f" of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else ""
            kind = f"{type(value).__name__}{shape}"
            raise InputError(f"{field} is a {kind}; give one text, and call again for another.")
        told[field] = None if is_embedded else value
        told[f"{field}_embeds"] = value if is_embedded else None
    shapes = {tuple(told[name].shape[1:]) for name in told if isinstance(told[name], torch.Tensor)}
    if len(shapes) > 1:
        raise InputError(f"prompt and negative_prompt have the shapes {sorted(shapes)}; give both the same.")
    return told


def check_frame_ids(frame_ids: Sequence[int] | None, num_frames: int) -> list[int]:
    """The numbers of the frames that a call draws, all by default; InputError where 0 is not the first."""
    if frame_ids is None:
        return list(range(num_frames))
    ids = [check_int("frame_ids", number, 0, 100_000) for number in frame_ids]
    if not ids or ids[0] != 0 or len(ids) != num_frames:
        raise InputError(
            f"frame_ids are {len(ids)} beginning with {ids[:1]}, for {num_frames} frames; give as many, the "
            "first of them 0, which all others look at."
        )
    return ids


def cpu_generator(given: torch.Generator | None) -> torch.Generator:
    """The generator that a run's noise is drawn from, on the CPU, so that it is the same on every device.

    None: one with a random seed. One of another device gives the seed, and goes on by one number. InputError
    for a list of them, as diffusers takes one for each picture.
    """
    if given is None:
        own = torch.Generator()
        own.seed()
        return own
    if not isinstance(given, torch.Generator):
        kind = type(given).__name__
        raise InputError(f"generator is a {kind}; give one torch.Generator, it serves all frames.")
    if given.device.type == "cpu":
        return given
    drawn = torch.randint(2**62, (1,), generator=given, device=given.device)
    return torch.Generator().manual_seed(int(drawn))


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


def subjects_of(
    subject: Subject | Sequence[Subject], painted: np.ndarray | Sequence[np.ndarray | None] | None
) -> tuple[list[Subject], list[np.ndarray | None]]:
    """The subjects of a scene, checked, and of each where it was painted, or None."""
    subjects = [subject] if isinstance(subject, Subject) else list(subject)
    maps: list[np.ndarray | None]
    if painted is None or isinstance(painted, np.ndarray):
        maps = [painted, *[None] * (len(subjects) - 1)]
    else:
        maps = list(painted)
    if not subjects:
        raise InputError("subject is an empty list; give at least one, or None.")
    if len(maps) != len(subjects):
        raise InputError(
            f"painted has {len(maps)} masks for {len(subjects)} subjects; give each one, or None."
        )
    for one in subjects:
        one.check()
    return subjects, maps

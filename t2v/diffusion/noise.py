"""All noise of a run, drawn on the CPU from one generator before any chunking."""

from collections.abc import Sequence

import numpy as np
import torch

from t2v.checks import InputError
from t2v.diffusion.check_call import cpu_generator
from t2v.diffusion.lattice import Corner

Noise = tuple[torch.Tensor, list[torch.Generator]]


def draw_noise(
    shape: tuple[int, ...],
    device: torch.device,
    generator: torch.Generator | None,
    latents: torch.Tensor | None = None,
) -> Noise:
    """x_1000^1 and every epsilon_k as one (f c h w), and a generator per frame for samplers that draw more.

    latents: x_1000^1, (1 c h w), in place of noise; InputError where it has another shape. Frames 0..n are
    the same however many follow.
    """
    generator = cpu_generator(generator)
    if latents is None:
        latents = torch.randn(1, *shape[1:], generator=generator)
    elif tuple(latents.shape) != (1, *shape[1:]):
        raise InputError(f"latents has the shape {tuple(latents.shape)}; give {(1, *shape[1:])}.")
    seeds = torch.randint(2**62, (shape[0],), generator=generator.clone_state())
    others = torch.randn(shape[0] - 1, *shape[1:], generator=generator)
    noise = torch.cat([latents.to(device, torch.float32), others.to(device)])
    return noise, [torch.Generator().manual_seed(int(seed)) for seed in seeds]


def window_noise(
    shape: tuple[int, ...],
    device: torch.device,
    generator: torch.Generator | None,
    corners: Sequence[Corner],
) -> Noise:
    """Noise for windows at these places, (n c h w), and a generator for each; shape: (c h w) of one.

    The first window's is the first frame's of ``draw_noise``; the others' depend on their places alone.
    """
    generator = cpu_generator(generator)
    first, own = draw_noise((1, *shape), device, generator)
    base = int(torch.randint(2**62, (1,), generator=generator))
    others = [torch.Generator().manual_seed(_seed_at(base, corner)) for corner in corners[1:]]
    drawn = [torch.randn(1, *shape, generator=one).to(device) for one in others]
    return torch.cat([first, *drawn]), [*own, *others]


def _seed_at(base: int, corner: Corner) -> int:
    row, column = (2**31 + part for part in corner)  # seeds are made of numbers above 0
    return int(np.random.SeedSequence([base, row, column]).generate_state(1, np.uint64)[0] >> np.uint64(1))

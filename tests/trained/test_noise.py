"""The noise of trained video models: a seed's is the same in every precision."""

import pytest
import torch
from conftest import seeded
from small_videos import SMALL

from t2v.trained.noise import drawn_in_float32


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_noise_of_a_seed_is_the_same_in_every_precision(kind, dtype):
    """60 numbers are one of the sizes of which PyTorch draws others in half precision."""
    own = SMALL[kind]()
    cell = getattr(own, "vae_scale_factor_spatial", 8)
    shape = {"batch_size": 1, "num_channels_latents": 4, "num_frames": 1}
    shape |= {"height": 3 * cell, "width": 5 * cell}

    def noise(dtype):
        return own.prepare_latents(**shape, dtype=dtype, device=torch.device("cpu"), generator=seeded(1))

    right, half = noise(torch.float32), noise(dtype)
    assert right.numel() == 60 and (right - half.float()).abs().max() > 1
    with drawn_in_float32(own):
        assert torch.equal(noise(dtype), right.to(dtype))
    assert torch.equal(noise(dtype), half)

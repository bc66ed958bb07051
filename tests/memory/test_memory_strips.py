"""strips.py: the same picture from a VAE that never has a whole layer's workspace at once."""

import pytest
import torch
from conftest import seeded, small_vae

from t2v.devices import settle
from t2v.memory import strips
from t2v.memory.strips import compute_in_strips


@pytest.fixture
def vae(monkeypatch):
    monkeypatch.setattr(strips, "STRIP_NUMBERS", 300)  # a row or two of a layer at a time
    torch.manual_seed(0)
    return settle(small_vae(), "cpu")


@pytest.mark.parametrize(("height", "width"), [(8, 8), (5, 7), (1, 3)])
@torch.inference_mode()
def test_pictures_are_those_of_the_whole(vae, height, width):
    latents = 3 * torch.randn(1, 4, height, width, generator=seeded())
    pixels = torch.rand(1, 3, 8 * height, 8 * width, generator=seeded()) * 2 - 1
    whole, encoded = vae.decode(latents).sample, vae.encode(pixels).latent_dist.mode()
    compute_in_strips(vae, True)
    found = vae.decode(latents).sample
    assert whole.std() > 0.01
    assert (found - whole).abs().max() < 2e-5 * whole.abs().max()
    assert (vae.encode(pixels).latent_dist.mode() - encoded).abs().max() < 2e-5 * encoded.abs().max()
    compute_in_strips(vae, False)
    assert torch.equal(vae.decode(latents).sample, whole)


@torch.inference_mode()
def test_many_strips_are_computed(vae):
    rows = []
    block = vae.decoder.up_blocks[-1].resnets[0]
    handle = block.conv1.register_forward_hook(lambda _, given, made: rows.append(given[0].shape[2]))
    compute_in_strips(vae, True)
    vae.decode(torch.randn(1, 4, 4, 4, generator=seeded()))
    handle.remove()
    assert len(rows) >= 16 and max(rows) <= 4  # of 32, with those around them


@torch.inference_mode()
def test_half_precision_is_as_near_as_it_is_by_itself(vae):
    latents = 3 * torch.randn(1, 4, 8, 8, generator=seeded())
    right = vae.decode(latents).sample
    half = vae.to(torch.bfloat16)
    own = (half.decode(latents.bfloat16()).sample.float() - right).abs().max()
    compute_in_strips(half, True)
    assert (half.decode(latents.bfloat16()).sample.float() - right).abs().max() < 1.5 * own

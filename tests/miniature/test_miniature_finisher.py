"""How the finisher is trained: pairs that fit, of scenes it may see, and a loss that falls."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from miniature import finisher, shapes
from miniature.autoencoder import build_autoencoder
from miniature.finisher import ViewPool, build_finisher, finisher_loss, through_autoencoder
from miniature.world import belongs, draw, sample_scene

pytestmark = pytest.mark.slow

STAGE = dataclasses.replace(shapes.FINISHER_STAGE, pixels=32, scenes=3, fresh=0)
MARGIN = 4


@pytest.fixture(scope="module")
def autoencoder():
    torch.manual_seed(0)
    return build_autoencoder().eval()


def test_crops_show_the_same_at_both_sizes(autoencoder, monkeypatch):
    monkeypatch.setattr(finisher, "UNTOUCHED", 1.0)
    pool = ViewPool(dataclasses.replace(STAGE, scenes=8), 0, autoencoder, MARGIN)
    (small, other), large = pool.crops(24)
    assert small.shape == (24, 3, 40, 40) and large.shape == (24, 3, 64, 64)
    assert (small - other)[..., MARGIN:-MARGIN, MARGIN:-MARGIN].abs().mean() < 0.001  # nothing errs in them
    assert sum(views.moved != (0, 0) for views in pool.views) > 4
    assert min(small.min(), large.min()) >= 0 and max(small.max(), large.max()) <= 1
    halved = F.avg_pool2d(large, 2)
    off = [
        (small[..., MARGIN + y : MARGIN + y + 32, MARGIN + x : MARGIN + x + 32] - halved).abs().mean().item()
        for y, x in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    assert off[0] < 0.85 * min(off[1:])  # outlines are a little broader at the smaller size


def test_held_out_scenes_are_never_drawn(autoencoder, monkeypatch):
    seen = []
    monkeypatch.setattr(finisher, "draw", lambda scene, size: seen.append(scene) or draw(scene, size))
    pool = ViewPool(dataclasses.replace(STAGE, fresh=2), 0, autoencoder, MARGIN)
    pool.crops(1)
    assert len(seen) == 3 * (3 + 2)
    assert all(belongs(scene, "train") for scene in seen)


def test_what_the_autoencoder_errs_in_differs_between_the_views(autoencoder, monkeypatch):
    monkeypatch.setattr(finisher, "UNTOUCHED", 0.0)
    small, large = ViewPool(STAGE, 0, autoencoder, 12).crops(8)
    assert (small[0] - small[1]).abs().mean() > 0.005
    model = build_finisher()
    steady = finisher_loss(model, torch.stack([small[0], small[0]]), large)
    assert finisher_loss(model, small, large) > 1.05 * steady


def test_noise_on_the_latents_is_seen_and_the_size_stays(autoencoder):
    picture = draw(sample_scene(np.random.default_rng(1)), 64)[None]
    torch.manual_seed(0)
    plain, noisy = (through_autoencoder(autoencoder, picture, noise) for noise in (0.0, 0.5))
    assert plain.shape == picture.shape and plain.dtype == np.uint8
    assert np.abs(plain.astype(int) - picture).mean() < np.abs(noisy.astype(int) - picture).mean()


def test_the_loss_falls(autoencoder):
    torch.manual_seed(0)
    model = build_finisher()
    batch = ViewPool(STAGE, 0, autoencoder, model.margin).crops(8)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    losses = []
    for _ in range(25):
        loss = finisher_loss(model, *batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]

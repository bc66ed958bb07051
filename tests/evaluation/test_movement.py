"""The ruler of benchmarks/motion.py on clips whose motion is known, and motion asked against motion seen."""

import json
from dataclasses import replace

import diffusers
import numpy as np
import pytest
import torch

from miniature.world import Scene, Subject, clip, draw
from t2v.diffusion.motion import motion_field, warp
from t2v.evaluation.movement import change, drift, flicker, flicker_as_asked, movement, shift_between
from t2v.weights.source import MINIATURE, MODEL_INDEX

pytestmark = pytest.mark.slow

CAR = Scene(place="street", subjects=(Subject("car", "red"),), seed=7)
SIZES = [128, 256, 512, (192, 320)]


def pixels(latents: torch.Tensor) -> np.ndarray:
    """(f 3 h w) in -1..1 to uint8 (f h w 3)."""
    return ((latents / 2 + 0.5).clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()


def picture(size) -> torch.Tensor:
    """The car's picture, (1 3 h w) in -1..1."""
    return torch.from_numpy(draw(CAR, size)).permute(2, 0, 1)[None] / 127.5 - 1


@pytest.mark.parametrize("asked", [(6, 0), (4.5, -3)])
@pytest.mark.parametrize("size", SIZES)
def test_motion_of_drawn_clips_is_measured(size, asked):
    seen = movement(clip(CAR, asked, 3, size))
    assert seen.error(asked) < 0.01
    assert np.abs(seen.between - asked).max() < 0.1
    assert seen.judder < 0.1
    assert seen.alike.min() > 0.9


def test_motion_of_a_long_way_is_measured():
    seen = movement(clip(CAR, (12, 12), 8, 256))
    assert seen.places[-1] == pytest.approx([84, 84], abs=0.5)


def test_motion_is_found_under_flicker_and_the_flicker_is_told():
    """Distant detail redrawn in every frame, and noise: what moves with the picture still decides."""
    noise = np.random.default_rng(0)
    still = clip(CAR, (6, 0), 4, 256)
    frames = [draw(replace(CAR, seed=50 + k, camera=(k * 6 / 256, 0)), 256) for k in range(4)]
    restless = np.clip(np.stack(frames) + noise.normal(0, 8, (4, 256, 256, 3)), 0, 255).astype(np.uint8)
    seen = movement(restless)
    assert seen.error((6, 0)) < 0.02
    assert seen.alike.max() < movement(still).alike.min()
    assert flicker(restless, seen) > 5 > 0.5 > flicker(still, movement(still))
    assert drift(restless, seen) > 5 > 0.5 > drift(still, movement(still))


def test_uneven_steps_are_judder_though_the_way_is_right():
    even = clip(CAR, (6, 0), 7, 128)
    uneven = even[[0, 0, 2, 2, 4, 4, 6]]  # 0, 12, 0, 12 ... pixels
    seen = movement(uneven)
    assert seen.judder == pytest.approx(6, abs=0.1)
    assert movement(even).judder < 0.1


def test_a_frozen_clip_does_not_move_and_another_picture_is_not_alike():
    frozen = np.repeat(draw(CAR, 128)[None], 3, axis=0)
    seen = movement(frozen)
    assert np.abs(seen.places).max() < 1e-6
    assert (flicker(frozen, seen), drift(frozen, seen)) == (0, 0)
    other = draw(Scene(place="sea", subjects=(Subject("boat", "blue"),), seed=1), 128)
    assert shift_between(frozen[0], other)[1] < 0.4


@pytest.mark.parametrize("shift", [(8, 5), (-8, -5), (7, -4)])
def test_change_is_none_after_the_right_shift_only(shift):
    before, after = clip(CAR, shift, 2, 128)
    assert change(before, after, np.array(shift)) < 0.05
    assert change(before, after, -np.array(shift)) > 3


def test_a_frozen_clip_does_not_do_what_was_asked():
    panned = clip(CAR, (6, -2), 4, 128)
    assert flicker_as_asked(panned, (6, -2)) < 0.05
    assert flicker_as_asked(np.repeat(panned[:1], 4, axis=0), (6, -2)) > 6


@pytest.mark.parametrize(("mode", "px"), [("subcell", 4.5), ("subcell", 6), ("whole-cell", 6)])
@pytest.mark.parametrize("size", SIZES)
def test_warp_moves_a_picture_as_asked(size, mode, px):
    """A picture taken as a latent whose cells are a pixel wide."""
    field = motion_field(3, px, -px)
    moved = pixels(warp(picture(size).expand(3, -1, -1, -1), field, 1, mode))
    assert movement(moved).error((px, -px)) < 0.02


@pytest.fixture(scope="module")
def autoencoder():
    index = MINIATURE / MODEL_INDEX
    if not index.is_file():
        pytest.skip("the miniature's weights are not in this copy")
    kind = getattr(diffusers, json.loads(index.read_text())["vae"][1])
    return kind.from_pretrained(MINIATURE / "vae", torch_dtype=torch.float32).eval()


def rigid(autoencoder, size, count: int) -> np.ndarray:
    """T' = T moves the first frame rigidly: warp its latents by 6 px (0.75 cells) a frame, and decode."""
    with torch.inference_mode():
        latents = autoencoder.encode(picture(size)).latents
        moved = warp(latents.expand(count, -1, -1, -1), motion_field(count, 6, 0), 8)
        return pixels(autoencoder.decode(moved).sample)


@pytest.mark.parametrize("size", SIZES)
def test_motion_asked_of_latents_is_motion_seen_in_pictures(autoencoder, size):
    assert movement(rigid(autoencoder, size, 3)).error((6, 0)) < 0.1


@pytest.mark.parametrize("size", SIZES)
def test_motion_asked_of_latents_is_motion_seen_over_a_clip(autoencoder, size):
    assert movement(rigid(autoencoder, size, 8)).error((6, 0)) < 0.1

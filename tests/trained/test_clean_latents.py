"""What is shown of a step of a trained video model: the clean video as the network sees it there."""

import numpy as np
import pytest
import torch
from conftest import seeded
from diffusers import DDIMScheduler, EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler
from small_videos import SMALL, small_cogvideox

from t2v.trained.clean import clean, watching
from t2v.trained.grey import grey
from t2v.trained.pipeline import TrainedPipeline
from t2v.weights.video_kinds import COGVIDEOX, MODELSCOPE, WAN, Made

OF = {"modelscope": MODELSCOPE, "cogvideox": COGVIDEOX, "wan": WAN, "newer": COGVIDEOX}
MAKE = {**SMALL, "newer": lambda: small_cogvideox(newer=True)}
CALL = {"num_frames": 9, "num_inference_steps": 6, "height": 64, "width": 96, "guidance_scale": 3.0}


@pytest.mark.parametrize("name", OF)
def test_steps_come_ever_nearer_to_what_is_drawn(name):
    own, told = MAKE[name](), []
    pipeline = TrainedPipeline(own, OF[name], Made(96, 64, 9, 3))
    drawn = pipeline("a red car", generator=seeded(), on_step=told.append, **CALL)
    again = pipeline("a red car", generator=seeded(), **CALL)
    assert torch.equal(again, drawn) and "step" not in vars(own.scheduler)
    shown = [step.latents for step in told]
    assert all(one.shape == drawn.shape and one.dtype == torch.float32 for one in shown)
    away = [float((one - drawn).pow(2).mean().sqrt() / drawn.std()) for one in shown]
    assert away[-1] < 0.05 and away[0] > away[-1]


def test_known_latents_are_found_again_in_noisy_ones():
    picture, noise = torch.randn(2, 1, 3, 4, 8, 8, generator=seeded()).unbind()
    for kind in ("epsilon", "v_prediction"):
        scheduler = DDIMScheduler(prediction_type=kind)
        noisy = scheduler.add_noise(picture, noise, torch.tensor([500]))
        given = noise if kind == "epsilon" else scheduler.get_velocity(picture, noise, torch.tensor([500]))
        assert torch.allclose(clean(scheduler, given, torch.tensor(500), noisy), picture, atol=1e-5)
    flow = FlowMatchEulerDiscreteScheduler()
    noisy = 0.7 * picture + 0.3 * noise
    assert torch.allclose(clean(flow, noise - picture, torch.tensor(300.0), noisy), picture, atol=1e-5)
    assert clean(EulerDiscreteScheduler(), noise, torch.tensor(500), noisy) is None


def test_a_sampler_is_as_it_was_where_a_run_ends_early():
    scheduler = DDIMScheduler()
    with pytest.raises(ValueError, match="ended"), watching(scheduler) as seen:
        scheduler.set_timesteps(2)
        scheduler.step(torch.ones(1, 4, 8, 8), scheduler.timesteps[0], torch.ones(1, 4, 8, 8))
        assert seen.latents is not None
        raise ValueError("ended")
    assert "step" not in vars(scheduler)


def test_grey_shows_what_differs_most():
    latents = 0.01 * torch.randn(1, 2, 16, 8, 12, generator=seeded())
    latents[:, :, :5, :, 6:] += 1.0
    seen = grey(latents)
    assert seen.shape == (2, 8, 12, 3) and seen.dtype == np.uint8
    assert seen[:, :, 6:].min() > 150 and seen[:, :, :6].max() < 105
    assert np.abs(grey(3 * latents + 2).astype(int) - seen).max() <= 1
    assert np.array_equal(grey(torch.full_like(latents, float("nan"))), np.full((2, 8, 12, 3), 128, np.uint8))

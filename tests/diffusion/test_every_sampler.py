"""Each sampler in each number of steps that people take: finite, seeded, and the same in chunks."""

import pytest
import torch
from conftest import seeded

from t2v.checks import InputError
from t2v.diffusion.options import SCHEDULERS, SPACINGS, Camera, Motion
from t2v.diffusion.sampling import make_scheduler

SMALL = {"num_frames": 2, "height": 64, "width": 64, "negative_prompt": "dark"}
MANY = [pytest.param(steps, marks=pytest.mark.slow) for steps in (8, 12, 30)]


def paper(pipeline, seed: int, **call) -> torch.Tensor:
    return pipeline("a red car", motion=Motion(8, 0), generator=seeded(seed), **SMALL, **call)


def canvas(pipeline, seed: int, **call) -> torch.Tensor:
    drawn = pipeline.scene("a red car", camera=Camera(24, 0), generator=seeded(seed), **SMALL, **call)
    return drawn.latents()


@pytest.mark.parametrize("guidance_scale", [7.5, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 4, *MANY])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("draw", [paper, canvas])
def test_each_is_finite_seeded_and_the_same_in_chunks(pipeline, draw, scheduler, steps, guidance_scale):
    call = {"scheduler": scheduler, "num_inference_steps": steps, "guidance_scale": guidance_scale}
    whole = draw(pipeline, 7, chunk_size=0, **call)
    assert torch.isfinite(whole).all() and 0.1 < float(whole.std()) < 100
    assert torch.equal(draw(pipeline, 7, chunk_size=0, **call), whole)
    in_chunks = draw(pipeline, 7, chunk_size=1, **call)
    assert torch.allclose(in_chunks, whole, atol=1e-5 * float(whole.abs().max()))
    assert not torch.allclose(draw(pipeline, 8, chunk_size=0, **call), whole, atol=0.1)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("name", ["ddim", "euler", "euler-ancestral", "dpm++", "unipc"])
def test_a_spacing_that_is_asked_for_is_had_in_few_steps_and_many(pipeline, name, spacing):
    least, most = (751, 801) if spacing == "leading" else (999, 999)  # those of two orders leave out more
    config = pipeline.scheduler.config
    few = make_scheduler(name, config, 4, spacing)
    assert few.config.timestep_spacing == spacing and least <= round(float(few.timesteps[0])) <= most
    assert make_scheduler(name, config, 30, spacing).config.timestep_spacing == spacing
    assert make_scheduler(name, config, 4).config.timestep_spacing == "trailing"
    saved = {**config, "timestep_spacing": spacing, "_use_default_values": []}
    assert make_scheduler(name, saved, 30).config.timestep_spacing == spacing  # as the model was saved with


def test_the_pipeline_draws_with_the_spacing_and_refuses_one_that_there_is_not(pipeline):
    call = {"scheduler": "euler", "num_inference_steps": 4}
    plain = paper(pipeline, 7, **call)
    assert torch.equal(paper(pipeline, 7, spacing="trailing", **call), plain)
    assert not torch.allclose(paper(pipeline, 7, spacing="leading", **call), plain, atol=0.1)
    with pytest.raises(InputError, match="spacing is 'even'; choose one of leading, trailing, linspace"):
        canvas(pipeline, 7, spacing="even", **call)


def test_tcd_draws_the_noise_of_its_paper_unless_another_share_is_asked_for(pipeline):
    call = {"scheduler": "tcd", "num_inference_steps": 4}
    usual = paper(pipeline, 7, **call)
    assert torch.equal(paper(pipeline, 7, eta=0.3, **call), usual)
    assert not torch.allclose(paper(pipeline, 7, eta=0.0, **call), usual, atol=0.05)


def test_a_guidance_that_the_unet_takes_as_an_input_decides_and_costs_no_second_branch(pipeline):
    from conftest import small_pipeline

    lcm = small_pipeline(time_cond_proj_dim=32)
    torch.nn.init.normal_(lcm.unet.time_embedding.cond_proj.weight)
    seen = []
    lcm.unet.conv_in.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    call = {"scheduler": "lcm", "num_inference_steps": 4, "chunk_size": 1}
    for draw in (canvas, paper):
        seen.clear()
        whole = draw(lcm, 7, guidance_scale=8.0, **{**call, "chunk_size": 0})
        assert torch.allclose(draw(lcm, 7, guidance_scale=8.0, **call), whole, atol=1e-4)
        assert not torch.allclose(draw(lcm, 7, guidance_scale=2.0, **call), whole, atol=0.05)
    assert max(seen) == 2  # frames, in one branch

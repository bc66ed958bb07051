"""pipeline.py: the one loop, its exact chunks, its frame 0, its limits."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import seeded, small_pipeline
from diffusers import StableDiffusionPipeline

from t2v.checks import InputError
from t2v.diffusion.attention import CrossFrameAttention
from t2v.diffusion.options import Motion
from t2v.diffusion.progress import Cancelled
from t2v.diffusion.sampling import SCHEDULERS, make_scheduler

QUICK = {"num_frames": 5, "num_inference_steps": 6, "motion": Motion(8, 0, 600, 800)}


def draw(pipeline, **changes) -> torch.Tensor:
    return pipeline("a red car", **{"generator": seeded(7), **QUICK, **changes})


def frames(pipeline, latents) -> np.ndarray:
    return np.stack(list(pipeline.decode(latents))).astype(int)


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["ddim", "euler-ancestral", "dpm++"])
@pytest.mark.parametrize("guidance_scale", [7.5, 1.0])
def test_chunk_size_never_changes_the_picture(pipeline, scheduler, guidance_scale):
    call = {"scheduler": scheduler, "guidance_scale": guidance_scale, "num_frames": 8}
    whole = frames(pipeline, draw(pipeline, chunk_size=0, **call))
    for chunk_size in (1, 2, 3, 5, 8):
        chunked = frames(pipeline, draw(pipeline, chunk_size=chunk_size, **call))
        assert np.abs(chunked - whole).max() <= 1, f"chunk size {chunk_size}"


def test_same_seed_same_video_and_another_seed_another(pipeline):
    first = draw(pipeline)
    assert torch.equal(first, draw(pipeline))
    assert not torch.allclose(first, draw(pipeline, generator=seeded(0)), atol=0.1)


def test_a_shorter_video_is_the_beginning_of_a_longer_one(pipeline):
    long = draw(pipeline, num_frames=6, scheduler="euler-ancestral")
    short = draw(pipeline, num_frames=3, scheduler="euler-ancestral")
    assert torch.allclose(long[:, :3], short, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["ddim", "euler", "dpm++", "unipc"])
@pytest.mark.parametrize("guidance_scale", [7.5, 1.0])
def test_frame_0_is_the_picture_plain_text_to_image_draws(pipeline, scheduler, guidance_scale):
    start = torch.randn(1, 4, 16, 16, generator=seeded(3))
    call = {"num_inference_steps": 12, "guidance_scale": guidance_scale}
    video = draw(pipeline, latents=start, scheduler=scheduler, **call)
    plain = StableDiffusionPipeline(**pipeline.components, requires_safety_checker=False)
    plain.set_progress_bar_config(disable=True)
    plain.scheduler = make_scheduler(scheduler, pipeline.scheduler.config, 12)
    picture = plain("a red car", latents=start, output_type="latent", **call).images
    assert torch.allclose(video[0, :1], picture, atol=1e-4)


def test_frame_0_with_a_noisy_sampler_is_that_of_a_one_frame_run(pipeline):
    for scheduler in ("euler-ancestral", "lcm"):
        video, picture = (draw(pipeline, scheduler=scheduler, num_frames=n) for n in (4, 1))
        assert torch.allclose(video[0, :1], picture[0], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("steps", [1, 2, 4, 8, 30, 50])
def test_every_sampler_at_every_number_of_steps(pipeline, scheduler, steps):
    told = []
    call = {"num_frames": 3, "num_inference_steps": steps, "scheduler": scheduler}
    latents = draw(pipeline, height=32, width=32, on_step=told.append, **call)
    assert latents.shape == (1, 3, 4, 4, 4)
    assert torch.isfinite(latents).all() and latents.std() > 0.05
    assert told[-1].done == told[-1].total == len(told)
    assert told[-1].fraction == pytest.approx(1.0)


@pytest.mark.parametrize(("height", "width"), [(64, 128), (128, 64), (40, 72), (48, 144)])
def test_any_size_that_is_a_multiple_of_8(pipeline, height, width):
    latents = draw(pipeline, height=height, width=width, num_inference_steps=2)
    assert frames(pipeline, latents).shape == (5, height, width, 3)


def test_rigid_motion_where_t0_equals_t1(pipeline):
    """With T' = T no noise is added: without attention across frames, all frames are the moved first one."""
    rigid = Motion(8, 0, 800, 800)
    start = draw(pipeline, motion=rigid, num_inference_steps=1, cross_frame=False)
    still = draw(pipeline, motion=replace(rigid, x=0, y=0), num_inference_steps=4)
    assert torch.allclose(still[:, 1:], still[:, :1].expand(-1, 4, -1, -1, -1), atol=1e-4)
    assert not torch.allclose(start[:, 1], start[:, 0], atol=0.1)


def test_ablation_motion_off_gives_every_frame_its_own_start(pipeline):
    off = Motion(enabled=False)
    video = draw(pipeline, motion=off, cross_frame=False, generator=seeded(7))
    generator = seeded(7)
    noise = torch.cat([torch.randn(n, 4, 16, 16, generator=generator) for n in (1, 4)])
    for k in range(5):
        alone = draw(pipeline, motion=off, num_frames=1, latents=noise[k : k + 1])
        assert torch.allclose(video[0, k], alone[0, 0], atol=1e-4)


def test_ablation_cross_frame_attention_changes_all_frames_but_the_first(pipeline):
    with_it, without = draw(pipeline), draw(pipeline, cross_frame=False)
    assert torch.allclose(with_it[:, 0], without[:, 0], atol=1e-4)
    assert all((with_it[0, k] - without[0, k]).abs().max() > 1e-3 for k in range(1, 5))


def test_negative_prompt_and_guidance_have_their_effect(pipeline):
    plain = draw(pipeline)
    assert not torch.allclose(plain, draw(pipeline, negative_prompt="blue"), atol=1e-4)
    unguided = draw(pipeline, guidance_scale=1.0)
    assert torch.equal(unguided, draw(pipeline, guidance_scale=1.0, negative_prompt="blue"))


def test_steps_tell_what_is_going_on(pipeline):
    told = []
    draw(pipeline, on_step=told.append)
    labels = [step.label for step in told]
    assert [label for i, label in enumerate(labels) if i == 0 or labels[i - 1] != label] == [
        "first frame",
        "motion",
        "all frames",
    ]
    assert [step.done for step in told] == list(range(1, told[0].total + 1))
    assert told[0].latents.shape == (1, 1, 4, 16, 16) and told[-1].latents.shape == (1, 5, 4, 16, 16)
    fractions = [step.fraction for step in told]
    assert fractions == sorted(fractions)


def test_stop_leaves_the_pipeline_usable(pipeline):
    before = draw(pipeline)

    def stop(step) -> None:
        if step.label == "all frames":
            raise Cancelled

    with pytest.raises(Cancelled):
        draw(pipeline, on_step=stop)
    assert not any(isinstance(p, CrossFrameAttention) for p in pipeline.unet.attn_processors.values())
    assert not pipeline.unet.time_embedding._forward_pre_hooks
    assert torch.equal(draw(pipeline), before)


def test_networks_that_take_the_guidance_scale_as_an_input():
    distilled = small_pipeline(time_cond_proj_dim=8)
    low, high = (draw(distilled, guidance_scale=w, scheduler="lcm") for w in (1.5, 8.0))
    assert torch.isfinite(low).all() and not torch.allclose(low, high, atol=1e-4)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_frames", 0),
        ("num_frames", 2.5),
        ("num_inference_steps", 0),
        ("chunk_size", -1),
        ("guidance_scale", math.nan),
        ("scheduler", "plms"),
        ("height", 100),
        ("width", 0),
        ("latents", torch.zeros(1, 4, 8, 8)),
        ("motion", Motion(x=math.inf)),
    ],
)
def test_bad_input_is_refused_by_name(pipeline, field, value):
    with pytest.raises(InputError, match=field):
        draw(pipeline, **{field: value})

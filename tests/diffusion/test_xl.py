"""Stable Diffusion XL in the own loop: diffusers' pictures, and the same video at every chunk size."""

import inspect

import numpy as np
import pytest
import torch
from conftest import seeded
from diffusers import StableDiffusionXLPipeline
from small_xl import small_xl_pipeline

from t2v.checks import InputError
from t2v.diffusion.beside import Beside
from t2v.diffusion.options import Camera, Motion, Subject
from t2v.diffusion.sampling import make_scheduler

STEPS, CHUNKS = 5, (1, 2, 3, 0)
SIZE = {"height": 64, "width": 64}
OVER_TIME = "0: a red car | 4: a blue car"
MOVES = Motion(8, 4, 781, 841)


@pytest.fixture(scope="module")
def pipe():
    return small_xl_pipeline()


def stock(kind, ours, scheduler="ddim", **networks):
    parts = {
        **ours.components,
        **networks,
        "scheduler": make_scheduler(scheduler, ours.scheduler.config, STEPS),
        "force_zeros_for_empty_prompt": ours.config.force_zeros_for_empty_prompt,
        "add_watermarker": False,
    }
    taken = inspect.signature(kind.__init__).parameters
    parts = {name: one for name, one in parts.items() if name in taken}
    pipe = kind(**parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.mark.parametrize("force_zeros", [True, False])
@pytest.mark.parametrize(("negative", "guidance"), [("", 5.0), ("blue", 5.0), ("", 1.0)])
def test_one_frame_is_stock_diffusers_picture(force_zeros, negative, guidance):
    ours, start = small_xl_pipeline(force_zeros), torch.randn(1, 4, 8, 8, generator=seeded(1))
    call = {"num_inference_steps": STEPS, "guidance_scale": guidance, "latents": start, **SIZE}
    got = ours("a red car", negative_prompt=negative, num_frames=1, **call)[0]
    theirs = stock(StableDiffusionXLPipeline, ours)
    other = negative if negative else None
    wanted = theirs("a red car", negative_prompt=other, output_type="latent", **call).images
    assert (got - wanted).abs().max() < 1e-5 * wanted.std()


def test_nothing_is_not_an_empty_text_to_models_that_say_so():
    zeroed, told = (
        small_xl_pipeline(force).told("a red car", "", branches=True)[1] for force in (True, False)
    )
    assert not zeroed.embeds.any() and not zeroed.pooled.any()
    assert told.embeds.any() and told.pooled.any()


@pytest.mark.parametrize(
    "asked",
    [
        {"motion": MOVES},
        {"motion": Motion(8, 4, 781, 841, smooth_bg=0.6, subject="car")},
        {"prompt": OVER_TIME, "motion": Motion(0, 0)},
        {"prompt": OVER_TIME, "motion": MOVES},
        {"motion": Motion(enabled=False), "scheduler": "euler-ancestral"},
    ],
)
def test_the_chunk_size_changes_no_bit(pipe, asked):
    call = {"prompt": "a red car", "num_frames": 5, "num_inference_steps": STEPS, "guidance_scale": 5.0}
    prompt, *_ = {**call, **asked}.values()
    rest = {name: value for name, value in {**call, **asked}.items() if name != "prompt"}
    drawn = [pipe(prompt, chunk_size=chunk, generator=seeded(3), **rest, **SIZE) for chunk in CHUNKS]
    assert all(torch.equal(one, drawn[0]) for one in drawn[1:])
    assert (drawn[0][0, 1:] - drawn[0][0, :1]).abs().amax((1, 2, 3)).min() > 0.01


def test_without_guidance_a_lone_frame_is_rounded_otherwise_as_with_every_model(pipe):
    call = {"num_frames": 5, "num_inference_steps": STEPS, "guidance_scale": 1.0, "motion": MOVES, **SIZE}
    drawn = [pipe("a red car", chunk_size=chunk, generator=seeded(3), **call) for chunk in CHUNKS]
    assert all((one - drawn[0]).abs().max() < 3e-6 * drawn[0].std() for one in drawn[1:])


def test_frames_are_told_apart_by_what_is_said_beside_the_text(pipe, monkeypatch):
    """A prompt over time changes the pooled text too, and not the words alone."""
    call = {"num_frames": 3, "num_inference_steps": STEPS, "motion": Motion(0, 0), **SIZE}
    own = pipe("0: a red car | 2: a blue car", generator=seeded(3), **call)
    rows = Beside.rows
    monkeypatch.setattr(Beside, "rows", lambda self, frames, latents, _: rows(self, frames, latents, True))
    assert (pipe("0: a red car | 2: a blue car", generator=seeded(3), **call) - own).abs().max() > 1e-3


def test_what_is_told_beside_the_text_is_size_and_text_as_a_whole():
    pooled = torch.arange(12.0).reshape(2, 3, 2)
    latents = torch.zeros(2, 4, 5, 7)
    told = Beside(pooled, 8).rows(slice(1, 3), latents, first_text=False)
    assert torch.equal(told["text_embeds"], pooled[:, 1:].reshape(4, 2))
    assert told["time_ids"].tolist() == [[40, 56, 0, 0, 40, 56]] * 4
    told = Beside(pooled, 8).rows(slice(1, 3), latents, first_text=True)
    assert torch.equal(told["text_embeds"], pooled[:, :1].expand(-1, 2, -1).reshape(4, 2))


def test_networks_are_left_as_they_were_found(pipe):
    hooks = [len(one._forward_hooks) + len(one._forward_pre_hooks) for one in pipe.unet.modules()]
    pipe("a red car", num_frames=2, num_inference_steps=2, **SIZE)
    assert hooks == [len(one._forward_hooks) + len(one._forward_pre_hooks) for one in pipe.unet.modules()]
    assert sum(hooks) == 0


def test_a_camera_and_a_subject_before_it(pipe):
    """Shapes, masks and memory: layers and sizes are asked of the network."""
    call = {"num_frames": 4, "num_inference_steps": STEPS, "guidance_scale": 5.0, "height": 64, "width": 96}
    drawn = [
        pipe.scene(
            "a red car on snow",
            camera=Camera(8, 0),
            subject=Subject("car", 8, 0),
            generator=seeded(2),
            chunk_size=chunk,
            **call,
        )
        for chunk in (1, 3, 0)
    ]
    frames = [np.stack(list(pipe.decode(one))) for one in drawn]
    assert frames[0].shape == (4, 64, 96, 3)
    assert all(np.array_equal(one, frames[0]) for one in frames[1:])
    matte = drawn[0].subjects[0].matte
    assert matte.shape == (64, 96) and 0 < matte.mean() < 1


def test_embeddings_are_refused_in_a_sentence(pipe):
    with pytest.raises(InputError, match="prompt is embedded, and this model is also told each text as a"):
        pipe(torch.zeros(1, 16, 40), num_frames=1, num_inference_steps=1, **SIZE)


def test_the_vae_is_used_in_float32_where_it_says_that_it_overflows():
    ours, latents = small_xl_pipeline(), torch.randn(1, 1, 4, 8, 8, generator=seeded(4))
    wanted = next(ours.decode(latents))
    ours.vae.half()
    seen = []
    handle = ours.vae.decoder.register_forward_hook(lambda _, __, made: seen.append(made.dtype))
    half_weights = next(ours.decode(latents))
    ours.vae.register_to_config(force_upcast=False)
    next(ours.decode(latents))
    handle.remove()
    assert seen == [torch.float32, torch.float16] and ours.vae.dtype == torch.float16
    assert np.abs(half_weights.astype(int) - wanted).max() <= 2 and ours.notes == []

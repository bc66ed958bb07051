"""zero.py: scripts of diffusers' TextToVideoZeroPipeline, with another import."""

import inspect
import logging

import numpy as np
import pytest
import torch
from conftest import seeded, small_pipeline
from diffusers import DDIMScheduler, EulerDiscreteScheduler
from diffusers.pipelines.deprecated.text_to_video_synthesis.pipeline_text_to_video_zero import (
    TextToVideoZeroPipeline as Theirs,
)
from diffusers.utils import logging as diffusers_logging

from t2v.checks import InputError
from t2v.diffusion import moving
from t2v.diffusion.progress import Cancelled
from t2v.diffusion.zero import TextToVideoZeroPipeline
from t2v.weights.source import MINIATURE

pytestmark = pytest.mark.slow

QUICK = {"video_length": 3, "num_inference_steps": 10, "t0": 6, "t1": 8, "height": 64, "width": 64}


def zero(**unet_changes) -> TextToVideoZeroPipeline:
    parts = small_pipeline(**unet_changes).components
    parts["scheduler"] = DDIMScheduler.from_config(parts["scheduler"].config, clip_sample=False)
    made = TextToVideoZeroPipeline(**parts, requires_safety_checker=False)
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def ours() -> TextToVideoZeroPipeline:
    return zero()


def draw(pipe, **told):
    return pipe(told.pop("prompt", "a red car"), **{**QUICK, "generator": seeded(2), **told}).images


def test_every_argument_of_theirs_is_taken_in_its_place():
    theirs, mine = (
        list(inspect.signature(kind.__call__).parameters) for kind in (Theirs, TextToVideoZeroPipeline)
    )
    assert mine[: len(theirs)] == theirs


@torch.inference_mode()
def test_the_same_call_gives_the_references_latents(monkeypatch):
    """Its warp, and its slip of one factor in the noise from T' to T, given to ours for this comparison."""
    below = {
        "block_out_channels": (8, 16, 32),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    }
    ours = zero(sample_size=64, **below)
    parts = {name: part for name, part in ours.components.items() if name != "image_encoder"}
    theirs = Theirs(**parts, requires_safety_checker=False)
    theirs.set_progress_bar_config(disable=True)
    call = {
        "video_length": 3,
        "num_inference_steps": 20,
        "t0": 14,
        "t1": 17,
        "motion_field_strength_x": 6,
        "motion_field_strength_y": -4,
        "latents": torch.randn(1, 4, 64, 64, generator=seeded(1)),
        "output_type": "latent",
    }
    wanted = theirs("a red car", generator=seeded(2), **call).images
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    slip = float(torch.prod((1 - betas)[701:851]))
    monkeypatch.setattr(moving, "alpha_ratio", lambda t1, t0: slip)
    monkeypatch.setattr(ours, "warp", "reference")
    got = ours("a red car", generator=seeded(2), **call).images
    assert got.shape == wanted.shape == (3, 4, 64, 64)
    assert (got - wanted).abs().max() < 1e-3


def test_frames_come_as_asked(ours):
    frames = draw(ours)
    assert frames.shape == (3, 64, 64, 3) and frames.dtype == np.float32
    whole = (frames * 255).astype(np.uint8)  # as scripts write them
    pictures = draw(ours, output_type="pil")
    assert np.array_equal(whole, np.stack([np.asarray(picture) for picture in pictures]))
    assert np.array_equal(draw(ours, output_type="pt").numpy(), frames.transpose(0, 3, 1, 2))
    latents = draw(ours, output_type="latent")
    assert latents.shape[:2] == (3, 4)
    assert np.array_equal(np.stack(list(ours.decode(latents[None]))), whole)
    images, flags = ours("a red car", **QUICK, generator=seeded(2), return_dict=False)
    assert np.array_equal(images, frames) and flags is None


def test_no_value_is_lost_on_the_way_back_to_bytes(ours, monkeypatch):
    every = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    monkeypatch.setattr(ours, "decode", lambda latents: iter([every]))
    values = draw(ours)
    assert (
        np.array_equal((values * 255).astype(np.uint8)[0], every) and 0 <= values.min() <= values.max() == 1
    )


def test_a_video_in_pieces_is_the_video(ours):
    whole = draw(ours, video_length=5)
    pieces = [draw(ours, video_length=3, frame_ids=[0, *ids])[1:] for ids in ((1, 2), (3, 4))]
    assert np.abs(np.concatenate(pieces) - whole[1:]).max() <= 1.01 / 255
    for bad in ([1, 2, 3], [0, 1], []):
        with pytest.raises(
            InputError, match="frame_ids are .* for 3 frames; give as many, the first of them 0"
        ):
            draw(ours, frame_ids=bad)


def test_embeddings_and_eta_have_their_effect(ours):
    plain = draw(ours, output_type="latent")
    text, nothing = ours.encode_prompt("a red car", "cpu", 1, True, "")
    embedded = draw(
        ours, prompt=None, prompt_embeds=text, negative_prompt_embeds=nothing, output_type="latent"
    )
    assert torch.equal(plain, embedded)
    assert torch.equal(plain, draw(ours, prompt=["a red car"], negative_prompt=None, output_type="latent"))
    noisy = draw(ours, eta=1.0, output_type="latent")
    assert not torch.allclose(plain, noisy, atol=1e-2) and noisy.isfinite().all()
    assert torch.equal(noisy, draw(ours, eta=1.0, output_type="latent", chunk_size=1))


def test_callbacks_hear_of_every_step(ours):
    told, ended = [], []

    def at_end(pipe, step, time, tensors):
        assert pipe is ours and tensors["latents"].shape[1:] == (4, 8, 8)
        ended.append((step, time))
        return {}

    draw(ours, callback=lambda *step: told.append(step[:2]), callback_steps=4, callback_on_step_end=at_end)
    assert [step for step, _ in ended] == list(range(12))  # ten, and two for the motion
    assert [time for _, time in ended] == [901, 801, 701, 801, 701, 601, 501, 401, 301, 201, 101, 1]
    assert told == [ended[0], ended[4], ended[8]]


def test_a_script_can_interrupt_a_run(ours):
    def stop(pipe, step, time, tensors):
        pipe._interrupt = True

    with pytest.raises(Cancelled):
        draw(ours, callback_on_step_end=stop)
    assert draw(ours).shape == (3, 64, 64, 3)


def test_the_pipelines_own_scheduler_is_the_sampler(ours, monkeypatch):
    plain = draw(ours, output_type="latent")
    euler = EulerDiscreteScheduler.from_config(ours.scheduler.config)
    monkeypatch.setattr(ours, "scheduler", euler)
    assert not torch.allclose(plain, draw(ours, output_type="latent"), atol=1e-3)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"generator": [torch.Generator()]}, "generator is a list; give one torch.Generator"),
        ({"prompt": ["a", "b"]}, "prompt is a list of 2; give one text"),
        ({"prompt": None}, "prompt is a NoneType; give one text"),
        ({"num_videos_per_prompt": 2}, "num_videos_per_prompt is 2"),
        ({"t1": 10}, "t1 is 10; give a whole number from 0 to 9"),
        ({"t0": 8, "t1": 6}, "T' must not be larger than T"),
        ({"output_type": "gif"}, "output_type is 'gif'; choose one of tensor"),
        ({"eta": 2}, "eta is 2; give a number from 0 to 1"),
        ({"motion_field_strength_x": "12"}, "motion_field_strength_x is '12'"),
        ({"callback_steps": 0}, "callback_steps is 0"),
        ({"callback_on_step_end_tensor_inputs": ["noise"]}, "only latents are given"),
        ({"prompt_embeds": torch.zeros(2, 16, 16)}, r"prompt is a Tensor of shape \(2, 16, 16\)"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(ours, told, sentence):
    with pytest.raises(InputError, match=sentence):
        draw(ours, **told)


def test_it_loads_as_diffusers_pipelines_do(model_folder):
    pipe = TextToVideoZeroPipeline.from_pretrained(str(model_folder), torch_dtype=torch.float32).to("cpu")
    assert pipe("a car", **QUICK).images.shape == (3, 64, 64, 3)


def test_the_bundled_model_loads_in_silence_and_others_speak_as_in_diffusers(model_folder, capfd):
    if not (MINIATURE / "model_index.json").is_file():
        pytest.skip("the miniature's weights are not in this copy")
    log, bars = diffusers_logging.get_verbosity(), diffusers_logging.is_progress_bar_enabled()
    diffusers_logging.set_verbosity_warning()
    diffusers_logging.enable_progress_bar()
    try:
        pipe = TextToVideoZeroPipeline.from_pretrained(str(MINIATURE))
        assert type(pipe) is TextToVideoZeroPipeline and capfd.readouterr() == ("", "")
        assert diffusers_logging.get_verbosity() == logging.WARNING
        TextToVideoZeroPipeline.from_pretrained(str(model_folder))
        assert "Loading pipeline components" in capfd.readouterr().err
    finally:
        diffusers_logging.set_verbosity(log)
        if not bars:
            diffusers_logging.disable_progress_bar()

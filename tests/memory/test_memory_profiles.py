"""Profiles never change a picture beyond rounding; fp8 does, and how much is told and bounded here."""

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline

from t2v.checks import InputError
from t2v.diffusion.conditions import Control
from t2v.diffusion.options import Camera, Motion
from t2v.engine.engine import Engine
from t2v.memory.profiles import CPU, FP8_NOTE, HIGH, LOW, MEDIUM, PROFILES, after
from t2v.tasks.text_to_video import TextToVideoSettings

PLACED = [name for name in PROFILES if name not in ("auto", HIGH)]


def kept(profile: str, fp8: bool = False, dtype: torch.dtype = torch.float32):
    pipeline = small_pipeline()
    pipeline.unet.to(dtype)
    pipeline.memory.place(profile, "cpu", fp8)
    return pipeline


def draw(pipeline, chunk_size: int = 8, **options) -> torch.Tensor:
    call = {"num_frames": 5, "num_inference_steps": 4, "height": 32, "width": 48, "generator": seeded()}
    return pipeline("a cat", motion=Motion(8, 4), chunk_size=chunk_size, **call, **options)


def frames(pipeline, drawn) -> np.ndarray:
    return np.stack(list(pipeline.decode(drawn))).astype(int)


@pytest.mark.parametrize("profile", PLACED)
def test_videos_are_those_of_the_high_profile(profile):
    high, other = kept(HIGH), kept(profile)
    right = draw(high)
    for _ in range(2):  # weights come and go again and again
        found = draw(other)
        assert torch.equal(found, right)
    assert np.abs(frames(other, found) - frames(high, right)).max() <= 1
    assert other.memory.profile == profile and other.notes == []


@pytest.mark.parametrize("profile", PLACED)
def test_clips_are_followed_and_pictures_encoded_the_same(profile):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)

    def guided(pipeline):
        network = small_controlnet()
        pipeline.memory.place_beside((network,))
        call = {"num_inference_steps": 3, "generator": seeded(), "chunk_size": 2}
        return pipeline.guided("a cat", controls=[Control(network, pictures)], **call)

    high, other = kept(HIGH), kept(profile)
    assert torch.equal(guided(other), guided(high))
    assert (other.encode(pictures) - high.encode(pictures)).abs().max() < 1e-4


@pytest.mark.parametrize("profile", PLACED)
def test_scenes_are_the_same(profile):
    call = {"num_frames": 3, "num_inference_steps": 3, "height": 32, "width": 32, "camera": Camera(x=8)}
    high, other = kept(HIGH), kept(profile)
    right, found = (pipe.scene("a cat", generator=seeded(), **call) for pipe in (high, other))
    assert torch.equal(found.latents(), right.latents())
    shown = [
        np.stack(list(pipe.decode(drawn))).astype(int) for pipe, drawn in ((high, right), (other, found))
    ]
    assert np.abs(shown[0] - shown[1]).max() <= 1


def test_weights_wait_by_hooks_which_go_again_without_a_trace():
    pipeline = kept(MEDIUM)
    before = {name: one.clone() for name, one in pipeline.unet.state_dict().items()}
    hooked = [one for one in pipeline.unet.modules() if hasattr(one, "_diffusers_hook")]
    assert hooked and all(one._diffusers_hook.get_hook("group_offloading") for one in hooked[:1])
    right = draw(pipeline)
    for profile in (LOW, MEDIUM, CPU, HIGH):
        pipeline.memory.place(profile, "cpu")
        assert torch.equal(draw(pipeline), right)
    assert not any(
        one._diffusers_hook.get_hook("group_offloading")
        for one in pipeline.unet.modules()
        if hasattr(one, "_diffusers_hook")
    )
    assert all(torch.equal(one, before[name]) for name, one in pipeline.unet.state_dict().items())


def test_the_low_profile_takes_two_frames_at_once():
    pipeline, rows = kept(LOW), []
    handle = pipeline.unet.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    draw(pipeline)
    handle.remove()
    assert max(rows) == 4  # of two frames, with and without the prompt


@pytest.mark.parametrize("profile", [HIGH, LOW])
def test_fp8_halves_the_weights_and_changes_the_picture_a_little_and_says_so(profile):
    half = kept(HIGH, dtype=torch.bfloat16)
    right = draw(half)
    pipeline = kept(profile, fp8=True, dtype=torch.bfloat16)
    found = draw(pipeline)
    assert pipeline.notes == [FP8_NOTE]
    assert 0.001 < (found - right).std() / right.std() < 0.2
    assert torch.equal(draw(pipeline, chunk_size=1), found)
    large = [one for name, one in pipeline.unet.named_parameters() if name.endswith("attn2.to_k.weight")]
    assert large and {one.dtype for one in large} == {torch.float8_e4m3fn}


def test_weights_that_eight_bits_do_not_hold_are_refused():
    pipeline = small_pipeline()
    with torch.no_grad():
        pipeline.unet.conv_in.weight[0, 0, 0, 0] = 1000
    with pytest.raises(
        InputError, match="fp8 holds weights up to 448, and the model has 1000; leave fp8 out"
    ):
        pipeline.memory.place(HIGH, "cpu", fp8=True)


def test_each_profile_leads_to_one_that_needs_less():
    def way(profile: str, on_cpu: bool) -> list[str]:
        following = after(profile, on_cpu)
        return [profile] if following is None else [profile, *way(following, on_cpu)]

    assert way(HIGH, False) == [HIGH, MEDIUM, LOW, CPU]
    assert way(CPU, True) == [CPU, MEDIUM, LOW]


@pytest.mark.parametrize("fp8", [False, True])
def test_the_miniature_draws_the_same_by_the_engine(fp8):
    asked = TextToVideoSettings(
        "a red car", seed=3, num_frames=2, num_inference_steps=2, width=64, height=64, fp8=fp8
    )
    pictures = {}
    for profile in (HIGH, MEDIUM, LOW):
        engine = Engine("cpu", profile=profile)
        pictures[profile] = engine.generate(asked).frames.astype(int)
        assert engine.load(asked.model).memory.profile == profile
        assert (FP8_NOTE in [note.text for note in engine.prompt_notes(asked)]) == fp8
    assert pictures[HIGH].std() > 5
    assert max(np.abs(pictures[one] - pictures[HIGH]).max() for one in (MEDIUM, LOW)) <= 1

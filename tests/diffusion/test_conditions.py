"""conditions.py and the guided runs: exact chunks, the same noise for all frames, networks left as found."""

import math

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline

from t2v.checks import InputError
from t2v.diffusion.attention import CrossFrameAttention
from t2v.diffusion.controls import Control, Packed
from t2v.diffusion.progress import Cancelled

QUICK = {"num_inference_steps": 4, "negative_prompt": "blue"}


def clip(seed: int, frames: int = 5, height: int = 64, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def networks() -> tuple:
    return small_controlnet(1), small_controlnet(2)


@pytest.fixture(scope="module")
def editor():
    return small_pipeline(in_channels=8)


def follow(pipeline, networks, pictures=None, **changes) -> torch.Tensor:
    """A run with two ControlNets, the second one for some of the steps."""
    pictures = clip(1) if pictures is None else pictures
    controls = (Control(networks[0], pictures), Control(networks[1], pictures[::-1], 0.7, 0.3, 0.8))
    return pipeline.guided("a red car", **{"controls": controls, "generator": seeded(7), **QUICK, **changes})


def by_one(pipeline, control: Control, **changes) -> torch.Tensor:
    return pipeline.guided("a car", **{"controls": [control], "generator": seeded(7), **QUICK, **changes})


def edit(editor, pictures=None, **changes) -> torch.Tensor:
    source = editor.encode(clip(3) if pictures is None else pictures)
    return editor.guided("make it red", **{"source": source, "generator": seeded(7), **QUICK, **changes})


def frames(pipeline, latents) -> np.ndarray:
    return np.stack(list(pipeline.decode(latents))).astype(int)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheduler", "guidance_scale"), [("ddim", 7.5), ("euler-ancestral", 7.5), ("dpm++", 7.5), ("ddim", 1.0)]
)
def test_chunk_size_never_changes_a_guided_video(pipeline, networks, editor, scheduler, guidance_scale):
    call = {"scheduler": scheduler, "guidance_scale": guidance_scale}
    for draw, parts in ((follow, (pipeline, networks)), (edit, (editor,))):
        whole = draw(*parts, chunk_size=0, **call)
        pictures = frames(parts[0], whole)
        for chunk_size in (2, 3, 8):
            chunked = draw(*parts, chunk_size=chunk_size, **call)
            assert torch.allclose(chunked, whole, atol=1e-3, rtol=1e-4), f"chunk size {chunk_size}"
            assert np.abs(frames(parts[0], chunked) - pictures).max() <= 1, f"chunk size {chunk_size}"


@pytest.mark.parametrize("scheduler", ["ddim", "euler-ancestral", "lcm"])
def test_a_still_clip_gives_a_still_video(pipeline, networks, editor, scheduler):
    """All frames start from the same noise, and noisy samplers draw the same for all."""
    still = clip(4, 1).repeat(3, axis=0)
    for latents in (
        follow(pipeline, networks, still, scheduler=scheduler),
        edit(editor, still, scheduler=scheduler),
    ):
        assert torch.allclose(latents, latents[:, :1].expand_as(latents), atol=1e-3)


def test_frame_0_does_not_depend_on_the_others(pipeline, networks, editor):
    noisy = {"scheduler": "euler-ancestral"}
    long, short = (edit(editor, clip(3)[:n], **noisy) for n in (5, 1))
    assert torch.allclose(long[:, :1], short, atol=1e-3)
    long, short = (by_one(pipeline, Control(networks[0], clip(3)[:n]), **noisy) for n in (5, 1))
    assert torch.allclose(long[:, :1], short, atol=1e-3)


def test_frames_see_frame_0_with_cross_frame_attention_only(pipeline, networks):
    one, other = clip(1, 3), clip(1, 3)
    other[0] = clip(9, 1)[0]
    for cross_frame in (True, False):
        first, second = (
            by_one(pipeline, Control(networks[0], each), cross_frame=cross_frame) for each in (one, other)
        )
        changed = (first - second).abs().amax((0, 2, 3, 4)) > 1e-3
        assert changed.tolist() == [True, cross_frame, cross_frame]


def test_each_network_keeps_frame_0_in_a_bank_of_its_own(pipeline, networks, monkeypatch):
    seen = []
    own = CrossFrameAttention.__call__

    def watch(processor, attn, hidden, **text):
        seen.append((id(processor.bank), processor.bank.first_chunk, processor.bank.branches))
        return own(processor, attn, hidden, **text)

    monkeypatch.setattr(CrossFrameAttention, "__call__", watch)
    controls = [Control(network, clip(1, 4)) for network in networks]
    follow(pipeline, networks, controls=controls, num_inference_steps=1, chunk_size=2)
    # the UNet has four layers of self-attention, a ControlNet one; two chunks, two branches
    assert len(seen) == 2 * (4 + 1 + 1) and len({bank for bank, _, _ in seen}) == 3
    assert [first for _, first, _ in seen] == [True] * 6 + [False] * 6
    # before the text each network computes both branches at once
    assert [branches for _, _, branches in seen] == [1, 1, 1, 2, 2, 2] * 2


def test_start_and_end_say_in_which_steps_a_controlnet_acts(networks):
    control = Control(networks[0], clip(1), start=0.25, end=0.75)
    assert [step for step in range(8) if control.acts(step, 8)] == [2, 3, 4, 5]
    assert not any(Control(networks[0], clip(1), 0.0).acts(step, 8) for step in range(8))
    assert all(Control(networks[0], clip(1)).acts(step, 50) for step in range(50))


def test_a_controlnet_of_no_weight_changes_nothing(pipeline, networks):
    none, still, one = (
        by_one(pipeline, Control(networks[which], clip(1), scale))
        for which, scale in ((0, 0.0), (1, 0.0), (0, 1.0))
    )
    assert torch.equal(none, still)
    assert (one - none).abs().max() > 0.01


def test_image_guidance_and_text_guidance_have_their_effect(editor):
    plain = edit(editor)
    assert not torch.allclose(plain, edit(editor, image_guidance_scale=3.0), atol=1e-2)
    assert not torch.allclose(plain, edit(editor, guidance_scale=3.0), atol=1e-2)
    assert not torch.allclose(plain, edit(editor, negative_prompt="green"), atol=1e-4)
    off = edit(editor, guidance_scale=1.0)
    assert torch.equal(off, edit(editor, guidance_scale=0.5, negative_prompt="green"))


@pytest.mark.parametrize(("height", "width"), [(40, 72), (64, 128)])
def test_size_is_that_of_the_pictures(pipeline, networks, editor, height, width):
    pictures = clip(5, 2, height, width)
    for parts, latents in (
        (pipeline, follow(pipeline, networks, pictures)),
        (editor, edit(editor, pictures)),
    ):
        assert frames(parts, latents).shape == (2, height, width, 3)


def test_stop_leaves_the_networks_as_found(pipeline, networks):
    before = follow(pipeline, networks)

    def stop(step) -> None:
        if step.done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        follow(pipeline, networks, on_step=stop)
    for network in (pipeline.unet, *networks):
        assert not any(isinstance(p, CrossFrameAttention) for p in network.attn_processors.values())
        assert not network.time_embedding._forward_pre_hooks
    assert not any(network.controlnet_cond_embedding._forward_hooks for network in networks)
    assert torch.equal(follow(pipeline, networks), before)


def test_steps_are_told(pipeline, networks):
    told = []
    follow(pipeline, networks, on_step=told.append)
    assert [(step.done, step.total, step.fraction) for step in told] == [(n, 4, n / 4) for n in (1, 2, 3, 4)]
    assert told[0].latents.shape == (1, 5, 4, 8, 8)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("conditioning_scale", {"scale": -1.0}),
        ("conditioning_scale", {"scale": math.nan}),
        ("guidance_start", {"start": -0.1}),
        ("guidance_end", {"end": 1.5}),
        ("guidance_start", {"start": 0.5, "end": 0.5}),
        ("pictures", {"pictures": np.zeros((2, 64, 64, 3))}),
        ("pictures", {"pictures": np.zeros((2, 64, 64), np.uint8)}),
    ],
)
def test_bad_controls_are_refused_by_name(networks, field, change):
    with pytest.raises(InputError, match=field):
        Control(**{"network": networks[0], "pictures": clip(1), **change})


def test_conditions_that_do_not_fit_are_refused(pipeline, networks, editor):
    with pytest.raises(InputError, match="give a clip"):
        pipeline.guided("a car")
    with pytest.raises(InputError, match="all the same"):
        shapes = (clip(1), clip(1, 4))
        controls = [Control(*each) for each in zip(networks, shapes, strict=True)]
        pipeline.guided("a car", controls=controls)
    with pytest.raises(InputError, match="own copy"):
        pipeline.guided("a car", controls=[Control(networks[0], clip(1))] * 2)
    with pytest.raises(InputError, match="choose an InstructPix2Pix model"):
        pipeline.guided("a car", source=pipeline.encode(clip(1)))
    with pytest.raises(InputError, match="choose a plain model"):
        editor.guided("a car", controls=[Control(networks[0], clip(1))])
    with pytest.raises(InputError, match="width"):
        follow(pipeline, networks, clip(1, 2, 64, 60))
    with pytest.raises(InputError, match="image_guidance_scale"):
        edit(editor, image_guidance_scale=-0.5)


def test_packed_pictures_come_back_as_they_were_and_take_little():
    flat = np.zeros((4, 64, 64, 3), np.uint8)
    flat[:, 20:22] = 255
    packed = Packed(flat)
    assert packed.shape == flat.shape and np.array_equal(packed[1:3], flat[1:3])
    assert sum(map(len, packed._frames)) < flat.nbytes / 20
    noisy = clip(1)[::-1]  # frames that do not lie one after the other
    assert np.array_equal(Packed(noisy)[3:9], noisy[3:9])

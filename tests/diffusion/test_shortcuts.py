"""What a run may leave out: nothing unless it is asked for, the same in all chunks, no more than is said."""

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline
from small_xl import small_xl_controlnet, small_xl_pipeline

from t2v.checks import InputError
from t2v.diffusion.controls import Control
from t2v.diffusion.deep_features import DeepFeatures
from t2v.diffusion.options import Camera, Motion, Shortcuts, Subject
from t2v.diffusion.sampling import make_scheduler
from t2v.memory.profiles import LOW, MEDIUM

STEPS = 9
CACHED, WITHIN = Shortcuts(cache_steps=3), Shortcuts(0.2, 0.7)
BOTH = Shortcuts(0.2, 0.7, 3)
QUICK = {"num_inference_steps": STEPS, "negative_prompt": "blue", "guidance_scale": 5.0}
SIZE = {"height": 64, "width": 64}
OVER_TIME = "0: a red car | 4: a blue car"


@pytest.fixture(scope="module")
def editor():
    return small_pipeline(in_channels=8)


@pytest.fixture(scope="module")
def xl():
    return small_xl_pipeline()


@pytest.fixture(scope="module")
def networks():
    return small_controlnet(1), small_controlnet(2)


def clip(seed: int, frames: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, 64, 64, 3), np.uint8)


def video(pipe, **more) -> torch.Tensor:
    call = {"prompt": "a red car", "num_frames": 5, "motion": Motion(8, 4, 781, 841), **QUICK, **SIZE}
    return pipe(generator=seeded(3), **{**call, **more})


def scene(pipe, **more) -> torch.Tensor:
    call = {"camera": Camera(x=8.0), "num_frames": 5, **QUICK, **SIZE}
    drawn = pipe.scene("a red car", generator=seeded(3), **{**call, **more})
    return torch.from_numpy(np.stack(list(pipe.decode(drawn)))).float()


def follow(pipe, networks, **more) -> torch.Tensor:
    """Two ControlNets, the second one for some of the steps."""
    controls = [
        Control(networks[0], clip(1)),
        *(Control(one, clip(2), 0.7, 0.3, 0.8) for one in networks[1:]),
    ]
    return pipe.guided("a red car", controls=controls, generator=seeded(7), **QUICK, **more)


def edit(editor, **more) -> torch.Tensor:
    source = editor.encode(clip(3))
    return editor.guided("make it red", source=source, generator=seeded(7), **QUICK, **more)


@pytest.mark.slow
@pytest.mark.parametrize("shortcuts", [CACHED, WITHIN, BOTH])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"motion": Motion(8, 4, 781, 841, smooth_bg=0.6, subject="car")},
        {"prompt": OVER_TIME},
        {"motion": Motion(enabled=False), "scheduler": "euler-ancestral"},
        {"scheduler": "dpm++"},
    ],
)
def test_the_chunk_size_never_matters_in_videos(pipeline, shortcuts, asked):
    whole = video(pipeline, chunk_size=0, shortcuts=shortcuts, **asked)
    for chunk_size in (1, 2, 3):
        chunked = video(pipeline, chunk_size=chunk_size, shortcuts=shortcuts, **asked)
        assert torch.allclose(chunked, whole, atol=1e-3, rtol=1e-4), chunk_size
    assert (whole - video(pipeline, **asked)).abs().max() > 1e-3  # something was left out


@pytest.mark.slow
@pytest.mark.parametrize("shortcuts", [CACHED, WITHIN, BOTH])
@pytest.mark.parametrize("subject", [None, Subject("car", x=6.0), Subject("car", lively=True)])
def test_the_chunk_size_never_matters_in_scenes(pipeline, shortcuts, subject):
    whole = scene(pipeline, chunk_size=0, shortcuts=shortcuts, subject=subject)
    for chunk_size in (1, 2):
        chunked = scene(pipeline, chunk_size=chunk_size, shortcuts=shortcuts, subject=subject)
        assert (chunked - whole).abs().max() <= 1
    assert (whole - scene(pipeline, subject=subject)).abs().max() > 1


@pytest.mark.slow
@pytest.mark.parametrize("shortcuts", [CACHED, WITHIN, BOTH])
def test_the_chunk_size_never_matters_along_clips(pipeline, networks, editor, shortcuts):
    for draw, parts in ((follow, (pipeline, networks)), (edit, (editor,))):
        whole = draw(*parts, chunk_size=0, shortcuts=shortcuts)
        for chunk_size in (1, 2, 3):
            chunked = draw(*parts, chunk_size=chunk_size, shortcuts=shortcuts)
            assert torch.allclose(chunked, whole, atol=1e-3, rtol=1e-4), chunk_size
        assert (whole - draw(*parts)).abs().max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("shortcuts", [CACHED, WITHIN, BOTH])
def test_the_chunk_size_never_matters_in_xl(xl, shortcuts):
    """To the bit where there are two branches; one row alone is rounded otherwise, as without guidance."""
    network = [small_xl_controlnet(4)]
    for draw in (video, lambda pipe, **more: follow(pipe, network, **more)):
        drawn = [draw(xl, chunk_size=size, shortcuts=shortcuts) for size in (0, 1, 2, 3)]
        for one in drawn[1:]:
            if shortcuts is CACHED:
                assert torch.equal(one, drawn[0])
            assert torch.allclose(one, drawn[0], atol=1e-4, rtol=1e-4)
    over_time = [video(xl, prompt=OVER_TIME, chunk_size=size, shortcuts=shortcuts) for size in (0, 2)]
    assert torch.allclose(*over_time, atol=1e-4, rtol=1e-4)


def test_seeds_count_with_shortcuts_too(pipeline):
    assert torch.equal(video(pipeline, shortcuts=BOTH), video(pipeline, shortcuts=BOTH))


@pytest.mark.parametrize("kind", ["plain", "xl"])
def test_the_outer_blocks_with_their_own_step_s_features_are_the_whole_unet(kind, pipeline, xl):
    pipe = pipeline if kind == "plain" else xl
    unet, deep = pipe.unet, DeepFeatures(pipe.unet, pipe.memory, every=2)
    width = unet.config.cross_attention_dim
    batch, text = torch.randn(4, 4, 8, 12, generator=seeded(1)), torch.randn(4, 5, width, generator=seeded(2))
    told = {"text_embeds": torch.randn(4, 12), "time_ids": torch.ones(4, 6)} if kind == "xl" else None
    ran = []
    handle = unet.mid_block.resnets[0].register_forward_hook(lambda *_: ran.append(1))
    own = {name: one.__dict__.get("forward") for name, one in unet.named_modules()}

    def call(step: int, scale: float = 1.0) -> torch.Tensor:
        deep.begin(step, 2, "these frames")
        with deep.around(range(2), {}), torch.inference_mode():
            return unet(scale * batch, 500, text, added_cond_kwargs=told).sample

    whole, outer = call(0), call(1)
    assert torch.equal(whole, outer)
    with torch.inference_mode():
        assert torch.equal(unet(batch, 500, text, added_cond_kwargs=told).sample, whole)
        computed = unet(0.5 * batch, 500, text, added_cond_kwargs=told).sample
    deep.begin(0, 2, "these frames")
    with deep.around(range(2), {}), torch.inference_mode():
        unet(batch, 500, text, added_cond_kwargs=told)
    assert not torch.allclose(call(1, 0.5), computed, atol=1e-4)  # another picture with what was kept
    handle.remove()
    assert ran == [1] * 4  # of six calls
    assert {name: one.__dict__.get("forward") for name, one in unet.named_modules()} == own


def watched(pipe, draw) -> list[tuple[int, bool]]:
    """Of each call of the UNet in a run its rows, and whether its middle was computed."""
    seen: list[tuple[int, bool]] = []
    middle = pipe.unet.mid_block.resnets[0]
    hooks = [
        pipe.unet.register_forward_pre_hook(
            lambda _, args: seen.append((len(args[0]), False)),
        ),
        middle.register_forward_hook(lambda *_: seen.__setitem__(-1, (seen[-1][0], True))),
    ]
    try:
        draw()
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def test_every_so_many_steps_are_whole_and_tracks_begin_with_one(pipeline):
    plain = watched(pipeline, lambda: video(pipeline))
    assert all(whole for _, whole in plain)
    cached = watched(pipeline, lambda: video(pipeline, shortcuts=CACHED))
    assert [rows for rows, _ in cached] == [rows for rows, _ in plain]
    ahead = [whole for rows, whole in cached if rows == 2]  # the first frame, and its two branches
    together = [whole for rows, whole in cached if rows == 10]
    assert len(ahead) + len(together) == len(cached) and len(together) > 4
    for calls in (ahead, together):
        assert calls == [number % 3 == 0 for number in range(len(calls))]


def test_outside_the_interval_there_is_one_branch(pipeline, editor):
    still = Motion(enabled=False)
    rows = [rows for rows, _ in watched(pipeline, lambda: video(pipeline, motion=still, shortcuts=WITHIN))]
    times = make_scheduler("ddim", pipeline.scheduler.config, STEPS).timesteps
    assert rows == [10 if 0.2 <= 1 - int(time) / 1000 <= 0.7 else 5 for time in times]
    assert {5, 10} == set(rows)
    seen = {rows for rows, _ in watched(editor, lambda: edit(editor, shortcuts=WITHIN))}
    assert seen == {5, 15}


def test_an_interval_of_nothing_is_guidance_1(pipeline, editor):
    """Where no step lies within, the text alone is followed; and at all steps nothing changes."""
    none = Shortcuts(0.9995, 0.9999)
    for draw, pipe in ((video, pipeline), (edit, editor)):
        alone = draw(pipe, **{"shortcuts": none})
        assert torch.equal(draw(pipe, shortcuts=Shortcuts(0.0, 1.0, 1)), draw(pipe))
        assert (alone - draw(pipe)).abs().max() > 1e-3
    without = {name: value for name, value in QUICK.items() if name != "guidance_scale"}
    call = {**without, "num_frames": 5, "motion": Motion(8, 4, 781, 841), **SIZE}
    off = pipeline("a red car", generator=seeded(3), guidance_scale=1.0, **call)
    assert torch.allclose(video(pipeline, shortcuts=none), off, atol=1e-5)


def test_controlnets_rest_where_features_are_kept(pipeline, networks):
    called = []
    hooks = [one.register_forward_hook(lambda network, *_: called.append(network)) for one in networks]
    try:
        follow(pipeline, networks, shortcuts=CACHED)
    finally:
        for hook in hooks:
            hook.remove()
    acting = [Control(networks[1], clip(2), 0.7, 0.3, 0.8).acts(step, STEPS) for step in range(STEPS)]
    whole, age = [], 0
    for step in range(STEPS):  # the second one's coming and going makes a step whole
        age = 0 if step == 0 or acting[step] != acting[step - 1] or age == 2 else age + 1
        whole += [step] if age == 0 else []
    assert called.count(networks[0]) == len(whole) < STEPS
    assert called.count(networks[1]) == sum(acting[step] for step in whole)


@pytest.mark.parametrize("profile", [MEDIUM, LOW])
def test_memory_changes_nothing_of_what_is_kept(profile, networks):
    kept, plain = small_pipeline(), small_pipeline()
    kept.memory.place(profile, "cpu")
    for pipe in (kept, plain):
        pipe.set_progress_bar_config(disable=True)
    assert torch.allclose(video(kept, shortcuts=BOTH), video(plain, shortcuts=BOTH), atol=1e-4)


def test_smaller_chunks_take_what_larger_ones_kept(pipeline, monkeypatch):
    """Memory that runs out between two steps lowers the chunks, and not the picture."""
    wanted, own, calls = video(pipeline, shortcuts=CACHED), type(pipeline.memory).at_once, []

    def at_once(memory, count, latents, branches):
        calls.append(count)
        return own(memory, count, latents, branches) if len(calls) % 2 else 2

    monkeypatch.setattr(type(pipeline.memory), "at_once", at_once)
    assert torch.allclose(video(pipeline, shortcuts=CACHED), wanted, atol=1e-3, rtol=1e-4)
    assert len(calls) > STEPS


@pytest.mark.parametrize(
    ("field", "shortcuts"),
    [
        ("guided_from", Shortcuts(guided_from=-0.1)),
        ("guided_until", Shortcuts(guided_until=1.5)),
        ("guided_from", Shortcuts(0.6, 0.5)),
        ("cache_steps", Shortcuts(cache_steps=0)),
        ("cache_steps", Shortcuts(cache_steps=11)),
        ("cache_steps is 4, and there are 9 steps; choose at most 3", Shortcuts(cache_steps=4)),
    ],
)
def test_what_cannot_be_left_out_is_refused(pipeline, field, shortcuts):
    with pytest.raises(InputError, match=field):
        video(pipeline, shortcuts=shortcuts)


def test_a_unet_without_a_deep_part_is_refused():
    flat = {"down_block_types": ("CrossAttnDownBlock2D",), "up_block_types": ("CrossAttnUpBlock2D",)}
    pipe = small_pipeline(block_out_channels=(16,), **flat)
    with pytest.raises(InputError, match="no deep part"):
        video(pipe, shortcuts=CACHED)
    assert video(pipe, shortcuts=WITHIN).isfinite().all()

"""changing.py: frames told different texts, from one start, exact in chunks; what no text changes is held."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline

from t2v.checks import InputError
from t2v.diffusion.ahead import held
from t2v.diffusion.changing import FREE, HELD, LATE, Hold, _prediction_of, blended
from t2v.diffusion.controls import Control
from t2v.diffusion.guidance import Guidance
from t2v.diffusion.options import Motion
from t2v.diffusion.over_time import shares_of
from t2v.diffusion.sampling import SCHEDULERS, Track, make_scheduler

STILL = Motion(0, 0)
CHANGING = "0: a red car | 4: a blue boat"


def draw(pipeline, prompt=CHANGING, **changes) -> torch.Tensor:
    call = {"num_frames": 5, "num_inference_steps": 10, "motion": STILL, "generator": seeded(7)}
    return pipeline(prompt, **{**call, **changes})


def weights_of(places, frames) -> torch.Tensor:
    return torch.tensor(shares_of(places, frames))


def test_blends_are_of_all_branches_and_a_text_alone_is_told_as_it_is():
    one, other = (Guidance(torch.randn(2, 3, 4, generator=seeded(s)), (7.5,)) for s in (1, 2))
    mixed = blended([one, other], weights_of((0, 4), range(5)))
    assert mixed.embeds.shape == (2, 5, 3, 4) and (mixed.scales, mixed.late) == ((7.5,), LATE)
    assert torch.equal(mixed.embeds[:, 0], one.embeds) and torch.equal(mixed.embeds[:, 4], other.embeds)
    assert torch.allclose(mixed.embeds[:, 1], 0.75 * one.embeds + 0.25 * other.embeds, atol=1e-6)
    # laid out as the batch is, and at first all are told what frame 0 is
    told = mixed.text(3, 2, done=0.5)
    assert torch.equal(told, mixed.embeds[:, 3:].flatten(0, 1))
    assert torch.equal(mixed.text(3, 2, done=0.0), one.text(3, 2, done=0.0))


@pytest.mark.parametrize("scheduler", ["ddim", "euler-ancestral", "dpm++"])
@pytest.mark.parametrize("motion", [STILL, Motion(8, 0, 600, 800)], ids=["still", "moved"])
def test_chunk_size_never_changes_the_picture(pipeline, scheduler, motion):
    whole, *others = (
        np.stack(list(pipeline.decode(draw(pipeline, chunk_size=n, scheduler=scheduler, motion=motion))))
        for n in (0, 1, 2, 3)
    )
    for other in others:
        assert np.abs(other.astype(int) - whole).max() <= 1


def test_frame_0_is_the_first_texts_and_the_others_leave_it(pipeline):
    latents = draw(pipeline)
    first = draw(pipeline, "a red car", num_frames=1)
    assert torch.allclose(latents[:, :1], first, atol=1e-4)
    away = (latents - latents[:, :1]).abs().mean((0, 2, 3, 4))
    assert away[0] == 0 and away[4] > 0.01 and bool((away.diff() > 0).all())


@pytest.mark.parametrize("scheduler", ["ddim", "euler-ancestral", "lcm"])
def test_texts_that_say_the_same_give_one_still_picture(pipeline, scheduler):
    latents = draw(pipeline, "0%: a red car | 100%: a red car", scheduler=scheduler)
    assert torch.allclose(latents, latents[:, :1].expand_as(latents), atol=1e-3)


def test_a_fixed_prompt_is_drawn_as_before(pipeline, monkeypatch):
    def refuse(*_):
        raise AssertionError("of a fixed prompt nothing is blended or held")

    monkeypatch.setattr(Hold, "__call__", refuse)
    monkeypatch.setattr("t2v.diffusion.telling.blended", refuse)
    texts = ("a red car", "3: a red car", "a red car | at night")
    still = [draw(pipeline, text, motion=Motion(8, 0, 600, 800)) for text in texts]
    assert torch.equal(still[0], draw(pipeline, texts[0], motion=Motion(8, 0, 600, 800)))
    assert not torch.equal(still[0], still[1]) and not torch.equal(still[0], still[2])


def test_frames_guided_by_a_clip_are_told_their_own_text(pipeline):
    pictures = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8).repeat(5, axis=0)
    call = {"num_inference_steps": 10, "controls": [Control(small_controlnet(1), pictures)]}
    latents, fixed = (pipeline.guided(text, generator=seeded(1), **call) for text in (CHANGING, "a red car"))
    assert torch.allclose(latents[:, 0], fixed[:, 0], atol=1e-4)
    away = (latents - fixed).abs().mean((0, 2, 3, 4))
    assert away[4] > away[2] > away[1] > 1e-4


def test_a_frame_that_is_not_there_is_refused(pipeline):
    with pytest.raises(InputError, match="prompt names frame 4"):
        draw(pipeline, num_frames=3)


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_a_prediction_is_what_gives_its_clean_latents(name, kind):
    config = {**small_pipeline().scheduler.config, "prediction_type": kind}
    schedule = make_scheduler(name, config, 12)
    track = Track.from_latents(
        schedule, torch.randn(2, 4, 8, 8, generator=seeded(1)), [seeded(), seeded()], 5
    )
    prediction = torch.randn(2, 4, 8, 8, generator=seeded(2))
    assert torch.allclose(_prediction_of(track, track.clean(prediction)), prediction, atol=1e-4)


def test_what_a_text_changes_is_free_and_the_rest_is_frame_0s():
    """Half of the picture changes; a quarter of that much in the other half is drift, and is held."""
    schedule = make_scheduler("ddim", small_pipeline().scheduler.config, 10)
    x = torch.randn(1, 4, 8, 16, generator=seeded(1)).expand(3, -1, -1, -1)
    track = Track.from_latents(schedule, x, [seeded()] * 3, 5)
    clean = torch.randn(1, 4, 8, 16, generator=seeded(2)).repeat(3, 1, 1, 1)
    change = torch.full((4, 8, 16), 0.25)
    change[..., 8:] = 1.0
    clean[1] += change / 2
    clean[2] += change
    hold = Hold(weights_of((0, 2), range(3)))
    got = track.clean(hold(track, _prediction_of(track, clean)))
    assert torch.allclose(got[0], clean[0], atol=1e-4)
    assert torch.allclose(got[1:, ..., :7], clean[:1, ..., :7].expand(2, -1, -1, -1), atol=1e-4)
    assert torch.allclose(got[1:, ..., 9:], clean[1:, ..., 9:], atol=1e-4)
    assert 0.25 < HELD < FREE < 1
    early = replace(track, index=0)
    assert torch.equal(hold(early, clean), clean)  # all frames are told the same there


def test_a_subject_that_a_text_changes_less_than_the_rest_is_frame_0s():
    """All of the picture changes, its left half more or less than the right; the subject is a part of it."""
    subject = torch.zeros(4, 6)
    subject[1:3, 1:3] = 1
    subject[1, 3] = 0.5
    change = torch.ones(2, 4, 6)
    change[1, :, :3] = 2
    around = Hold._around(change - 0.5 * subject, subject)
    assert torch.equal(around[0], 1 - subject)
    assert torch.equal(around[1], torch.ones(4, 6))  # it is what this text is about


@pytest.mark.parametrize("words", ["red car", "blue boat"])
def test_a_subject_is_looked_for_where_all_texts_name_it(pipeline, words):
    told: list = []
    motion = Motion(0, 0, subject=words)
    draw(pipeline, "0: a red car | 4: a red car by the sea", motion=motion, on_step=told.append)
    assert [step.done for step in told] == list(range(1, told[0].total + 1))
    assert told[0].total == (20 if words == "red car" else 10)


@pytest.mark.parametrize("scheduler", ["ddim", "dpm++"])
def test_a_subject_that_stays_is_the_same_in_chunks(pipeline, scheduler):
    call = {"motion": Motion(0, 0, subject="red car"), "scheduler": scheduler}
    text = "0: a red car | 4: a red car by the sea"
    whole, *others = (draw(pipeline, text, chunk_size=n, **call) for n in (0, 1, 2, 3))
    for other in others:
        assert torch.allclose(other, whole, atol=2e-3)


def test_the_whole_picture_as_subject_stays(pipeline, monkeypatch):
    monkeypatch.setattr("t2v.diffusion.one_video.cells_of", lambda *_: torch.ones(16, 16))
    monkeypatch.setattr(Hold, "_around", staticmethod(lambda change, subject: 1 - subject + 0 * change))
    latents = draw(pipeline, "0: a red car | 4: a red car by the sea", motion=Motion(0, 0, subject="red car"))
    assert torch.allclose(latents, latents[:, :1].expand_as(latents), atol=1e-3)


def test_a_learned_word_is_found_where_its_tokens_stand():
    """Its name is two letters, and four tokens stand for it: what comes behind it moves on by two."""
    pipeline = small_pipeline()
    weights = torch.ones(2, 2)
    assert pipeline.places_of("a xy car", "car") == [4, 5, 6]
    pipeline.words["xy"] = "abcd"
    assert pipeline.places_of("a XY car", "car") == [6, 7, 8]
    assert pipeline.places_of("a XY car", "xy") == [2, 3, 4, 5]
    prompt = "0: a xy | 1: a Xy on sea"
    assert held(pipeline, prompt, weights, "xy").words == "xy"
    assert held(pipeline, prompt, weights, "sea").words == ""

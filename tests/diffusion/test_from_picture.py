"""from_picture.py, inversion.py: videos that begin with a given picture."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import seeded

from t2v.checks import InputError
from t2v.diffusion.from_picture import FirstFrame, Start
from t2v.diffusion.inversion import inverted, noise_in, redrawn
from t2v.diffusion.options import SCHEDULERS, Camera, Motion, Subject
from t2v.diffusion.sampling import alpha_bar, make_scheduler

STEPS = 6
SCENE = {"num_frames": 4, "num_inference_steps": STEPS, "camera": Camera(8, 0)}
PAPER = {"num_frames": 4, "num_inference_steps": STEPS, "motion": Motion(8, 0, 600, 800)}
RED = Subject("red", 8.0, t0=500, t1=700)
PAINTED = np.zeros((128, 128), np.uint8)
PAINTED[40:72, 24:56] = 255


def picture() -> np.ndarray:
    """A gradient with a red square, 128x128."""
    rows, columns = np.mgrid[0:128, 0:128].astype(np.uint8)
    whole = np.stack([columns, rows, np.full_like(rows, 90)], axis=-1)
    whole[40:72, 24:56] = (220, 30, 30)
    return whole


GIVEN = FirstFrame(picture())


def scene(pipeline, **changes):
    drawn = pipeline.scene("a red car", **{"generator": seeded(7), "first_frame": GIVEN, **SCENE, **changes})
    return np.stack(list(pipeline.decode(drawn)))


def paper(pipeline, **changes):
    call = {"generator": seeded(7), "first_frame": GIVEN, **PAPER, **changes}
    drawn = call["first_frame"].shown(pipeline("a red car", **call))
    return np.stack(list(pipeline.decode(drawn)))


def difference(a, b):
    return int(np.abs(a.astype(int) - b).max())


def start_of(pipeline, scheduler, given=GIVEN):
    schedule = make_scheduler(scheduler, pipeline._noise_config, STEPS)
    return Start.of(pipeline, given, schedule, torch.randn(1, 4, 16, 16, generator=seeded(2)))


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("way", [scene, paper])
def test_frame_0_is_the_picture_under_every_sampler(pipeline, scheduler, way):
    drawn = way(pipeline, scheduler=scheduler)
    assert np.array_equal(drawn[0], picture())
    assert difference(drawn[1], drawn[0]) > 10


def test_the_picture_moves_as_a_whole_and_something_comes_in_beside_it(pipeline):
    drawn = scene(pipeline)
    for k in (1, 2, 3):
        assert np.array_equal(drawn[k][:, 8 * k :], picture()[:, : -8 * k])
    assert np.array_equal(drawn[3][:, 16:24], drawn[1][:, :8])  # and what has come in moves along
    assert difference(scene(pipeline, generator=seeded(1))[3][:, :24], drawn[3][:, :24]) > 5


def test_what_comes_in_sees_the_picture(pipeline):
    other = FirstFrame(255 - picture())
    assert difference(scene(pipeline, first_frame=other)[3][:, :24], scene(pipeline)[3][:, :24]) > 5


@pytest.mark.slow
@pytest.mark.parametrize("call", [{}, {"subject": RED}, {"subject": replace(RED, x=0.0, lively=True)}])
def test_chunk_size_never_changes_the_picture_and_seeds_give_the_same(pipeline, call):
    call = {"scheduler": "euler-ancestral", "painted": PAINTED, **call}
    whole = scene(pipeline, chunk_size=0, **call)
    for chunk_size in (1, 3, 4):
        assert difference(scene(pipeline, chunk_size=chunk_size, **call), whole) <= 1


@pytest.mark.slow
def test_chunk_size_never_changes_the_papers_frames(pipeline):
    whole = paper(pipeline, chunk_size=0)
    assert all(difference(paper(pipeline, chunk_size=size), whole) <= 1 for size in (1, 3))
    assert np.array_equal(paper(pipeline), paper(pipeline))


def test_a_subject_is_cut_out_of_the_picture_to_the_pixel_and_the_rest_stands(pipeline):
    drawn = scene(pipeline, camera=Camera(), subject=RED, painted=PAINTED)
    assert np.array_equal(drawn[0], picture())
    for k in (1, 2, 3):
        assert difference(drawn[k][44:68, 28 + 8 * k : 52 + 8 * k], picture()[44:68, 28:52]) <= 1
        assert np.array_equal(drawn[k][112:], picture()[112:])  # far below it


def test_life_begins_with_the_picture_and_changes_the_subject_alone(pipeline):
    drawn = scene(pipeline, camera=Camera(), subject=replace(RED, x=0.0, lively=True), painted=PAINTED)
    assert np.array_equal(drawn[0], picture())
    assert difference(drawn[1][44:68, 28:52], picture()[44:68, 28:52]) > 10
    assert all(np.array_equal(frame[112:], picture()[112:]) for frame in drawn)


@pytest.mark.parametrize("way", [scene, paper])
def test_the_lower_the_strength_the_less_of_the_picture_is_left(pipeline, way):
    drawn = [way(pipeline, first_frame=FirstFrame(picture(), strength))[0] for strength in (1.0, 0.85, 0.0)]
    away = [np.abs(one.astype(float) - picture()).mean() for one in drawn]
    assert away[0] == 0 and 0 < away[1] < away[2]


def test_a_strength_holds_the_picture_up_to_its_share_of_the_steps(pipeline):
    for strength, until in ((1.0, STEPS), (0.99, STEPS - 1), (0.5, 3), (0.0, 0)):
        assert start_of(pipeline, "ddim", FirstFrame(picture(), strength)).until == until


@pytest.mark.parametrize("scheduler", ["ddim", "euler"])
def test_latents_are_put_back_in_the_schedulers_own_scaling(pipeline, scheduler):
    start = start_of(pipeline, scheduler)
    track = start.track([seeded()], 2)
    a = alpha_bar(start.schedule, 2)
    expected = a**0.5 * start.latents + (1 - a) ** 0.5 * start.noise
    assert torch.allclose(track.preserving(), expected, atol=1e-5)
    both = torch.zeros(2, 4, 16, 16)
    put = start.put_back(both, 2)
    assert torch.equal(put[:1], track.latents) and not put[1].any()
    assert torch.equal(start.put_back(both, STEPS)[:1], start.latents)


@pytest.mark.parametrize("scheduler", ["ddim", "euler", "dpm++"])
def test_an_inverted_picture_is_drawn_again_the_better_the_more_rounds(pipeline, scheduler):
    start = start_of(pipeline, scheduler)

    def epsilon(latents, index):
        """What is best predicted where latents are white noise of a deviation of 0.5."""
        a = alpha_bar(start.schedule, index)
        return (1 - a) ** 0.5 * latents / (0.25 * a + 1 - a)

    errors = []
    for rounds in (1, 3, 8):
        back = redrawn(replace(start, inverted=inverted(start, epsilon, 0, rounds)), epsilon, 0)
        errors.append(float((back - start.latents).abs().max()))
    assert errors[0] > 2 * errors[1] > 4 * errors[2] and errors[2] < 0.05


def test_the_noise_in_latents_is_found_whatever_a_model_predicts():
    generator = seeded(1)
    clean, noise = (torch.randn(2, 4, 8, 8, generator=generator) for _ in range(2))
    a = 0.3
    latents, v = a**0.5 * clean + (1 - a) ** 0.5 * noise, a**0.5 * noise - (1 - a) ** 0.5 * clean
    for kind, prediction in (("epsilon", noise), ("v_prediction", v), ("sample", clean)):
        assert torch.allclose(noise_in(latents, prediction, a, kind), noise, atol=1e-5)


@pytest.mark.parametrize("call", [{"way": scene}, {"way": paper}])
def test_steps_are_told_to_the_end(pipeline, call):
    for strength in (1.0, 0.5):
        told = []
        call["way"](pipeline, first_frame=FirstFrame(picture(), strength), on_step=told.append)
        assert [step.done for step in told] == list(range(1, told[-1].total + 1))
        assert told[-1].fraction == pytest.approx(1.0)


def test_where_nothing_comes_into_view_nothing_is_drawn(pipeline):
    told = []
    drawn = scene(pipeline, camera=Camera(zoom=1.1), on_step=told.append)
    assert told == [] and np.array_equal(drawn[0], picture())
    middle = np.s_[56:72, 56:72]
    assert difference(drawn[3][middle], drawn[0][middle]) > 0 and len(drawn) == 4
    assert np.array_equal(scene(pipeline, camera=Camera())[3], picture())


@pytest.mark.parametrize("bad", [picture()[:64], picture().astype(float), "car.png"])
def test_a_picture_of_another_size_or_kind_is_refused(pipeline, bad):
    with pytest.raises(InputError, match=r"first_frame is .*; give a uint8 array of shape \(128, 128, 3\)"):
        scene(pipeline, first_frame=FirstFrame(bad))
    with pytest.raises(InputError, match="strength is 2"):
        paper(pipeline, first_frame=FirstFrame(picture(), 2))

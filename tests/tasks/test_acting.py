"""tasks/acting.py: which prompts make a figure act, and the run that comes of it."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import seeded, small_controlnet
from runs import resolved, suits

from t2v.checks import InputError
from t2v.detectors import looks_like_skeleton
from t2v.tasks.acting import joints_of, sized, skeletons, told_action
from t2v.tasks.resolved import Means
from t2v.tasks.suits import Network
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.card import read_card
from t2v.weights.figure import PERSON
from t2v.weights.source import Source

DANCING = TextToVideoSettings("a white panda dancing on the beach")
FIGURE = read_card(Source.parse("miniature")).figure


@pytest.mark.parametrize(
    ("prompt", "action"),
    [
        ("a white panda dancing on the beach", "dance"),
        ("A Robot is WALKING in the snow", "walk"),
        ("a bear jumps in the forest", "jump"),
        ("a person running, pixel art", "run"),
        ("an alien waves at night", "wave"),
        ("a panda on the waves", None),
        ("a panda on the beach", None),
        ("a dog running on the grass", None),
        ("a boat dancing on the sea", None),
        ("a robot and a panda dancing", None),
        ("a robot dancing beside a red car", None),
        ("people dancing", None),
    ],
)
def test_a_prompt_about_one_figure_that_does_something_known(prompt, action):
    assert told_action(prompt, "miniature") == told_action(prompt, "miniature+style") == action


def test_only_models_that_say_how_their_figures_stand_act_unasked(family):
    assert told_action(DANCING.prompt, family) is None  # it has a pose ControlNet beside it, and no such card
    assert told_action(DANCING.prompt, "stable-diffusion-v1-5/stable-diffusion-v1-5") is None


def test_whoever_asks_how_the_picture_moves_has_it_moved():
    assert DANCING.acted() == "dance" == replace(DANCING, motion_x=4.0).acted()
    for asked in (
        {"action": "none"},
        {"t0": 481},
        {"t1": 521},
        {"motion_field": False},
        {"warp": "reference"},
    ):
        assert replace(DANCING, **asked).acted() is None
    assert replace(DANCING, action="wave", t0=481).acted() == "wave"
    with pytest.raises(InputError, match="action is 'fly'; choose one of none, walk, wave"):
        replace(DANCING, action="fly").check()


def test_the_run_has_nothing_left_open_and_asks_for_itself():
    run = resolved(DANCING)
    assert (run.action, run.motion_x, run.motion_y) == ("dance", 0.0, 0.0)
    assert [one.task for one in run.networks] == ["pose"]
    again = resolved(run.filled())
    assert again.filled() == run.filled() and again.action == "dance"
    still = resolved(replace(DANCING, action="none"))
    assert (still.action, still.motion_x, still.networks) == ("none", 8.0, ())
    assert resolved(still.filled()).action == "none"
    assert resolved(TextToVideoSettings("a red car")).filled().action == "none"


def test_it_says_so_where_nobody_asked_for_it():
    (note,) = DANCING.notes()
    assert note.startswith("The figure is dancing, as the prompt says") and "“none”" in note
    assert replace(DANCING, action="dance").notes() == replace(DANCING, action="none").notes() == ()


@pytest.mark.parametrize(
    ("asked", "begins", "says"),
    [
        ({"first_frame": "dance.png"}, "The figure does not dance: in a picture", "moved as a whole"),
        ({"motion": "line 0,0 20%,0"}, "The figure does not dance, as a motion over time", "leave that out"),
        ({"subject": "panda"}, "The figure does not dance, as a subject that is named says", "it does"),
        ({"move": "subject"}, "The figure does not dance, as something else was", "choose the camera there"),
        ({"t0": 481}, "The figure does not dance, as an option of the paper's method says", "it does"),
        ({"prompt": "a cat walking"}, "Nothing walks here: only a figure acts, as robot, ", "or person; the"),
        ({"prompt": "a cat jumps at night"}, "Nothing jumps here", "the picture is moved instead"),
        ({"prompt": "a robot dancing beside a car"}, "The figure does not dance: it acts where", "a place"),
    ],
)
def test_it_says_why_nothing_acts_though_the_prompt_says_so(asked, begins, says):
    (note,) = replace(DANCING, **asked).notes()
    assert note.startswith(begins) and says in note


def test_nothing_is_said_where_nothing_was_to_act():
    for asked in ({"prompt": "a boat on the waves"}, {"prompt": "a cat walking", "zoom": 1.02}):
        assert replace(DANCING, **asked).notes() == ()
    quiet = replace(DANCING, prompt="a red car", first_frame="car.png")
    assert quiet.notes() == replace(DANCING, prompt="people dancing").notes() == ()


def test_a_figure_is_as_large_as_its_kind():
    assert sized(FIGURE, "an astronaut waving").size == 1.15
    assert sized(FIGURE, "somebody waving") == FIGURE and sized(PERSON, "an astronaut").size == PERSON.size


def test_the_pictures_are_skeletons_at_the_runs_size():
    run = resolved(replace(DANCING, width=128, height=64, num_frames=3))
    pictures = skeletons(joints_of(run), (run.width, run.height))
    assert pictures.shape == (3, 64, 128, 3) and looks_like_skeleton(pictures)
    assert np.abs(np.diff(pictures.astype(int), axis=0)).max() > 100


def test_it_is_drawn_along_them_for_any_model(pipeline):
    seen = {}
    run = replace(DANCING, action="jump", num_frames=4, seed=1, width=64, height=64)
    run = run.resolve(suits(), (Network("pose", "somewhere"),))
    means = Means(
        pipeline, [small_controlnet(1)], seeded(), see=lambda name, frames: seen.update({name: frames})
    )
    latents = run.draw(means)
    assert latents.shape == (1, 4, 4, 8, 8)
    assert np.array_equal(seen["pose"], skeletons(joints_of(run), (64, 64)))
    assert (latents[:, 1] - latents[:, 0]).abs().max() > 0.01  # it moves


def test_a_prompt_over_time_acts_where_all_its_texts_are_of_the_figure():
    standing, waving = "0: a robot on the grass", "8: a robot waving on the grass"
    settings = TextToVideoSettings(f"{standing} | {waving}", num_frames=9)
    assert settings.acted() == "wave"
    assert TextToVideoSettings(f"{standing} | 7: a panda waving, a car").acted() is None
    assert TextToVideoSettings("0: a robot | 7: a robot at night").acted() is None
    run = resolved(settings)
    assert resolved(run.filled()).filled() == run.filled()
    hand = joints_of(run)[:, 7, 1]
    always = joints_of(resolved(replace(settings, prompt="a robot waving")))[:, 7, 1]
    assert hand[8] == pytest.approx(always[8]) and hand[0] > always[0] + 5  # it begins at rest, hand down
    everywhere = resolved(replace(settings, prompt="0: a robot | 8: a robot at night", action="wave"))
    assert np.allclose(joints_of(everywhere)[:, 7, 1], always)

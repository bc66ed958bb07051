"""text_to_video.py, subject.py: what moves, and which words of a prompt are its subject."""

import pytest

from t2v.checks import InputError
from t2v.tasks.subject import find_words, subject_of
from t2v.tasks.text_to_video import TextToVideoSettings


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        ("a red car on the street", "red car"),
        ("A panda dancing at night", "panda"),
        ("the old king, oil painting", "old king"),
        ("an astronaut", "astronaut"),
        ("a king in a hall", "king"),
        ("red  car\nin snow", "red car"),
        ("ping pong", "ping pong"),
        ("a", "a"),
    ],
)
def test_the_subject_ends_where_a_place_or_a_doing_begins(prompt, subject):
    assert subject_of(prompt) == subject


def test_words_are_found_whole_and_however_they_are_spaced():
    assert find_words("a Red\t car", "red car").span() == (2, 10)
    assert find_words("a street", "tree") is None and find_words("a car", " ") is None


@pytest.mark.parametrize(
    "prompt", ["a red  car", "a red car\nsecond line", "a\u00a0red\tcar in snow", "a", "., |"]
)
def test_a_subject_that_nobody_named_is_never_refused(prompt):
    from runs import resolved

    resolved(TextToVideoSettings(prompt), 256).filled().check()


def test_a_subject_that_is_named_must_be_said():
    TextToVideoSettings("a red  car on snow", subject="Red Car").check()
    for words in ("cat", "ca", " ", ""):
        with pytest.raises(InputError, match="^subject is .*give words of the prompt"):
            TextToVideoSettings("a red car", subject=words).check()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"move": "all"}, "^move is "),
        ({"motion_path": "round"}, "^motion_path is "),
        ({"method": "other"}, "^method is "),
        ({"background_x": 3.0}, "^background_x and background_y are given, and move is camera; choose both"),
        ({"method": "paper", "move": "subject"}, "^move is subject, and method is paper"),
        ({"method": "paper", "zoom": 1.1}, "^zoom is 1.1, and method is paper"),
        ({"move": "subject", "action": "walk"}, "^action is walk, and move is subject"),
        (
            {"move": "subject", "prompt": "0: a car | 7: a cat"},
            "^move is subject, and the prompt changes over",
        ),
        ({"method": "canvas", "prompt": "0: a car | 7: a cat"}, "^method is canvas, and the prompt changes"),
    ],
)
def test_what_does_not_go_together_is_refused(changes, told):
    with pytest.raises(InputError, match=told):
        TextToVideoSettings(**{"prompt": "a red car", **changes}).check()


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        ({}, "canvas"),
        ({"t0": 400}, "paper"),
        ({"warp": "reference"}, "paper"),
        ({"motion_field": False}, "paper"),
        ({"smooth_bg": 0.6}, "paper"),
        ({"method": "canvas", "t0": 400}, "canvas"),
        ({"move": "life", "t0": 400}, "canvas"),
        ({"cross_frame_attention": False}, "canvas"),
        ({"prompt": "0: a car | 7: a cat"}, "paper"),
    ],
)
def test_options_of_one_method_choose_it(changes, method):
    from dataclasses import replace

    from runs import suits

    settings = TextToVideoSettings(**{"prompt": "a red car", **changes})
    run = settings.resolve(replace(suits(256), method="canvas"), ())
    assert run.method == method and run.filled().method == method
    if "move" in changes:
        assert run.t0 == 400


def test_life_parts_earlier_and_later_than_other_runs():
    from runs import resolved

    still, lively = (resolved(TextToVideoSettings("a cat", move=move), 256) for move in ("subject", "life"))
    assert (still.t0, still.t1) == (600, 700) and (lively.t0, lively.t1) == (300, 799)

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


TWO = "a red car and a blue ball on the street"


def moving(prompt=TWO, **changes):
    from runs import resolved

    from t2v.tasks.what_moves import what_moves

    return what_moves(resolved(TextToVideoSettings(prompt, **changes), 256))


def test_a_motion_is_of_the_camera_unless_something_else_moves():
    camera = moving(motion="7: 60,0")
    assert camera.subjects == () and camera.camera.course.keys[-1].x == 60
    car = moving(move="subject", motion="7: 60,0")
    assert car.camera.course is None and car.camera.x == 0
    assert [one.words for one in car.subjects] == ["red car"] and car.subjects[0].course.keys[-1].x == 60
    assert moving(move="life", motion="7: 60,0").subjects[0].lively


def test_what_a_motion_names_moves_the_first_named_nearest():
    both = moving(motion="Blue ball: 7: 60,0; red car: 7: -9,0; camera: 7: 0,0 x2")
    assert [one.words for one in both.subjects] == ["Blue ball", "red car"]
    assert both.subjects[1].course.keys[-1].x == -9 and both.camera.course.keys[-1].size == 2


def test_several_subjects_move_as_one_where_nothing_tells_them_apart():
    pair = moving(move="subject", subject="blue ball; red car", motion_x=5)
    assert [(one.words, one.x, one.course) for one in pair.subjects] == [
        ("blue ball", 5, None),
        ("red car", 5, None),
    ]


def test_painted_subjects_get_their_masks_in_order():
    found = moving(move="subject", subject="red car; blue ball", painted=";4x4:5,2,2,2")
    assert found.painted[0] is None and found.painted[1].shape == (256, 256)
    assert found.painted[1][128, 128] and not found.painted[1][10, 10]
    assert moving(move="subject", subject="red car; blue ball", painted="2x2:0,4").painted[1] is None


def test_a_run_with_a_motion_can_be_asked_for_again():
    from runs import resolved

    for changes in ({"motion": "7: 9,9"}, {"motion": "red car: 3: 1,1", "painted": "2x2:1,1"}):
        run = resolved(TextToVideoSettings(TWO, **changes), 256)
        assert run.method == "canvas" and run.motion_x == run.motion_y == 0
        run.filled().check()
        assert run.filled().motion == changes["motion"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"motion": "jump"}, "^motion has 'jump'"),
        (
            {"motion": "7: 1,1", "motion_x": 3.0},
            "^motion_x is 3.0, and motion says how things move; write it",
        ),
        ({"motion": "7: 1,1", "zoom": 1.1}, "^zoom is 1.1, and motion says"),
        ({"motion": "7: 1,1", "motion_path": "arc"}, "^motion_path is arc, and motion says"),
        ({"motion": "cat: 7: 1,1"}, "^motion moves 'cat', which the prompt does not say; write camera or"),
        ({"motion": "7: 1,1", "method": "paper"}, "^motion is given, and method is paper"),
        ({"motion": "7: 1,1", "action": "walk"}, "^action is walk, and motion is given"),
        ({"motion": "7: 1,1", "prompt": "0: a car | 7: a cat"}, "^motion is given, and the prompt changes"),
        (
            {"motion": "7: 1,1; red car: 7: 2,2", "move": "subject", "subject": "red car"},
            "^motion has two parts for 'red car'",
        ),
        ({"motion": "7: 1,1; camera: 7: 2,2"}, "^motion has two parts for 'camera'"),
        ({"painted": "2x2:1,1"}, "^painted is given, and the camera alone moves"),
        ({"painted": "2x2:1,1;;2x2:1,1", "move": "subject"}, "^painted has 3 masks, and 1 move"),
        ({"painted": "no", "move": "subject"}, "^painted is 'no'"),
        ({"subject": "red car; cat"}, "^subject is 'cat', which the prompt does not say"),
        ({"subject": ";".join(["red car"] * 7), "move": "subject"}, "^subject is one of 7; at most 6"),
    ],
)
def test_what_goes_wrong_with_a_motion_is_told(changes, told):
    with pytest.raises(InputError, match=told):
        TextToVideoSettings(**{"prompt": TWO, **changes}).check()

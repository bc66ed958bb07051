"""travel.py: the speed of a video that asks for none, by its length."""

import json
from dataclasses import replace

import pytest
from runs import resolved

from miniature.shapes import DEFAULTS
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.travel import speeds
from t2v.weights.source import MINIATURE

GOOD = TextToVideoSettings("a red car on a street")
OWN = {"motion_x": 12.0, "motion_y": -4.0}


@pytest.mark.parametrize("num_frames", [1, 2, 8])
def test_up_to_eight_frames_have_one_speed(num_frames):
    known = {**OWN, "travel_x": -14.0, "travel_y": 7.0}
    assert speeds(known, num_frames, "camera", "canvas") == {"motion_x": -2.0, "motion_y": 1.0}
    for move, method in (("subject", "canvas"), ("life", "canvas"), ("camera", "paper")):
        assert speeds(known, num_frames, move, method) == OWN
    assert speeds(OWN, num_frames, "camera", "canvas") == OWN


@pytest.mark.parametrize("num_frames", [9, 24, 64, 300])
def test_longer_ones_go_the_same_way_altogether(num_frames):
    def way(own, move, method="canvas"):
        found = speeds(own, num_frames, move, method)
        return tuple((num_frames - 1) * found[name] for name in ("motion_x", "motion_y"))

    known = {**OWN, "travel_x": -16.0, "travel_y": 3.0}
    assert way(known, "camera") == way(known, "camera", "paper") == pytest.approx((-16, 3))
    assert way(OWN, "camera") == way(known, "subject") == way(known, "both") == pytest.approx((84, -28))


def test_what_is_asked_is_pixels_per_frame_at_every_length():
    for num_frames in (8, 64):
        run = resolved(replace(GOOD, num_frames=num_frames, motion_x=6.0), motion_y=7.0)
        assert run.motion_x == 6.0 and run.motion_y == pytest.approx(49 / max(7, num_frames - 1))
    again = resolved(run.filled(), motion_y=100.0)
    assert (again.motion_x, again.motion_y) == (run.motion_x, run.motion_y)


def test_a_long_prompt_over_time_stands_still():
    run = resolved(replace(GOOD, prompt="0: a street | 23: a street at night", num_frames=24))
    assert (run.motion_x, run.motion_y) == (0.0, 0.0)


def test_the_bundled_card_has_the_way_that_was_measured():
    card = json.loads((MINIATURE / "miniature.json").read_text())["defaults"]
    assert card == DEFAULTS and {"travel_x", "travel_y"} <= card.keys()

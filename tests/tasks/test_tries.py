"""tries.py: what is drawn a picture of each before a video is made."""

from dataclasses import replace

import numpy as np
import pytest

from t2v.checks import InputError
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.tries import MOST, first_frame, read_values, sweep, variations
from t2v.video.picture import write_picture

GOOD = TextToVideoSettings("a red car on a street")


def test_the_first_frame_is_the_settings_own_with_a_seed():
    (own,) = first_frame(replace(GOOD, seed=7)).each
    assert own == replace(GOOD, seed=7)
    (drawn,), (other,) = first_frame(GOOD).each, first_frame(GOOD).each
    assert drawn.seed is not None and drawn.seed != other.seed and replace(drawn, seed=None) == GOOD


def test_variations_are_seeds_in_a_row_or_by_chance():
    assert [one.seed for one in variations(replace(GOOD, seed=2**32 - 2), 4).each] == [
        2**32 - 2,
        2**32 - 1,
        0,
        1,
    ]
    drawn = variations(GOOD, 9)
    assert len({one.seed for one in drawn.each}) == 9 and not drawn.last
    assert drawn.labels == tuple(f"Seed {one.seed}" for one in drawn.each)
    for count in (0, MOST + 1, "4"):
        with pytest.raises(InputError, match="count is"):
            variations(GOOD, count)


def test_pictures_that_would_all_be_the_given_one_are_refused(tmp_path):
    own = replace(
        GOOD, first_frame=str(write_picture(tmp_path / "own.png", np.full((64, 64, 3), 90, np.uint8)))
    )
    says = "^strength is 1, which keeps the picture as it is, so all 4 would look the same; choose a lower"
    with pytest.raises(InputError, match=says):
        variations(own, 4)
    with pytest.raises(InputError, match="so all 2 would look the same"):
        sweep(own, "guidance_scale", [3, 5])
    assert len(variations(own, 1).each) == 1 and len(sweep(own, "zoom", [1, 1.02]).each) == 2
    for other in (replace(own, strength=0.6), replace(own, skip_first_frame=True)):
        assert len(variations(other, 4).each) == 4


def test_a_sweep_changes_one_setting_and_keeps_the_seed():
    tries = sweep(GOOD, "guidance_scale", [3, 5.5], "Guidance")
    assert tries.labels == ("Guidance 3", "Guidance 5.5") and not tries.last
    assert [one.guidance_scale for one in tries.each] == [3, 5.5]
    assert len({one.seed for one in tries.each}) == 1 and None not in {one.seed for one in tries.each}
    assert sweep(GOOD, "cross_frame_attention", [True, False]).labels[1] == "cross frame attention off"


@pytest.mark.parametrize("field", ["motion_x", "zoom", "method", "num_frames", "cross_frame_attention"])
def test_what_the_first_frame_does_not_show_is_seen_in_the_last(field):
    assert sweep(GOOD, field, [getattr(GOOD, field)]).last


@pytest.mark.parametrize(
    ("field", "values", "sentence"),
    [
        ("guidance_scale", [3, 31], "guidance_scale is 31"),
        ("scheduler", ["ddim", "plms"], "scheduler is 'plms'"),
        ("guidance_scale", [], "guidance_scale has no values"),
        ("volume", [1], "'volume' is no setting to compare"),
        ("prompt", ["a"], "'prompt' is no setting"),
        ("seed", list(range(MOST + 1)), "pictures is 17"),
    ],
)
def test_a_sweep_that_cannot_be_drawn_is_refused(field, values, sentence):
    with pytest.raises(InputError, match=sentence):
        sweep(GOOD, field, values)


def test_typed_values_are_the_fields_own_kind():
    kind = TextToVideoSettings
    assert read_values(kind, "guidance_scale", "3, 5.5 ,7,") == [3.0, 5.5, 7.0]
    steps = read_values(kind, "num_inference_steps", "8,15")
    assert steps == [8, 15] and all(isinstance(one, int) for one in steps)
    assert read_values(kind, "scheduler", "ddim, dpm++") == ["ddim", "dpm++"]
    assert read_values(kind, "motion_field", "on,off") == [True, False]
    assert read_values(CannySettings, "steady", "0,1") == [0.0, 1.0]
    with pytest.raises(InputError, match="guidance_scale is 'much'; give numbers"):
        read_values(kind, "guidance_scale", "3, much")
    with pytest.raises(InputError, match="motion_field is 'no'; give on or off"):
        read_values(kind, "motion_field", "no")
    with pytest.raises(InputError, match="seed has 17 values; at most 16"):
        read_values(kind, "seed", ",".join(map(str, range(17))))

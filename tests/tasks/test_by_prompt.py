"""tasks/by_prompt.py: what a finished run carries that its prompt says by itself."""

from dataclasses import replace

import pytest
from runs import resolved

from t2v.tasks.by_prompt import left_to_prompt
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings

DANCING = TextToVideoSettings("a panda dancing on the beach", seed=7)
DRIVING = TextToVideoSettings("a red car on a street", seed=7, move="subject", motion_x=3.0)


@pytest.mark.parametrize("asked", [DANCING, replace(DANCING, motion_x=2.0), DRIVING])
def test_the_same_run_comes_of_what_is_left(asked):
    filled = resolved(asked).filled()
    left = left_to_prompt(filled)
    assert filled.subject in ("panda", "red car") and left.subject is None
    assert resolved(left).filled() == filled and left.motion_x == asked.motion_x


def test_after_a_picture_that_only_passes_another_prompts_figure_acts():
    filled = resolved(TextToVideoSettings("a red car on a street", seed=7, method="canvas")).filled()
    left = left_to_prompt(filled)
    assert (filled.method, filled.action) == ("canvas", "none")
    assert (left.method, left.action, left.subject, left.t0, left.t1) == (None,) * 5
    assert replace(left, method="canvas", action="none", subject="red car", t0=600, t1=700) == filled
    assert replace(left, prompt="a panda dancing on the beach").acted() == "dance"
    quiet = resolved(replace(DANCING, action="none")).filled()
    assert left_to_prompt(quiet).acted() is None


def test_what_the_prompt_does_not_say_stays():
    for asked in (
        replace(DRIVING, subject="street"),
        replace(DANCING, action="none", subject="beach"),
        replace(DANCING, action="wave"),
        replace(DRIVING, action="walk", move="camera"),
        CannySettings("street.mp4", "a car"),
        replace(DANCING, model="no-one/no-model+"),
    ):
        assert left_to_prompt(asked) == asked
    # a subject that is named keeps the figure from acting, and so it is not left out
    held = replace(DANCING, subject="panda")
    assert held.acted() is None and left_to_prompt(held) == held

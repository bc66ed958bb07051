"""tasks/: settings that refuse what cannot run."""

import math
from dataclasses import fields, replace

import diffusers
import pytest
from runs import resolved

from t2v.checks import InputError
from t2v.diffusion.options import SCHEDULERS
from t2v.diffusion.sampling import make_scheduler
from t2v.tasks import TASKS
from t2v.tasks.text_to_video import LIMITS, TextToVideoSettings

GOOD = TextToVideoSettings("a red car on a street")


def test_the_defaults_pass():
    GOOD.check()
    assert TASKS["text-to-video"] is TextToVideoSettings


@pytest.mark.parametrize("field", LIMITS)
def test_every_number_is_held_to_its_limits(field):
    low, high = LIMITS[field]
    for bad in (low - 8, high + 8, math.nan, math.inf, 1e308, "8", True, [8], 10**400):
        with pytest.raises(InputError, match=f"^{field} is "):
            replace(GOOD, **{field: bad}).check()
    # the first two depend on one another, the others on pictures
    if field not in ("t0", "t1", "strength", "picture_prompt_strength"):
        move = "both" if field.startswith("background") else "camera"
        for edge in (low, high):
            replace(GOOD, **{field: edge}, move=move).check()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", " \n"),
        ("prompt", "x" * 2**20),
        ("prompt", None),
        ("negative_prompt", None),
        ("negative_prompt", "x" * 2001),
        ("model", ""),
        ("model", 5),
        ("scheduler", "plms"),
        ("warp", None),
        ("width", 250),
        ("num_frames", None),
        ("num_frames", 8.5),
        ("fps", None),
        ("cross_frame_attention", "yes"),
        ("motion_field", 1),
    ],
)
def test_bad_values_are_refused_by_name(field, value):
    with pytest.raises(InputError, match=field):
        replace(GOOD, **{field: value}).check()


def test_t0_after_t1_is_refused():
    with pytest.raises(InputError, match="t0.*900.*t1.*800"):
        replace(GOOD, t0=900, t1=800).check()


def test_impossible_amounts_of_work_are_refused():
    huge = replace(GOOD, num_frames=1000, width=2048, height=2048, num_inference_steps=200)
    with pytest.raises(InputError, match="fewer frames"):
        huge.check()


def test_filled_keeps_what_was_given_and_makes_numbers_whole():
    filled = resolved(replace(GOOD, seed=0, num_frames=4.0, width=128.0, t1=500), 256).filled()
    assert (filled.seed, filled.width, filled.height, filled.t0, filled.t1) == (0, 128, 256, 500, 500)
    assert isinstance(filled.num_frames, int) and isinstance(filled.width, int)
    assert [name for name, value in vars(filled).items() if value is None] == [
        "spacing",  # of a model of many steps: as it was saved with
        "picture_prompt",
        "ip_adapter",
        "motion",
        "painted",
        "first_frame",
    ]
    assert resolved(filled, 512, seed=9).filled() == filled  # it asks for this very run


def test_names_of_samplers_are_the_samplers():
    for name in SCHEDULERS:
        scheduler = make_scheduler(name, diffusers.DDIMScheduler().config, 4)
        assert type(scheduler).__name__ == SCHEDULERS[name] and len(scheduler.timesteps) >= 4
    assert {field.name for field in fields(GOOD)} >= set(LIMITS)


def test_a_prompt_over_time_stands_still_unless_told_and_names_only_frames_that_there_are():
    changing = replace(GOOD, prompt="0: a street | 7: a street at night")
    run = resolved(changing)
    assert (run.motion_x, run.motion_y, run.filled().prompt) == (0.0, 0.0, changing.prompt)
    assert resolved(replace(changing, motion_x=4.0)).motion_x == 4.0
    with pytest.raises(InputError, match="prompt names frame 7"):
        replace(changing, num_frames=7).check()
    with pytest.raises(InputError, match="prompt has 0 behind 7"):
        replace(GOOD, prompt="7: a street | 0: a street at night").check()

"""usual.py: what of a video's settings an untouched form would have given it."""

import pytest

from t2v.engine.engine import Engine
from t2v.library.results import settings_dict
from t2v.page.library.usual import usual
from t2v.tasks.text_to_video import TextToVideoSettings


def carried(**asked) -> dict:
    """What the file of a run carries."""
    return settings_dict(Engine("cpu").resolve(TextToVideoSettings("a red car", **asked)).filled())


def test_what_was_not_chosen_is_as_usual():
    found = usual(carried(seed=7))
    assert {"num_inference_steps", "guidance_scale", "width", "motion_x", "t0", "method", "fps"} <= set(found)
    assert "seed" not in found and "prompt" not in found


@pytest.mark.parametrize(
    ("name", "value"),
    [("num_inference_steps", 7), ("num_frames", 24), ("move", "subject"), ("zoom", 1.02), ("upscale", 2)],
)
def test_what_was_chosen_is_not(name, value):
    found = usual(carried(**{name: value}))
    assert name not in found and "guidance_scale" in found


def test_settings_of_others_have_nothing_usual():
    assert usual({}) == usual({"task": "text-to-opera", "seed": 3}) == []
    assert "fps" in usual({"task": "text-to-video", "fps": 4, "width": None, "model": 7})

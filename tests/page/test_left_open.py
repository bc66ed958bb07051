"""left_open.py: a finished video's settings say what somebody chose, and the same video comes of them."""

from dataclasses import replace

import gradio as gr
import pytest
from runs import resolved

from t2v.engine.defaults import told_defaults, told_sampler
from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.page import text_tab
from t2v.page.left_open import left_open
from t2v.page.studio import Studio
from t2v.tasks.canny import CannySettings
from t2v.tasks.suits import Suits
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.told import told_method

CAR = TextToVideoSettings("a red car on a street", seed=7)
MODEL = CAR.model
OWN = {"upscale": 1, **told_defaults(MODEL, TextToVideoSettings)}


def finished(settings: TextToVideoSettings) -> TextToVideoSettings:
    """As a file of it carries them: every field filled by what suits the bundled model."""
    times = (int(OWN["t0"]), int(OWN["t1"]))
    sampler = told_sampler(MODEL, TextToVideoSettings)
    suits = Suits(
        OWN,
        5,
        lambda width, height: times,
        told_method(MODEL),
        scheduler=sampler["scheduler"],
        spacing=sampler["spacing"],
        other_steps=int(told_defaults(MODEL, TextToVideoSettings, "euler")["num_inference_steps"]),
    )
    return settings.resolve(suits, settings.networks(lambda task, ids: next(iter(ids.values())))).filled()


@pytest.mark.parametrize(
    "asked",
    [
        CAR,
        replace(CAR, move="subject"),
        replace(CAR, move="both", num_frames=24),
        replace(CAR, move="life"),
        replace(CAR, num_frames=32),
        replace(CAR, method="paper"),
        replace(CAR, zoom=1.02, motion_x=-3.0),
        replace(CAR, t0=500, width=192),
        replace(CAR, prompt="0: a red car | 7: a red boat"),
        replace(CAR, prompt="a robot waving on a street"),
        replace(CAR, prompt="a robot waving on a street", action="none"),
        replace(CAR, prompt="a robot waving on a street", move="subject"),
        replace(CAR, scheduler="euler"),
    ],
)
def test_the_same_video_comes_of_what_is_left(asked):
    filled = finished(asked)
    left = left_open(filled)
    assert finished(left) == filled
    for name in ("motion_x", "motion_y", "num_inference_steps", "guidance_scale", "scheduler", "upscale"):
        if getattr(asked, name) is None:
            assert getattr(left, name) is None, name
        else:
            assert getattr(left, name) == getattr(asked, name)
    assert left.action == asked.action


def test_after_a_subject_that_moved_the_camera_goes_its_own_way():
    left = left_open(finished(replace(CAR, move="subject")))
    assert (left.motion_x, left.motion_y, left.method, left.t0, left.t1) == (None,) * 5
    horse = replace(left, prompt="a horse on a meadow", move="camera", num_frames=32)
    assert finished(horse) == finished(TextToVideoSettings("a horse on a meadow", seed=7, num_frames=32))
    assert replace(left, prompt="a robot waving", move="camera").acted() == "wave"


def test_what_is_not_known_here_stays():
    for asked in (
        resolved(replace(CAR, model="no-one/no-model")).filled(),
        replace(CannySettings("street.mp4", "a car"), width=OWN["width"], height=OWN["height"]),
        replace(finished(CAR), width=64.0),
    ):
        left = left_open(asked)
        assert (left.width, left.height) == (asked.width, asked.height)
    assert left_open(resolved(CAR, motion_x=5.0).filled()).motion_x == 5.0


def test_the_precision_stays_where_another_suits_the_device():
    drawn = finished(CAR)
    assert drawn.dtype == "float32" and left_open(drawn).dtype is None
    assert left_open(drawn, "cuda").dtype == "float32"
    assert left_open(replace(drawn, dtype="bfloat16")).dtype == "bfloat16"
    assert left_open(replace(drawn, dtype="float16"), "cuda").dtype is None


def test_the_form_shows_what_somebody_chose_and_nothing_else(tmp_path):
    engine = Engine("cpu")
    jobs = Jobs(engine, tmp_path)
    with gr.Blocks():
        panel = text_tab.build(Studio(engine, jobs))
    shown = panel.values_again(finished(replace(CAR, move="subject", zoom=1.02)))
    untouched = {name: field.value for name, field in panel.form.items()}
    differs = {name for name, value in shown.items() if (value or "") != (untouched[name] or "")}
    assert differs == {"prompt", "seed", "move", "zoom"}
    jobs.close()

"""Engine.still: the first frame alone is the one with which the video begins, however it is drawn."""

from dataclasses import replace

import numpy as np
import pytest

from t2v.diffusion.options import SCHEDULERS
from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings

WAYS = {
    "canvas": {"method": "canvas", "motion_x": 8.0, "motion_y": -3.0},
    "zoomed": {"zoom": 1.05, "turn": 3.0},
    "paper": {"method": "paper", "motion_x": 8.0, "motion_y": 5.0},
    "smoothed": {"method": "paper", "smooth_bg": 0.6, "subject": "car"},
    "unmoved": {"method": "paper", "motion_field": False},
    "subject": {"move": "subject", "motion_x": 12.0},  # whose way begins elsewhere than in the picture
    "standing": {"move": "subject", "motion_x": 0.0, "motion_y": 0.0},
    "both": {"move": "both", "motion_x": 12.0, "background_x": -4.0},
    "life": {"move": "life"},
    "over time": {"prompt": "0%: a red car | 100%: a blue car"},
    "over time, late": {"prompt": "2: a red car | 4: a blue car", "motion_x": 8.0},
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def asked(model: str, way: str, **options) -> TextToVideoSettings:
    own = {"prompt": "a red car", **WAYS[way], **options}
    return TextToVideoSettings(**own, model=model, seed=3, num_frames=5, num_inference_steps=5)


def both(engine: Engine, settings: TextToVideoSettings) -> tuple[np.ndarray, np.ndarray]:
    """The still, and all frames of the video."""
    resolved = engine.resolve(settings)
    return engine.still(resolved), np.stack(list(engine.frames(resolved)))


def difference(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b).max())


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("way", WAYS)
def test_the_video_begins_with_it(engine, model_folder, way, scheduler):
    still, video = both(engine, asked(str(model_folder), way, scheduler=scheduler))
    assert difference(still, video[0]) <= 1
    assert difference(video[0], video[-1]) > 10 or way == "standing"


@pytest.mark.slow
def test_so_does_one_of_a_figure_that_acts_and_one_that_is_doubled(engine, family):
    waving = TextToVideoSettings("a red car", model=family, seed=3, num_frames=8, num_inference_steps=4)
    for settings in (
        replace(waving, action="wave", motion_x=8.0),
        replace(waving, action="wave", prompt="0%: a car waving | 100%: a blue car"),
        replace(waving, upscale=2, width=64, height=64),
    ):
        still, video = both(engine, settings)
        assert still.shape == video.shape[1:] and difference(still, video[0]) <= 1


def test_it_takes_the_steps_of_one_picture(engine, model_folder):
    told = []
    resolved = engine.resolve(asked(str(model_folder), "canvas"))
    engine.still(resolved, told.append)
    assert len(told) == 5 and {step.latents.shape[1] for step in told} == {1}

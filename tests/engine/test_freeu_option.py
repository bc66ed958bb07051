"""FreeU as an option of runs: it acts, its values are the model's kind's, and the next run is as before."""

import dataclasses

import numpy as np
import pytest

from t2v.checks import InputError
from t2v.commands.order import read_order
from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings


def test_it_acts_in_its_own_run_alone(family):
    engine = Engine("cpu")
    size = {"width": 64, "height": 64, "num_frames": 3, "num_inference_steps": 3}
    asked = TextToVideoSettings("a car", model=family, seed=3, **size)
    bare = engine.generate(asked).frames
    scaled = dataclasses.replace(asked, freeu=True)
    drawn = engine.generate(scaled).frames
    assert np.abs(drawn.astype(int) - bare).max() > 2
    assert np.array_equal(engine.generate(dataclasses.replace(scaled, chunk_size=1)).frames, drawn)
    assert engine.resolve(scaled).filled().freeu is True
    assert np.array_equal(engine.generate(asked).frames, bare)


def test_the_option_is_a_switch():
    assert read_order(["text-to-video", "a car", "--freeu"]).settings.freeu is True
    assert read_order(["text-to-video", "a car"]).settings.freeu is False
    with pytest.raises(InputError, match="freeu is 3"):
        TextToVideoSettings("a car", freeu=3).check()

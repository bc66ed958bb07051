"""Trained video models on a GPU, in the half precision that each was made for, by every profile."""

import numpy as np
import pytest
import torch
from small_videos import SMALL, saved

from t2v.engine.engine import Engine
from t2v.memory.profiles import HIGH, LOW, MEDIUM
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.source import Source
from t2v.weights.video_kinds import video_kind

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")


@pytest.mark.parametrize("name", SMALL)
def test_videos_are_those_of_the_processor_beside_rounding(name, tmp_path):
    model = saved(SMALL[name](), tmp_path / name)
    call = {"num_frames": 9, "num_inference_steps": 3, "width": 96, "height": 64}
    settings = TextToVideoSettings("a red car", model=model, seed=1, **call)
    right = Engine("cpu").generate(settings).frames.astype(int)
    found = {}
    for profile in (HIGH, MEDIUM, LOW):
        engine = Engine("cuda", profile=profile)
        found[profile] = engine.generate(settings).frames.astype(int)
        own = engine.load(model)
        assert own.memory.profile == profile and own.notes == []
        half = getattr(torch, video_kind(Source.parse(model)).half)
        assert own._networks()["unet"].dtype == half
        assert np.abs(found[profile] - right).mean() < 4
    assert all(np.abs(one - found[HIGH]).max() <= 2 for one in found.values())
    exact = Engine("cuda", dtype="float32").generate(settings).frames.astype(int)
    assert np.abs(exact - right).mean() < 1

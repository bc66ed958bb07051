"""What the bundled model's videos do by default, measured: they move as asked, and nothing else changes."""

from functools import cache

import numpy as np
import pytest

from t2v.diffusion.options import Camera
from t2v.diffusion.views import lead_room
from t2v.engine.engine import Engine
from t2v.evaluation.movement import flicker_as_asked, movement
from t2v.tasks.text_to_video import TextToVideoSettings

pytestmark = pytest.mark.slow
PROMPT = "a red car on the street"
QUICK = {"seed": 7, "num_inference_steps": 12}


@cache
def engine() -> Engine:
    return Engine("cpu")


def drawn(**changes) -> np.ndarray:
    return engine().generate(TextToVideoSettings(PROMPT, **{**QUICK, **changes})).frames


@pytest.mark.parametrize("asked", [(6.0, 0.0), (-3.0, 5.0), (24.0, 0.0)])
def test_the_camera_moves_as_asked_and_nothing_flickers(asked):
    frames = drawn(motion_x=asked[0], motion_y=asked[1], num_frames=4)
    assert movement(frames).error(asked) < 0.03
    assert flicker_as_asked(frames, asked) < 0.5
    paper = drawn(motion_x=asked[0], motion_y=asked[1], num_frames=2, method="paper")[0].astype(int)
    right, down = (int(one) for one in lead_room(Camera(*asked, lead=True), *paper.shape[:2]))
    columns, rows = (slice(max(0, -one), 256 - max(0, one)) for one in (right, down))
    seen = frames[0][rows, columns]  # of the paper's first frame, before which there is room ahead
    height, width = seen.shape[:2]
    assert (right, down) != (0, 0)
    assert np.abs(paper[max(0, down) :, max(0, right) :][:height, :width] - seen).max() <= 1


def test_the_subject_moves_and_the_background_stands():
    frames = drawn(move="subject", motion_x=8.0, num_frames=5).astype(int)
    still = np.abs(frames - frames[:1]).max(axis=(0, 3)) == 0
    assert still[:40].all() and still.mean() > 0.4
    red = (frames[..., 0] > 170) & (frames[..., 1] < 80) & (frames[..., 2] < 80)
    middles = [np.nonzero(one)[1].mean() for one in red]
    assert np.allclose(np.diff(middles), 8, atol=1.5) and red.sum(axis=(1, 2)).min() > 1500


def test_life_changes_the_subject_alone():
    frames = drawn(move="life", num_frames=5).astype(int)
    change = np.abs(np.diff(frames, axis=0)).mean(axis=(0, 3))
    red = (frames[0, ..., 0] > 170) & (frames[0, ..., 1] < 80)
    assert change[red].mean() > 10 * change[:40].mean() and change[:40].max() == 0

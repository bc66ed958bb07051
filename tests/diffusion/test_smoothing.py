"""smoothing.py: the background keeps to the first frame's (Sect. 3.3.3)."""

import numpy as np
import pytest
import torch
from conftest import seeded

from t2v.checks import InputError
from t2v.diffusion.motion import motion_field, warp
from t2v.diffusion.options import Motion
from t2v.diffusion.smoothing import smoothed

QUICK = {"num_frames": 4, "num_inference_steps": 6, "motion": Motion(8, 0, 400, 800)}


def test_the_subject_stays_and_the_background_comes_nearer():
    frames, first = torch.randn(2, 4, 8, 8, generator=seeded(1)), torch.randn(1, 4, 8, 8, generator=seeded(2))
    field = motion_field(3, 8, 0)[1:]
    mask = np.zeros((8, 8), bool)
    mask[2:6, 3:5] = True
    mixed = smoothed(frames, first, field, mask, 0.6, 8)
    moved = warp(first.expand(2, -1, -1, -1), field, 8)
    for k, left in ((0, 4), (1, 5)):  # the subject has moved by a cell, then two
        subject = np.zeros((8, 8), bool)
        subject[2:6, left : left + 2] = True
        assert torch.equal(mixed[k][:, subject], frames[k][:, subject])
        behind = 0.6 * moved[k] + 0.4 * frames[k]
        assert torch.allclose(mixed[k][:, ~subject], behind[:, ~subject], atol=1e-6)


def test_frames_are_nearer_to_the_first_one_and_it_is_as_it_was(pipeline):
    def draw(**changes):
        motion = Motion(0, 0, 400, 800, **changes)
        return pipeline("a red car", **{**QUICK, "motion": motion, "generator": seeded(3)})[0]

    free, smooth = draw(), draw(smooth_bg=1.0, subject="red")
    assert torch.allclose(free[0], smooth[0], atol=1e-5)
    apart = [(frames[1:] - frames[:1]).abs().mean() for frames in (free, smooth)]
    assert apart[1] < 0.9 * apart[0]


def test_its_steps_are_counted(pipeline):
    told = []
    motion = Motion(8, 0, 400, 800, smooth_bg=0.5, subject="car")
    pipeline("a red car", **{**QUICK, "motion": motion}, generator=seeded(3), on_step=told.append)
    assert [step.done for step in told] == list(range(1, told[0].total + 1))
    assert told[-1].fraction == pytest.approx(1)


def test_the_prompt_must_be_a_text_and_name_the_subject(pipeline):
    motion = Motion(8, 0, smooth_bg=0.5, subject="cat")
    with pytest.raises(InputError, match="^subject is 'cat', which the prompt does not say"):
        pipeline("a red car", **{**QUICK, "motion": motion})
    with pytest.raises(InputError, match="^smooth_bg needs the prompt as a text"):
        pipeline(torch.zeros(1, 16, 16), **{**QUICK, "motion": motion})

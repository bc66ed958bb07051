"""job.py: what the pace of a job's steps says about the rest."""

import numpy as np
import pytest
import torch

from t2v.diffusion.progress import Step
from t2v.jobs.job import Job

PREVIEW = np.zeros((1, 4, 8, 3), np.uint8)


def running() -> Job:
    return Job("id", None, state="running")


def test_time_left_follows_the_share_of_the_arithmetic_not_the_count_of_steps():
    job = running()
    assert job.seconds_left(0.0) is None
    job.pace.extend([(100.0, 0.1), (102.0, 0.3)])  # a tenth a second: seven more
    assert job.seconds_left(102.0) == pytest.approx(7.0)
    assert job.seconds_left(103.0) == pytest.approx(6.0)
    assert job.seconds_left(200.0) == 0.0


def test_time_left_forgets_the_pace_of_another_kind_of_step(monkeypatch):
    job = running()
    clock = iter([0.0, 1.0, 2.0, 10.0])
    monkeypatch.setattr("t2v.jobs.job.time.monotonic", lambda: next(clock, 10.0))
    for i, label in enumerate(["first frame", "first frame", "first frame", "all frames"]):
        fraction = (0.01, 0.02, 0.03, 0.23)[i]
        job.took(Step(i + 1, 9, label, fraction, torch.zeros(1, 1, 4, 4, 8)), PREVIEW)
    assert job.seconds_left(10.0) == pytest.approx(0.77 * 8 / 0.2)

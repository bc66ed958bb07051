"""job.py: what the pace of a job's steps says about the rest."""

import numpy as np
import pytest
import torch

from t2v.diffusion.progress import Step
from t2v.jobs.job import Job
from t2v.jobs.profile import Profile, Profiles
from t2v.tasks.text_to_video import TextToVideoSettings

PREVIEW = np.zeros((1, 4, 8, 3), np.uint8)


def running() -> Job:
    return Job("id", None, state="running")


def test_time_left_follows_the_share_of_the_arithmetic_not_the_count_of_steps():
    job = running()
    assert job.seconds_left(0.0) is None
    job.pace.extend([(100.0, 0.1), (102.0, 0.3)])  # a tenth a second: seven more
    job.steps.extend(job.pace)
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


def slow_at_first(scale: float) -> list[tuple[float, float]]:
    """Times and shares of a run whose first half of the arithmetic takes three quarters of its time."""
    return [(100 + scale * (3 * n if n <= 5 else 10 + n), n / 10) for n in range(11)]


def test_time_left_is_as_a_run_like_it_went_with_decoding_and_writing():
    steps = slow_at_first(1.0)
    job, slower = running(), slow_at_first(2.0)  # on a machine that is half as fast by now
    job.profile = Profile.of(steps, steps[-1][0] + 8)
    end_s = slower[-1][0] + 16
    for number in (3, 4, 6, 8, 11):
        job.steps = slower[:number]
        now_s = slower[number - 1][0]
        assert job.seconds_left(now_s) == pytest.approx(end_s - now_s, rel=0.01)
    assert job.seconds_left(end_s - 1) == pytest.approx(1.0)  # while it decodes
    assert job.seconds_left(end_s + 9) == 0.0


def test_the_next_run_of_a_kind_learns_from_the_last_one():
    profiles, steps = Profiles(), slow_at_first(1.0)
    asked = TextToVideoSettings("a car")
    assert profiles.like(asked) is None
    profiles.learn(asked, steps, 130.0)
    profiles.learn(asked, steps, 140.0)
    assert profiles.like(TextToVideoSettings("a boat", num_frames=30)).whole_s == 40.0
    assert profiles.like(TextToVideoSettings("a boat", model="another")) is None
    for number in range(30):
        profiles.learn(TextToVideoSettings("a car", model=f"model {number}"), steps, 130.0)
    assert profiles.like(asked) is None  # so that memory is bounded


def test_one_step_or_steps_without_time_tell_nothing_about_the_next_run():
    assert Profile.of([(1.0, 0.5)], 2.0) is None and Profile.of([(1.0, 0.5), (1.0, 1.0)], 2.0) is None
    assert Profile.of([(1.0, 0.5), (2.0, 1.0)], 3.0).left_s(0.5, 0.0) is None

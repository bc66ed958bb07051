"""job.py: what the pace of a job's steps says about the rest."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from t2v.diffusion.progress import Step
from t2v.jobs.job import Job
from t2v.jobs.kinds import kind_of
from t2v.jobs.time_left import Course, Courses, Work
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


def test_compiling_says_nothing_of_the_time_left(monkeypatch):
    job, now = running(), [0.0]
    job.drawn_from_s = 0.0
    monkeypatch.setattr("t2v.jobs.job.time.monotonic", lambda: now[0])
    for number, waits_s in ((1, 0.0), (2, 60.0), (3, 0.0)):
        if waits_s:
            job.compiles(True)
            now[0] += waits_s
            view = job.view(0)
            assert view.compiling and view.seconds_left is None and view.step_s is None
            job.compiles(False)
        now[0] += 1.0
        job.took(Step(number, 10, "all frames", number / 10, torch.zeros(1, 1, 4, 4, 8)), PREVIEW)
        assert number == 3 or job.view(0).seconds_left == (8.0 if waits_s else 9.0)
    assert not job.view(0).compiling
    assert job.seconds_left(now[0]) == pytest.approx(7.0)
    assert [at_s for at_s, _ in job.steps] == [61.0, 62.0, 63.0] and job.drawn_from_s == 60.0


def test_a_first_step_that_was_compiled_tells_no_pace(monkeypatch):
    job, now = running(), [0.0]
    job.drawn_from_s = 0.0
    monkeypatch.setattr("t2v.jobs.job.time.monotonic", lambda: now[0])
    job.compiles(True)
    now[0] += 60.0
    job.compiles(False)
    left_s = []
    for number, took_s in ((1, 4.0), (2, 1.0)):  # what was compiled starts slowly
        now[0] += took_s
        job.took(Step(number, 10, "all frames", number / 10, torch.zeros(1, 1, 4, 4, 8)), PREVIEW)
        left_s.append(job.seconds_left(now[0]))
    assert left_s == [None, pytest.approx(8.0)]


def slow_at_first(scale: float) -> list[tuple[float, float]]:
    """Times and shares of a run whose first half of the arithmetic takes three quarters of its time."""
    return [(100 + scale * (3 * n if n <= 5 else 10 + n), n / 10) for n in range(1, 11)]


def test_time_left_is_as_a_run_like_it_went_with_decoding_and_writing():
    steps = slow_at_first(1.0)
    job, slower = running(), slow_at_first(2.0)  # on a machine that is half as fast by now
    job.course = Course.of(steps, steps[-1][0] + 8)
    end_s = slower[-1][0] + 16
    for number in (3, 4, 6, 8, 10):
        job.steps = slower[:number]
        now_s = slower[number - 1][0]
        assert job.seconds_left(now_s) == pytest.approx(end_s - now_s, rel=0.2)
        job.steps = [(at / 2, share) for at, share in job.steps]  # as fast as before: to the point
        assert job.seconds_left(now_s / 2) == pytest.approx((end_s - now_s) / 2, rel=0.01)
    job.steps = slower
    assert job.seconds_left(end_s - 1) == pytest.approx(1.0, abs=1.5)  # while it decodes
    assert job.seconds_left(end_s + 9) == 0.0


def test_the_next_run_of_a_kind_learns_from_the_last_one():
    courses, steps = Courses(), slow_at_first(1.0)
    asked = kind_of(TextToVideoSettings("a car"))
    assert courses.like(asked) is None
    courses.learn(asked, Course.of(steps, 130.0))
    courses.learn(asked, Course.of(steps, 140.0))
    courses.learn(asked, None)  # one that told nothing
    assert courses.like(kind_of(TextToVideoSettings("a boat", num_frames=30))).whole_s == 37.0
    assert courses.like(kind_of(TextToVideoSettings("a boat", model="another"))) is None
    assert courses.like(kind_of(TextToVideoSettings("a boat", method="paper"))) is None
    for number in range(70):
        courses.learn(kind_of(TextToVideoSettings("a car", model=f"model {number}")), Course.of(steps, 130.0))
    assert courses.like(asked) is None  # so that memory is bounded


def alike(num_frames: int, pixels: int) -> tuple[list[tuple[float, float]], float]:
    """Steps of a run in the paper's way, one frame alone first, and when its video is there."""
    drawn = [pixels * cost for cost in [1] * 6 + [num_frames] * 10]
    shares = np.cumsum(drawn) / sum(drawn)
    times = 100 + 0.1 * np.cumsum(drawn)
    return list(zip(times, shares, strict=True)), times[-1] + 0.5 * num_frames * pixels


@pytest.mark.parametrize(("num_frames", "pixels"), [(8, 1), (24, 1), (8, 4), (64, 2), (2, 1)])
def test_time_left_of_a_longer_or_larger_video_is_judged_by_its_own_work(num_frames, pixels):
    job, (steps, ended_s) = running(), alike(8, 1)
    job.course = Course.of(steps, ended_s, Work(8, 1))
    job.resolved = SimpleNamespace(num_frames=num_frames, width=pixels, height=1)
    steps, ended_s = alike(num_frames, pixels)
    for number in range(3, len(steps) + 1):
        job.steps = steps[:number]
        now_s = steps[number - 1][0]
        assert job.seconds_left(now_s) == pytest.approx(ended_s - now_s, rel=0.3)


def test_a_step_that_takes_much_longer_than_ever_does_not_frighten():
    job, (steps, ended_s) = running(), alike(24, 1)
    job.course = Course.of(steps, ended_s)
    (begun_s, first), (_, second) = steps[:2]
    job.steps = [(begun_s, first), (begun_s + 1.0, second)]  # ten times as long
    assert job.seconds_left(begun_s + 1.0) < 1.5 * (ended_s - begun_s)


def test_one_step_or_steps_without_time_tell_nothing_about_the_next_run():
    assert Course.of([(1.0, 0.5)], 2.0) is None and Course.of([(1.0, 0.5), (1.0, 1.0)], 2.0) is None
    assert Course.of([(1.0, 0.5), (2.0, 1.0)], 3.0).left_s([(7.0, 0.5)]) == 2.0  # as it was

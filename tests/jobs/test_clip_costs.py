"""clip_costs.py: what is measured before a first run, learned from runs, kept, and judged from it."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from puppet import Puppet, finish, settings, wait

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.jobs.clip_costs import ClipCost, ClipCosts, clip_costs_table, measured
from t2v.jobs.queue import Jobs
from t2v.library.database import Database
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings

ASKED = CannySettings("clip.mp4", "a car")
SIZE = (64, 32)


@pytest.fixture
def database(tmp_path):
    return Database(tmp_path / "kept.sqlite3", (clip_costs_table,))


def test_a_pace_counts_steps_and_the_rest_apart():
    run = SimpleNamespace(num_frames=4, num_inference_steps=20)
    pace = ClipCost.of(run, 10.0, [13.0, 15.0, 17.0], 18.0)
    assert pace == ClipCost(step_s=0.5, frame_s=0.5, steps=20)  # a second before the first, one after
    assert pace.expected_s(8, None) == 8 * (0.5 + 20 * 0.5)
    assert pace.expected_s(8, 4) == 8 * (0.5 + 4 * 0.5)
    assert ClipCost.of(run, 10.0, [13.0], 18.0) is None is ClipCost.of(run, 10.0, [9.0, 15.0], 18.0)


def test_what_is_known_is_kept_on_the_disk_and_of_each_kind_apart(database, tmp_path):
    costs = ClipCosts(database, "cpu")
    assert costs.expected_s(ASKED, 16, SIZE) is None and not costs.is_known(ASKED, SIZE)
    costs.learn(ASKED, SIZE, ClipCost(0.1, 0.5, 10))
    costs.learn(ASKED, SIZE, ClipCost(0.2, 0.5, 10))  # the last one holds
    database.close()
    costs = ClipCosts(Database(tmp_path / "kept.sqlite3", (clip_costs_table,)), "cpu")
    assert costs.is_known(ASKED, SIZE) and costs.expected_s(ASKED, 16, SIZE) == pytest.approx(16 * 2.5)
    assert costs.expected_s(replace(ASKED, num_inference_steps=5), 2, SIZE) == pytest.approx(2 * 1.5)
    for change in ({"model": "other"}, {"upscale": 2}, {"control_ready": True}, {"steady": 0.5}):
        assert costs.expected_s(replace(ASKED, **change), 16, SIZE) is None
    assert costs.expected_s(replace(ASKED, also=(Also("pose"),)), 16, SIZE) is None
    assert costs.expected_s(Pix2PixVideoSettings("clip.mp4", "night"), 16, SIZE) is None
    assert ClipCosts(database_of(tmp_path), "cuda").expected_s(ASKED, 16, SIZE) is None  # another device


def database_of(folder: Path) -> Database:
    return Database(folder / "kept.sqlite3", (clip_costs_table,))


def test_another_size_is_judged_by_the_nearest_one_until_it_is_measured(database):
    costs = ClipCosts(database, "cpu")
    costs.learn(ASKED, (64, 64), ClipCost(0.1, 0.0, 10))
    costs.learn(ASKED, (256, 256), ClipCost(3.2, 0.0, 10))
    assert costs.expected_s(ASKED, 1, (128, 64)) == pytest.approx(2 * 1.0)
    assert costs.expected_s(ASKED, 1, (256, 128)) == pytest.approx(32 / 2)
    assert not costs.is_known(ASKED, (128, 64))


@pytest.mark.slow
def test_a_few_frames_are_timed_when_the_device_is_idle_and_a_run_tells_it_better(
    tmp_path, family, square_clip
):
    engine, size = Engine("cpu"), (96, 64)
    asked = CannySettings(square_clip, "", model=family, width=96, height=64)
    jobs = Jobs(engine, tmp_path)
    assert not jobs.measure_cost(asked, size)  # weights of that size are not read for it
    engine.load(family)
    assert jobs.measure_cost(asked, size)
    wait_for(lambda: jobs.clip_costs.is_known(asked, size))
    before = jobs.clip_costs.expected_s(asked, 5, size)
    assert before > 0 and jobs.runs() == [] and not list(tmp_path.glob("*.mp4"))
    run = jobs.submit(replace(asked, prompt="a car", num_inference_steps=3))
    view = wait(jobs, run, lambda one: one.finished)
    learned = jobs.clip_costs.expected_s(view.settings, 5, size)
    assert learned != before and learned == pytest.approx(view.seconds_elapsed, rel=0.5)
    jobs.close()
    jobs = Jobs(engine, tmp_path)
    assert jobs.clip_costs.expected_s(view.settings, 5, size) == pytest.approx(learned)
    jobs.close()


def wait_for(true) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_cannot_be_run_is_not_timed_and_whoever_runs_meanwhile_comes_first(family, square_clip):
    engine = Engine("cpu")
    asked = CannySettings(square_clip, "", model=family, width=96, height=64)
    assert measured(engine, replace(asked, start_s=60.0), lambda: True) is None
    assert measured(engine, asked, lambda: False) is None
    pace = measured(engine, asked, lambda: True)
    assert pace.step_s > 0 and pace.frame_s > 0
    assert pace.steps == engine.resolve(replace(asked, prompt="a")).num_inference_steps


def test_runs_come_before_what_is_to_be_timed_and_each_kind_is_tried_once(tmp_path, monkeypatch):
    puppet = Puppet()
    jobs = Jobs(puppet, tmp_path)
    order, timing = [], threading.Event()

    def measure(asked, size, costs, go_on):
        timing.set()
        wait_for(lambda: not go_on())  # somebody wants to run
        order.append("timed")
        costs.end(asked, size, once=asked is not ASKED)

    monkeypatch.setattr(jobs._worker, "may_time", lambda _: True)
    monkeypatch.setattr(jobs._worker, "measure_cost", measure)
    begin = jobs._worker.begin
    monkeypatch.setattr(jobs._worker, "begin", lambda job: (order.append(job.settings.prompt), begin(job)))
    assert jobs.measure_cost(ASKED, SIZE) and jobs.measure_cost(ASKED, SIZE)  # asked twice, timed once
    assert timing.wait(20)
    jobs.measure_cost(other := replace(ASKED, steady=0.5), SIZE)
    timing.clear()
    first, second = jobs.submit(settings("one")), jobs.submit(settings("two"))
    for one in (first, second):
        assert finish(jobs, puppet, one).state == "done"
    assert timing.wait(20)  # the other one
    third = jobs.submit(settings("three"))
    assert finish(jobs, puppet, third).state == "done"
    wait_for(lambda: order == ["timed", "one", "two", "timed", "three"])
    assert not jobs.measure_cost(other, SIZE)  # it could not be told, and that will stay so
    assert jobs.measure_cost(ASKED, SIZE)  # was cut off
    jobs.close()
    assert not jobs.measure_cost(ASKED, SIZE)
    with pytest.raises(InputError):
        jobs.submit(settings())

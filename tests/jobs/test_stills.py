"""stills.py: a job that draws pictures, one of each of several settings, on the stand-in for the device."""

import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from puppet import STEPS, Puppet, files, settings, wait

from t2v.checks import InputError
from t2v.jobs.queue import Jobs
from t2v.jobs.stills import MOST_PX, encoded
from t2v.tasks.tries import sweep, variations


class Drawing(Puppet):
    """Draws stills by the frames that it draws anyway."""

    def still(self, run, on_step, last=False):
        frames = list(self.frames(run, on_step, None))
        return frames[-1 if last else 0]


@pytest.fixture
def puppet():
    return Drawing()


@pytest.fixture
def jobs(puppet, tmp_path: Path):
    made = Jobs(puppet, tmp_path / "videos")
    yield made
    puppet.steps.release(1000)
    made.close()


def picture(still) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(still.picture, np.uint8), cv2.IMREAD_COLOR)


def test_pictures_come_one_by_one_and_are_kept_without_a_file(jobs, puppet):
    base = settings(seed=5)
    job_id = jobs.submit(base, tries=variations(base, 3))
    puppet.steps.release(STEPS + 1)
    view = wait(jobs, job_id, lambda view: view.step_done == STEPS + 1)
    assert (view.state, view.step_total, len(view.stills), view.fraction) == ("running", 3 * STEPS, 1, 5 / 12)
    assert view.settings == base and view.preview.shape == (1, 4, 8, 3)
    puppet.steps.release(1000)
    done = wait(jobs, job_id, lambda view: view.finished)
    assert (done.state, done.output, done.error) == ("done", None, None)
    assert [one.resolved.seed for one in done.stills] == [5, 6, 7]
    assert [one.label for one in done.stills] == ["Seed 5", "Seed 6", "Seed 7"]
    assert picture(done.stills[0]).shape == (32, 64, 3) and files(jobs) == []


def test_of_what_only_moves_the_last_frame_is_shown(jobs, puppet):
    puppet.steps.release(1000)
    view = wait(
        jobs, jobs.submit(settings(), tries=sweep(settings(), "motion_x", [4.0])), lambda v: v.finished
    )
    assert abs(int(picture(view.stills[0]).mean()) - 80) <= 1  # frame 2 of 0, 1, 2


def test_a_stop_keeps_what_is_drawn_and_the_next_run_works(jobs, puppet):
    job_id = jobs.submit(settings(), tries=variations(settings(), 4))
    puppet.steps.release(STEPS + 1)
    wait(jobs, job_id, lambda view: view.step_done == STEPS + 1)
    jobs.stop(job_id)
    puppet.steps.release(1)
    view = wait(jobs, job_id, lambda view: view.finished)
    assert (view.state, len(view.stills)) == ("stopped", 1)
    video = jobs.submit(settings())
    puppet.steps.release(1000)
    assert wait(jobs, video, lambda view: view.finished).output.is_file()


def test_tries_out_of_range_are_refused_before_they_queue(jobs):
    tries = variations(settings(), 2)
    with pytest.raises(InputError, match="fps is nan"):
        jobs.submit(settings(), tries=replace(tries, each=(settings(fps=float("nan")),) * 2))


def test_large_pictures_are_kept_small():
    wide = cv2.imdecode(np.frombuffer(encoded(np.full((500, 2000, 3), 90, np.uint8)), np.uint8), 1)
    assert wide.shape == (128, MOST_PX, 3) and abs(int(wide.mean()) - 90) <= 1


def test_pictures_that_wait_do_not_come_back_as_a_video(jobs, puppet):
    running, waiting = jobs.submit(settings("one")), jobs.submit(settings("two"))
    pictures = jobs.submit(settings("three"), tries=variations(settings("three"), 4))
    wait(jobs, running, lambda view: view.state == "running")
    jobs.move(pictures, -1)
    puppet.steps.release(1)
    wait(jobs, running, lambda view: view.step_done == 1)
    threading.Timer(0.2, puppet.steps.release).start()
    jobs.close()
    later = Jobs(Drawing(), jobs.output_folder)
    try:
        assert later.follow(running).state == "interrupted"
        assert later.follow(waiting).state in ("queued", "running")
        with pytest.raises(InputError, match="not known any more"):
            later.follow(pictures)
    finally:
        later._worker._engine.steps.release(1000)
        later.close()

"""queue.py and worker.py: the queue, on a stand-in for the device that the test holds by the hand."""

import logging
import shutil
import threading

import pytest
import torch
from puppet import PATIENCE_S, STEPS, Puppet, files, finish, settings, wait

from t2v.checks import InputError
from t2v.jobs.queue import Jobs
from t2v.jobs.worker import OUT_OF_MEMORY
from t2v.jobs.workshop import TAKES_NONE
from t2v.tasks.canny import CannySettings
from t2v.video.video import read_video
from t2v.video.write import read_settings


@pytest.fixture
def puppet():
    return Puppet()


@pytest.fixture
def make_jobs(puppet, tmp_path):
    made = []

    def make(**options) -> Jobs:
        made.append(Jobs(puppet, tmp_path / "videos", **options))
        return made[-1]

    yield make
    for jobs in made:
        puppet.decoding.set()
        puppet.steps.release(1000)
        puppet.seeing.release(1000)
        jobs.close()


@pytest.fixture
def jobs(make_jobs):
    return make_jobs()


def test_a_run_ends_in_a_file_with_its_settings(jobs, puppet):
    view = finish(jobs, puppet, jobs.submit(settings("A red car, on a street!", seed=0)))
    assert view.state == "done" and view.error is None
    assert view.output.parent == jobs.output_folder
    assert view.output.name.startswith("a-red-car-on-a-street-0-")
    assert read_video(view.output).frames.shape == (3, 32, 64, 3)
    assert read_settings(view.output)["seed"] == 0 == view.resolved.seed
    assert view.settings.width is None and view.resolved.width == 64
    assert view.preview is None


def test_a_run_has_ended_once_nothing_comes_of_it_any_more(jobs, puppet):
    first, second = jobs.submit(settings()), jobs.submit(settings())
    wait(jobs, first, lambda view: view.state == "running")
    assert not jobs.has_ended(first) and not jobs.has_ended(second)
    jobs.stop(second)
    finish(jobs, puppet, first)
    assert jobs.has_ended(first) and jobs.has_ended(second) and jobs.has_ended("nobody knows it")


def test_a_running_job_shows_steps_preview_and_time_left(jobs, puppet):
    job_id = jobs.submit(settings())
    begun = wait(jobs, job_id, lambda view: view.resolved is not None)
    assert (begun.state, begun.step_done, begun.preview, begun.seconds_left) == ("running", 0, None, None)
    assert begun.label == "Loading the model"
    again = jobs.submit(settings())
    puppet.steps.release(3)
    view = wait(jobs, job_id, lambda view: view.step_done == 3)
    assert (view.step_total, view.fraction, view.label) == (4, 0.75, "all frames")
    assert view.preview.shape == (3, 4, 8, 3) and view.preview.max() == 3
    assert view.preview_number == 3
    assert 0 <= view.seconds_left < PATIENCE_S and view.seconds_elapsed > 0
    puppet.steps.release(1)
    assert wait(jobs, again, lambda view: view.state == "running").label == "Starting"


def test_what_a_model_saw_is_shown_before_the_first_step(jobs, puppet, square_clip):
    job_id = jobs.submit(CannySettings(square_clip, "a car", seed=1))
    assert wait(jobs, job_id, lambda view: view.label == "Looking at the clip").seen == {}
    puppet.seeing.release(2)
    view = wait(jobs, job_id, lambda view: len(view.seen) == 2)
    assert view.step_done == 0 and list(view.seen) == ["clip", "canny"]
    for name, value in (("clip", 90), ("canny", 255)):
        video = read_video(view.seen[name])
        assert view.seen[name].parent == jobs.output_folder / "seen" and video.fps == 4
        assert video.frames.shape == (3, 32, 64, 3) and abs(video.frames.mean() - value) < 3
    done = finish(jobs, puppet, job_id)
    assert [path.name for path in done.seen.values()] == [
        f"{done.output.stem}-{name}.mp4" for name in ("clip", "canny")
    ]


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_what_was_seen_for_no_video_goes_with_the_run(jobs, puppet, square_clip, state):
    job_id = jobs.submit(CannySettings(square_clip, "a car"))
    puppet.seeing.release(2)
    seen = wait(jobs, job_id, lambda view: len(view.seen) == 2).seen
    assert files(jobs) == sorted(seen.values())
    if state == "stopped":
        jobs.stop(job_id)
    else:
        puppet.fail_step = InputError("no.")
    view = finish(jobs, puppet, job_id)
    assert (view.state, view.seen, files(jobs)) == (state, {}, [])


def test_jobs_take_turns_and_know_their_place(jobs, puppet):
    first, second, third = (jobs.submit(settings(name)) for name in ("one", "two", "three"))
    wait(jobs, first, lambda view: view.state == "running")
    assert [jobs.follow(job_id).ahead for job_id in (first, second, third)] == [0, 1, 2]
    assert jobs.follow(third).state == "queued"
    finish(jobs, puppet, first)
    wait(jobs, second, lambda view: view.state == "running")
    assert jobs.follow(third).ahead == 1
    finish(jobs, puppet, second)
    finish(jobs, puppet, third)
    assert puppet.started == ["one", "two", "three"]


def test_stopping_a_waiting_job_removes_it_at_once_and_no_other(jobs, puppet):
    first, second, third = (jobs.submit(settings(name)) for name in ("one", "two", "three"))
    wait(jobs, first, lambda view: view.state == "running")
    jobs.stop(second)
    assert jobs.follow(second).state == "stopped"
    assert jobs.follow(third).ahead == 1
    finish(jobs, puppet, first)
    assert finish(jobs, puppet, third).state == "done"
    assert puppet.started == ["one", "three"]


def test_stopping_a_running_job_takes_one_step_and_leaves_no_file(jobs, puppet):
    job_id, other = jobs.submit(settings("one")), jobs.submit(settings("two"))
    puppet.steps.release(2)
    wait(jobs, job_id, lambda view: view.step_done == 2)
    jobs.stop(job_id)
    assert jobs.follow(job_id).stopping
    puppet.steps.release(1)
    view = wait(jobs, job_id, lambda view: view.finished)
    assert (view.state, view.step_done, view.error, view.stopping) == ("stopped", 2, None, False)
    assert files(jobs) == []
    assert finish(jobs, puppet, other).state == "done"


def test_stopping_while_frames_are_decoded_leaves_no_half_file(jobs, puppet):
    puppet.decoding.clear()
    job_id = jobs.submit(settings())
    puppet.steps.release(STEPS)
    wait(jobs, job_id, lambda view: view.step_done == STEPS)
    jobs.stop(job_id)
    puppet.decoding.set()
    assert wait(jobs, job_id, lambda view: view.finished).state == "stopped"
    assert files(jobs) == []


def test_stopping_what_has_ended_changes_nothing(jobs, puppet):
    view = finish(jobs, puppet, jobs.submit(settings()))
    jobs.stop(view.id)
    assert jobs.follow(view.id).state == "done" and not jobs.follow(view.id).stopping


def test_settings_out_of_range_are_refused_before_they_queue(jobs, puppet):
    with pytest.raises(InputError, match="fps is nan"):
        jobs.submit(settings(fps=float("nan")))
    finish(jobs, puppet, jobs.submit(settings("fine")))
    assert puppet.started == ["fine"]


def test_a_full_queue_says_so(make_jobs):
    jobs = make_jobs(max_waiting=2)
    running = jobs.submit(settings())
    wait(jobs, running, lambda view: view.state == "running")
    jobs.submit(settings())
    jobs.submit(settings())
    with pytest.raises(InputError, match=r"queue is full \(2 runs waiting\)"):
        jobs.submit(settings())


def test_old_jobs_are_forgotten_but_their_videos_stay(make_jobs, puppet):
    jobs = make_jobs(max_kept=2)
    views = [finish(jobs, puppet, jobs.submit(settings(name))) for name in ("one", "two", "three")]
    with pytest.raises(InputError, match="not known any more"):
        jobs.follow(views[0].id)
    assert jobs.follow(views[1].id).state == "done" == jobs.follow(views[2].id).state
    assert files(jobs) == sorted(view.output for view in views)


def test_the_same_prompt_and_seed_twice_are_two_files(jobs, puppet):
    views = [finish(jobs, puppet, jobs.submit(settings(seed=3))) for _ in range(2)]
    assert views[0].output != views[1].output
    assert all(view.output.is_file() for view in views)


def test_an_input_error_of_the_model_is_shown_as_it_is(jobs, puppet):
    puppet.fail_resolve = InputError("model is 'x'; give another.")
    view = wait(jobs, jobs.submit(settings()), lambda view: view.finished)
    assert (view.state, view.error) == ("failed", "model is 'x'; give another.")


def test_an_output_folder_that_became_a_file_is_told_without_its_place(jobs, puppet):
    shutil.rmtree(jobs.output_folder)
    jobs.output_folder.write_text("in the way")
    view = finish(jobs, puppet, jobs.submit(settings()))
    assert view.state == "failed"
    assert view.error == TAKES_NONE.format(why="File exists") and "/" not in view.error


def test_an_unexpected_error_is_logged_and_told_honestly(jobs, puppet, caplog):
    puppet.fail_step = ZeroDivisionError("secret detail")
    with caplog.at_level(logging.ERROR, logger="jobs"):
        view = finish(jobs, puppet, jobs.submit(settings()))
    assert view.state == "failed"
    assert "ZeroDivisionError" in view.error and "secret detail" not in view.error
    assert "Traceback" in caplog.text and "secret detail" in caplog.text
    puppet.fail_step = None
    assert finish(jobs, puppet, jobs.submit(settings())).state == "done"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
    ],
)
def test_too_little_memory_has_its_own_sentence(jobs, puppet, error):
    puppet.fail_step = error
    assert finish(jobs, puppet, jobs.submit(settings())).error == OUT_OF_MEMORY


def test_a_failed_warm_up_does_not_keep_jobs_from_running(make_jobs, puppet, caplog):
    with caplog.at_level(logging.ERROR, logger="jobs"):
        jobs = make_jobs(warm_up=settings())
        assert finish(jobs, puppet, jobs.submit(settings())).state == "done"
    assert "no warming up today" in caplog.text


def test_closing_stops_everything(jobs, puppet):
    first, second = jobs.submit(settings("one")), jobs.submit(settings("two"))
    wait(jobs, first, lambda view: view.state == "running")
    threading.Timer(0.2, puppet.steps.release).start()
    jobs.close()
    assert jobs.follow(first).state == jobs.follow(second).state == "stopped"
    with pytest.raises(InputError, match="shutting down"):
        jobs.submit(settings())


def test_an_unknown_run_is_one_sentence(jobs):
    for call in (jobs.follow, jobs.stop):
        with pytest.raises(InputError, match="run it again"):
            call("0123")

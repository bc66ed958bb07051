"""ledger.py: what a program that ends in whatever way leaves to the next one of its output folder."""

import shutil
import threading
from pathlib import Path

import pytest
from ledgers import all_ended, close, opened, temporary_clip
from puppet import files, finish, own_files, settings, wait

from t2v.jobs.stored import settings_from_text, text_of
from t2v.tasks import TASKS
from t2v.tasks.canny import CannySettings
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import Also


@pytest.fixture
def upload(tmp_path) -> Path:
    return temporary_clip(tmp_path)


@pytest.mark.parametrize("task", TASKS)
def test_settings_come_back_whole_with_folders_and_further_networks(task, square_clip):
    given = {"model": "/home/me/models/mine+/home/me/style.safetensors", "seed": 7, "num_frames": 5}
    kind = TASKS[task]
    if issubclass(kind, ClipSettings):
        given["clip"] = square_clip
    if task == "canny":
        given["also"] = (Also("pose", controlnet="/home/me/pose", conditioning_scale=0.5), Also("depth"))
    asked = kind(prompt="ein „Auto“ 🚗", **given)
    assert settings_from_text(text_of(asked)) == asked


def test_a_program_that_ends_leaves_what_waits_to_the_next_one_in_order(tmp_path, upload):
    jobs, puppet = opened(tmp_path / "videos", free=False)
    asked = [settings("one"), CannySettings(str(upload), "two"), settings("three"), settings("four", seed=3)]
    ids = [jobs.submit(one) for one in asked]
    wait(jobs, ids[0], lambda view: view.resolved is not None)
    jobs.move(ids[3], -1)
    jobs.move(ids[3], -1)
    jobs.stop(ids[2])
    threading.Timer(0.2, puppet.steps.release).start()  # at whose step it hears that the program ends
    jobs.close()
    shutil.rmtree(upload.parent)

    jobs, puppet = opened(tmp_path / "videos")
    states = {view.settings.prompt: view.state for view in jobs.runs()}
    assert (states["one"], states["three"]) == ("interrupted", "stopped")
    assert [finish(jobs, puppet, ids[place]).state for place in (1, 3)] == ["done", "done"]
    assert puppet.started == ["four", "two"]
    left = [path.name for path in (tmp_path / "videos").glob(".queue-clips/*")]
    assert left == [ids[1]]  # to be used again
    close(jobs, puppet)


def test_an_interrupted_run_is_offered_and_drawn_only_when_it_is_asked_for_again(tmp_path):
    jobs, puppet = opened(tmp_path, free=False)
    first = jobs.submit(settings("one", seed=5), "anna")
    wait(jobs, first, lambda view: view.resolved is not None)
    threading.Timer(0.2, puppet.steps.release).start()
    jobs.close()
    for _ in range(2):  # the offer stands until it is answered, and once
        jobs, puppet = opened(tmp_path)
        assert [(view.id, view.state) for view in jobs.runs("anna")] == [(first, "interrupted")]
        assert jobs.runs("bob") == [] == puppet.started
        jobs.close()
    jobs, puppet = opened(tmp_path)
    jobs.again(first)
    assert wait(jobs, first, lambda view: view.finished).state == "done" and puppet.started == ["one"]
    jobs.again(first)  # pressed twice
    assert all_ended(jobs, "anna") == [("one", "done")]
    jobs.close()


def test_an_interrupted_run_that_is_dismissed_is_gone(tmp_path, upload):
    jobs, puppet = opened(tmp_path / "videos", free=False)
    first = jobs.submit(CannySettings(str(upload), "one"))
    wait(jobs, first, lambda view: view.resolved is not None)
    threading.Timer(0.2, puppet.seeing.release).start()
    jobs.close()
    jobs, puppet = opened(tmp_path / "videos")
    jobs.remove(first)
    jobs.close()
    jobs, puppet = opened(tmp_path / "videos")
    assert jobs.runs() == [] == files(jobs)
    assert set(jobs.output_folder.rglob("*")) - {jobs.output_folder / "seen"} == own_files(jobs)
    jobs.close()


def test_what_an_earlier_program_made_is_known_with_its_seed_and_its_length(tmp_path):
    jobs, puppet = opened(tmp_path)
    made = finish(jobs, puppet, jobs.submit(settings("a red car", seed=9)))
    jobs.close()
    jobs, puppet = opened(tmp_path)
    (view,) = jobs.runs()
    assert (view.id, view.state, view.output, view.settings) == (made.id, "done", made.output, made.settings)
    assert jobs.has_made(view.output) and not jobs.has_made(tmp_path / "other.mp4")
    assert (view.resolved.seed, view.resolved.num_frames, view.resolved.size) == (9, 3, (64, 32))
    assert view.seconds_elapsed == pytest.approx(made.seconds_elapsed, abs=0.1)
    jobs.close()


def test_two_programs_on_one_folder_keep_apart_and_each_finds_its_own_again(tmp_path):
    one, of_one = opened(tmp_path, free=False)
    other, of_other = opened(tmp_path, free=False)
    ids = [jobs.submit(settings(name)) for jobs, name in ((one, "of one"), (other, "of the other"))]
    assert [[view.id for view in jobs.runs()] for jobs in (one, other)] == [[ids[0]], [ids[1]]]
    assert finish(one, of_one, ids[0]).state == finish(other, of_other, ids[1]).state == "done"
    one.close(), other.close()
    one, of_one = opened(tmp_path)
    other, of_other = opened(tmp_path)
    assert [[view.id for view in jobs.runs()] for jobs in (one, other)] == [[ids[0]], [ids[1]]]
    one.close(), other.close()


@pytest.mark.parametrize("broken", ["another file", "torn inside"])
def test_a_ledger_that_cannot_be_read_is_put_aside(tmp_path, broken, caplog):
    jobs, puppet = opened(tmp_path, free=False)
    for number in range(20):
        jobs.submit(settings(f"number {number} " + "x" * 900), f"visitor {number}")
    close(jobs, puppet)
    path = tmp_path / ".queue.sqlite3"
    whole = path.read_bytes()
    torn = whole[:5000] + b"\0" * (len(whole) - 5000)
    path.write_bytes(torn if broken == "torn inside" else b"a letter" * 999)
    jobs, puppet = opened(tmp_path)
    assert ".queue.sqlite3 is put aside" in caplog.text and (tmp_path / ".queue.sqlite3.unread").exists()
    assert finish(jobs, puppet, jobs.submit(settings())).state == "done"
    jobs.close()


def test_where_nothing_can_be_written_runs_wait_in_memory(tmp_path, caplog):
    (tmp_path / "videos").write_text("in the way")
    jobs, puppet = opened(tmp_path / "videos", free=False)
    assert "will not outlive this program" in caplog.text
    first, second = jobs.submit(settings("one")), jobs.submit(settings("two"))
    assert {view.id for view in jobs.runs()} == {first, second}
    close(jobs, puppet)

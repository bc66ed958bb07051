"""kept.py, sources.py: the files that runs are made from, kept for as long as the runs are known."""

import os
import shutil
import threading
from pathlib import Path

import pytest
from ledgers import close, opened, temporary_clip
from PIL import Image
from puppet import files, finish, settings, wait

from t2v.checks import InputError
from t2v.jobs import kept
from t2v.tasks.canny import CannySettings


@pytest.fixture
def upload(tmp_path) -> Path:
    return temporary_clip(tmp_path)


def test_the_clip_of_a_run_is_kept_as_long_as_the_run_is_known(tmp_path, upload):
    jobs, puppet = opened(tmp_path / "videos", free=False)
    first, second = (jobs.submit(CannySettings(str(upload), name)) for name in ("one", "two"))
    clips = jobs.output_folder / ".queue-clips"
    assert sorted(path.name for path in clips.iterdir()) == sorted([first, second])
    assert jobs.follow(second).settings.clip == str(upload)  # as the page knows it
    upload.unlink()  # thrown away after a day
    puppet.seeing.release(4)
    assert finish(jobs, puppet, first).state == "done"
    jobs.stop(second)
    puppet.steps.release(4)
    wait(jobs, second, lambda view: view.finished)
    jobs.close()
    jobs, puppet = opened(tmp_path / "videos")  # whose page may use both again
    assert {view.id: view.kept_clip.name for view in jobs.runs()} == {first: upload.name, second: upload.name}
    assert jobs.kept_source(str(upload)).read_bytes() == jobs.follow(first).kept_clip.read_bytes()
    assert jobs.kept_source(str(upload), "somebody else") is None is jobs.kept_source("other.mp4")
    jobs.remove(first)
    assert [path.name for path in clips.iterdir()] == [second]
    jobs.remove(second)
    assert not clips.exists() and jobs.kept_source(str(upload)) is None
    jobs.close()


def test_a_picture_that_is_a_prompt_outlives_the_program_beside_the_clip(tmp_path, upload):
    picture = tmp_path / "temporary" / "fur.png"
    picture.parent.mkdir(exist_ok=True)
    Image.new("RGB", (64, 64), "orange").save(picture)
    jobs, puppet = opened(tmp_path / "videos", free=False)
    first = jobs.submit(CannySettings(str(upload), "one"))
    waits = jobs.submit(CannySettings(str(upload), "two", picture_prompt=str(picture)))
    assert jobs.follow(waits).settings.picture_prompt == str(picture)
    jobs.stop(first)
    puppet.seeing.release(4)
    puppet.steps.release(4)
    wait(jobs, first, lambda view: view.finished)
    jobs.close()
    data = picture.read_bytes()
    upload.unlink()
    picture.unlink()

    jobs, puppet = opened(tmp_path / "videos")
    view = jobs.follow(waits)
    assert (view.settings.clip, view.settings.picture_prompt) == (
        str(view.kept_clip),
        str(view.kept_picture),
    )
    assert view.kept_picture.read_bytes() == data and view.kept_clip != view.kept_picture
    assert jobs.kept_source(str(picture)) == view.kept_picture
    assert jobs.kept_source(str(picture), "somebody else") is None
    wait(jobs, waits, lambda view: view.finished)
    jobs.remove(waits)
    assert jobs.kept_source(str(picture)) is None and not view.kept_picture.exists()
    jobs.close()


def test_a_picture_that_a_waiting_run_begins_with_outlives_its_program(tmp_path):
    picture = tmp_path / "temporary" / "cat.png"
    picture.parent.mkdir()
    Image.new("RGB", (64, 64), "orange").save(picture)
    jobs, puppet = opened(tmp_path / "videos", free=False)
    first = jobs.submit(settings("one"))
    wait(jobs, first, lambda view: view.resolved is not None)
    waits = jobs.submit(settings("two", first_frame=str(picture)))
    assert jobs.follow(waits).settings.first_frame == str(picture)
    threading.Timer(0.2, puppet.steps.release).start()
    jobs.close()
    shutil.rmtree(picture.parent)

    jobs, puppet = opened(tmp_path / "videos")
    view = wait(jobs, waits, lambda view: view.finished)
    assert (view.state, view.asked_from) == ("done", str(picture))
    assert view.settings.first_frame == str(view.kept_clip) and view.kept_clip.name == "cat.png"
    assert jobs.kept_source(str(picture)) == view.kept_clip
    jobs.close()


def test_what_ended_runs_are_made_from_stays_within_bounds_and_one_file_counts_once(
    tmp_path, upload, monkeypatch
):
    other = shutil.copyfile(upload, upload.with_name("other.mp4"))
    monkeypatch.setattr(kept, "KEPT_BYTES", int(1.5 * upload.stat().st_size))
    jobs, puppet = opened(tmp_path / "videos")
    there = {}
    for name, clip in (("one", upload), ("two", upload), ("three", other), ("four", other)):
        wait(jobs, jobs.submit(CannySettings(str(clip), name)), lambda view: view.finished)
        there[name] = [view.settings.prompt for view in jobs.runs() if view.kept_clip.is_file()]
    assert there == {"one": ["one"], "two": ["two", "one"], "three": ["three"], "four": ["four", "three"]}
    jobs.close()


def test_of_one_clip_that_cannot_be_linked_there_is_one_copy(tmp_path, upload, monkeypatch):
    link = os.link

    def within(source, target):
        if ".queue-clips" not in str(source):
            raise OSError(18, "Invalid cross-device link")
        link(source, target)

    monkeypatch.setattr(os, "link", within)
    jobs, puppet = opened(tmp_path / "videos", free=False)
    ids = [jobs.submit(CannySettings(str(upload), name)) for name in ("one", "two", "three")]
    inodes = {jobs.follow(one).kept_clip.stat().st_ino for one in ids}
    assert len(inodes) == 1 and upload.stat().st_ino not in inodes
    close(jobs, puppet)


def test_a_clip_that_cannot_be_kept_is_told_and_nothing_is_queued(tmp_path, upload, monkeypatch):
    jobs, puppet = opened(tmp_path / "videos")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(InputError, match="disk of the server's output folder is full"):
        jobs.submit(CannySettings(str(upload), "one"))
    assert jobs.runs() == [] == files(jobs)
    jobs.close()

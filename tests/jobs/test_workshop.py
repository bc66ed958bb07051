"""Where a run's files are made: a full disk, a folder that goes, a program that is killed."""

import errno
import shutil
import subprocess
import sys
from collections import namedtuple

import numpy as np
import pytest
from conftest import ROOT
from puppet import Puppet, files, finish, own_files, settings, wait

from t2v.jobs import worker
from t2v.jobs.queue import Jobs
from t2v.jobs.workshop import DISK_FULL, PREFIX, TAKES_NONE
from t2v.tasks.canny import CannySettings
from t2v.video.write import write_video

KILLED = """
import sys, time
from pathlib import Path
from t2v.jobs import workshop
folder = Path(sys.argv[1])
with workshop.workshop(folder) as making:
    (making / ".1234.part.mp4").write_bytes(b"half")
    (making / "seen").mkdir()
    (making / "seen" / "a-canny.mp4").touch()
    (folder / "seen").mkdir()
    (folder / "seen" / "a-canny.mp4").write_bytes(b"of a run that never ended")
    (folder / "seen" / "b-canny.mp4").write_bytes(b"of one that did")
    print("made", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def puppet():
    return Puppet()


@pytest.fixture
def jobs(puppet, tmp_path):
    jobs = Jobs(puppet, tmp_path / "videos")
    yield jobs
    puppet.steps.release(1000)
    puppet.seeing.release(1000)
    jobs.close()


def full(monkeypatch, free_mb: float):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 0, int(free_mb * 2**20)))


def test_a_disk_with_too_little_room_is_told_before_anything_is_drawn(jobs, puppet, monkeypatch):
    full(monkeypatch, 10)
    view = wait(jobs, jobs.submit(settings()), lambda view: view.finished)
    assert view.state == "failed" and view.step_done == 0 and puppet.started == []
    sizes = "32 MB are needed, 10 MB are free"
    assert view.error == f"The disk of the server's output folder is too full for this video ({sizes})."
    assert files(jobs) == [] and set(jobs.output_folder.iterdir()) == own_files(jobs)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), DISK_FULL),
        (OSError(errno.EDQUOT, "Quota"), DISK_FULL),
        (
            OSError("the video could not be written: Error writing trailer: No space left on device"),
            DISK_FULL,
        ),
    ],
)
def test_a_disk_that_fills_up_is_one_sentence_and_leaves_nothing(jobs, puppet, monkeypatch, error, sentence):
    def write(path, *_):
        path.with_name(".1.part.mp4").write_bytes(b"half")
        raise error

    monkeypatch.setattr(worker, "write_result", write)
    view = finish(jobs, puppet, jobs.submit(settings()))
    assert (view.state, view.error) == ("failed", sentence)
    assert set(jobs.output_folder.iterdir()) == own_files(jobs)


def test_other_errors_are_not_the_disks(jobs, puppet, monkeypatch):
    def write(*_):
        raise PermissionError(errno.EACCES, "Permission denied", "/weights/unet.safetensors")

    monkeypatch.setattr(worker, "write_result", write)
    assert "PermissionError" in finish(jobs, puppet, jobs.submit(settings())).error


def test_an_output_folder_that_goes_while_a_run_draws_is_told_without_its_place(jobs, puppet):
    puppet.decoding.clear()
    job_id = jobs.submit(settings())
    puppet.steps.release(3)
    wait(jobs, job_id, lambda view: view.step_done == 3)
    shutil.rmtree(jobs.output_folder)
    puppet.decoding.set()
    view = finish(jobs, puppet, job_id)
    assert view.state == "failed" and str(jobs.output_folder) not in view.error
    assert view.error.startswith(TAKES_NONE.partition("(")[0])


def test_half_files_of_a_killed_program_are_swept_at_the_next_start_and_no_others(puppet, tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "made\n"
        (tmp_path / "mine.mp4").touch()
        (tmp_path / f"{PREFIX}mine").mkdir()
        Jobs(puppet, tmp_path).close()
        assert len(list(tmp_path.glob(f"{PREFIX}*"))) == 2  # the other program lives
        process.kill()
        process.wait()
        Jobs(puppet, tmp_path).close()
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if ".queue" not in path.name}
    assert left == {"mine.mp4", f"{PREFIX}mine", "seen", "seen/b-canny.mp4"}


def test_what_it_has_made_is_known_also_after_it_is_forgotten(puppet, tmp_path):
    clip = write_video(tmp_path / "clip.mp4", np.zeros((3, 32, 64, 3), np.uint8), 4)
    jobs = Jobs(puppet, tmp_path / "videos", max_kept=1)
    puppet.seeing.release(2)
    first = finish(jobs, puppet, jobs.submit(CannySettings(str(clip), "a cat")))
    second = finish(jobs, puppet, jobs.submit(settings()))
    for path in (first.output, second.output, *first.seen.values()):
        assert jobs.has_made(path)
    assert not jobs.has_made(clip) and not jobs.has_made(jobs.output_folder / "other.mp4")
    jobs.close()

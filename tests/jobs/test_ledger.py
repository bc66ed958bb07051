"""ledger.py: what a program that ends in whatever way leaves to the next one of its output folder."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from puppet import Puppet, files, finish, own_files, settings, wait

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.jobs import kept, worker
from t2v.jobs.job import Job
from t2v.jobs.ledger import Ledger
from t2v.jobs.queue import Jobs
from t2v.jobs.stored import settings_from_text, text_of
from t2v.jobs.workshop import PREFIX
from t2v.tasks import TASKS
from t2v.tasks.canny import CannySettings
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import Also
from t2v.video.write import write_video

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot copy a process")


def opened(folder: Path, *, free: bool = True) -> tuple[Jobs, Puppet]:
    """A program on the folder; free: one whose device waits for nobody."""
    puppet = Puppet()
    if free:
        puppet.steps.release(10_000)
        puppet.seeing.release(10_000)
    return Jobs(puppet, folder), puppet


def close(jobs: Jobs, puppet: Puppet) -> None:
    puppet.steps.release(10_000)
    puppet.seeing.release(10_000)
    jobs.close()


def all_ended(jobs: Jobs, *visitors: str | None) -> list[tuple[str, str]]:
    """Prompt and state of everybody's runs once none is under way, in the order they were asked for."""
    views = [view for visitor in visitors for view in jobs.runs(visitor)]
    return [(view.settings.prompt, wait(jobs, view.id, lambda one: one.finished).state) for view in views]


@pytest.fixture
def quick_files(monkeypatch):
    """Videos of a few bytes: their making is another file's matter."""

    def write(path, resolved, frames):
        path.write_bytes(b"video of %d" % len(list(frames)))
        return path

    monkeypatch.setattr(worker, "write_result", write)


@pytest.fixture
def upload(tmp_path) -> Path:
    """A clip that goes when its program does."""
    frames = np.full((3, 32, 64, 3), 90, np.uint8)
    folder = tmp_path / "temporary"
    folder.mkdir()
    return write_video(folder / "my clip.mp4", frames, 4)


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


# Power cuts


class Story:
    """Runs of two people that are asked for, moved, taken out and drawn; what was acknowledged is noted."""

    def __init__(self, folder: Path, upload: Path, acknowledged: int):
        self.folder, self.upload, self._acknowledged = folder, upload, acknowledged

    def note(self, what: str) -> None:
        os.write(self._acknowledged, f"{what}\n".encode())

    def play(self, watch) -> None:
        jobs, puppet = opened(self.folder, free=False)
        watch(jobs)
        ids = {}
        for name, visitor in (("a1", "anna"), ("a2", "anna"), ("b1", "bob"), ("a3", "anna"), ("b2", "bob")):
            clip = name in ("a2", "b2")
            asked = CannySettings(str(self.upload), name) if clip else settings(name)
            ids[name] = jobs.submit(asked, visitor)
            self.note(f"asked {name}")
        jobs.move(ids["a3"], -1)
        self.note("moved a3")
        jobs.remove(ids["b1"])
        self.note("removed b1")
        finish(jobs, puppet, ids["a1"])
        self.note("made a1")
        puppet.seeing.release(2)  # b2 is next: bob has waited longest
        puppet.steps.release(2)
        wait(jobs, ids["b2"], lambda view: view.step_done == 2)
        jobs.stop(ids["b2"])
        puppet.steps.release(1)
        wait(jobs, ids["b2"], lambda view: view.finished)
        self.note("stopped b2")


def child(work) -> int:
    """The wait status of a copy of this process that does the work and ends."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1]


def killed_at(number: int):
    """Kills its process with -9 before the statement of that number that the ledger sends to SQLite."""
    seen = 0

    def count(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda jobs: jobs._ledger._database._connection.set_trace_callback(count)


def check_survivors(folder: Path, acknowledged: list[str]) -> None:
    """Everything that was acknowledged is as it was told, all that waits is drawn, nothing else is left."""
    told = {line.split()[1] for line in acknowledged if line.startswith("asked")}
    gone = {line.split()[1] for line in acknowledged if line.startswith("removed")}
    ended = {line.split()[1] for line in acknowledged if line.split()[0] in ("made", "stopped")}
    before = {path.name for path in folder.glob("*.mp4")}
    jobs, puppet = opened(folder)
    views = [view for visitor in ("anna", "bob") for view in jobs.runs(visitor)]
    names = [view.settings.prompt for view in views]
    assert len(names) == len(set(names)) and not gone & set(names)
    assert told - set(names) <= {"b1"}  # which may be taken out before that is acknowledged
    states = dict(all_ended(jobs, "anna", "bob"))
    assert list(states.values()).count("interrupted") <= 1
    assert not ended & set(puppet.started)
    assert {name for name, state in states.items() if state == "interrupted"}.isdisjoint(puppet.started)
    assert all(state in ("done", "interrupted", "stopped") for state in states.values()), states
    of_anna = [name for name in puppet.started if name in ("a2", "a3")]
    if "moved a3" in acknowledged:  # and may have begun when the power went
        assert of_anna == [name for name in ("a3", "a2") if states.get(name) != "interrupted"]
    elif "b2" not in told and len(of_anna) == 2:  # nobody has begun to move it
        assert of_anna == ["a2", "a3"]
    made = {view.output.name for view in jobs.runs("anna") + jobs.runs("bob") if view.output is not None}
    assert {path.name for path in folder.glob("*.mp4")} == made and before <= made
    for view in jobs.runs("anna") + jobs.runs("bob"):
        if view.state == "interrupted":
            jobs.remove(view.id)
    jobs.close()
    left = [
        path for path in folder.glob(f"{PREFIX}*") if any(path.iterdir())
    ]  # a bare one goes a little later
    with_clips = {view.id for view in jobs.runs("anna") + jobs.runs("bob") if view.kept_clip is not None}
    assert not left and {path.name for path in folder.glob(".queue-clips/*")} == with_clips
    shown = {path.name.rpartition("-")[0] for path in folder.glob("seen/*.mp4")}
    assert shown <= {Path(name).stem for name in made}


@needs_fork
@pytest.mark.slow
def test_a_power_cut_between_any_two_writes_loses_nothing_that_was_acknowledged(
    tmp_path, upload, quick_files
):
    for number in range(1, 1000):
        folder, notes = tmp_path / f"videos{number}", tmp_path / f"notes{number}"
        with notes.open("wb") as file:
            story = Story(folder, upload, file.fileno())
            status = child(lambda: story.play(killed_at(number)))  # noqa: B023
        acknowledged = notes.read_text().splitlines()
        if os.WIFSIGNALED(status):
            check_survivors(folder, acknowledged)
        else:
            break
    assert "stopped b2" in acknowledged and number > 30


@needs_fork
@pytest.mark.slow
def test_a_power_cut_while_it_recovers_loses_nothing_either(tmp_path, quick_files):
    def begin():
        jobs, puppet = opened(tmp_path / "videos", free=False)
        ids = [jobs.submit(settings(name), name) for name in ("one", "two", "three")]
        wait(jobs, ids[0], lambda view: view.resolved is not None)
        os.kill(os.getpid(), signal.SIGKILL)

    child(begin)
    statements = 0
    for number in range(1, 100):
        folder = tmp_path / f"videos{number}"
        shutil.copytree(tmp_path / "videos", folder)

        def recover():
            ledger = Ledger(folder)  # noqa: B023
            killed_at(number)(type("Jobs", (), {"_ledger": ledger}))  # noqa: B023
            ledger.recover()

        if not os.WIFSIGNALED(child(recover)):
            break
        statements = number
        jobs, puppet = opened(folder)
        assert dict(all_ended(jobs, "one", "two", "three")) == {
            "one": "interrupted", "two": "done", "three": "done",
        }  # fmt: skip
        assert puppet.started == ["two", "three"]
        jobs.close()
    assert statements >= 4


def test_whatever_of_the_file_reached_the_disk_each_change_is_whole_or_not_there(tmp_path):
    """Power cuts as they are: the write-ahead log ends somewhere, also within a change."""
    ledger = Ledger(tmp_path / "videos")
    one, two, three = (Job(name, settings(name), number=n) for n, name in enumerate(("one", "two", "three")))
    wal = tmp_path / "videos" / ".queue.sqlite3-wal"

    def stop_and_move_up():
        one.state, (two.round, three.round) = "stopped", (7, 8)
        ledger.end(one, moved=[two, three])

    states = [(wal.stat().st_size, {})]
    changes = [
        *(lambda job=job: ledger.submit(job) for job in (one, two, three)),
        stop_and_move_up,
        lambda: ledger.remove(two, [three]),
    ]
    for change in changes:
        change()
        rows = ledger._database._connection.execute("SELECT id, state, round FROM runs").fetchall()
        states.append((wal.stat().st_size, {row["id"]: (row["state"], row["round"]) for row in rows}))
    assert len({size for size, _ in states}) == len(states)
    begun, whole = states[0][0], wal.read_bytes()
    for cut in {*range(begun, len(whole) + 1, 700), *(size for size, _ in states)}:
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        shutil.copy(wal.with_name(".queue.sqlite3"), folder)
        (folder / wal.name).write_bytes(whole[:cut])
        found = {job.id: (job.state, job.round) for job in Ledger(folder).recover()}
        assert found == [state for size, state in states if size <= cut][-1]
    ledger.close()


# And for real: a program with weights of its own, killed

KILLED = """
import sys, time
sys.path.insert(0, "tests")
from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings
folder, family, clip = sys.argv[1:]
jobs = Jobs(Engine("cpu"), folder)
size = {"model": family, "width": 64, "height": 64, "seed": 1}
first = jobs.submit(CannySettings(clip, "broken", num_inference_steps=200, **size), "anna")
jobs.submit(TextToVideoSettings("second", num_frames=2, num_inference_steps=1, **size), "anna")
jobs.submit(CannySettings(clip, "third", num_inference_steps=1, **size), "bob")
while jobs.follow(first).step_done < 2:
    time.sleep(0.01)
print("drawing", flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_kill_9_with_two_more_queued_from_two_people(tmp_path, family, upload):
    folder = tmp_path / "videos"
    command = [sys.executable, "-c", KILLED, str(folder), family, str(upload)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "drawing\n"
        process.kill()
        process.wait()
    assert list(folder.glob(f"{PREFIX}*")) and not list(folder.glob("*.mp4"))
    shutil.rmtree(upload.parent)

    jobs = Jobs(Engine("cpu"), folder)
    try:
        assert not list(folder.glob(f"{PREFIX}*")) or jobs.runs("bob")[0].state == "running"
        (second, broken), (third,) = jobs.runs("anna"), jobs.runs("bob")
        assert (broken.settings.prompt, broken.state) == ("broken", "interrupted")
        ended = [wait(jobs, view.id, lambda one: one.finished) for view in (third, second)]
        assert [(view.settings.prompt, view.state, view.error) for view in ended] == [
            ("third", "done", None), ("second", "done", None),
        ]  # fmt: skip
        times = [view.output.stat().st_mtime_ns for view in ended]
        assert times == sorted(times)  # bob's first comes before anna's second
        assert [view.state for view in jobs.runs("anna")] == ["done", "interrupted"]
        videos = {view.output for view in ended} | {path for view in ended for path in view.seen.values()}
        kept = [path for path in files(jobs) if ".queue-clips" not in path.parts]
        assert set(kept) == videos
        assert {path.parent.name for path in folder.glob(".queue-clips/*/*")} == {broken.id, third.id}
        for view in (broken, third):
            jobs.remove(view.id)
        assert not (folder / ".queue-clips").exists()
    finally:
        jobs.close()

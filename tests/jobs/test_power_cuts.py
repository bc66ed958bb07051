"""Programs that end between any two writes, and killed ones: what was acknowledged is there again."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from ledgers import all_ended, opened, temporary_clip, write_little
from puppet import files, finish, settings, wait

from t2v.engine.engine import Engine
from t2v.jobs.job import Job
from t2v.jobs.ledger import Ledger
from t2v.jobs.queue import Jobs
from t2v.jobs.workshop import PREFIX
from t2v.tasks.canny import CannySettings

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot copy a process")


@pytest.fixture
def quick_files(monkeypatch):
    write_little(monkeypatch)


@pytest.fixture
def upload(tmp_path) -> Path:
    return temporary_clip(tmp_path)


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

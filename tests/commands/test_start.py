"""How programs are entered: Ctrl-C while they begin and end, streams that are closed or full."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT

from t2v.commands.start import STOPPED
from t2v.video.video import read_video

SMALL = ("--num-frames", "1", "--steps", "1", "--width", "64", "--height", "64")
RUN = ("generate.py", "text-to-video", "a red car", "-o", "{out}", *SMALL)
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def hears_ctrl_c() -> None:
    """In the child: a test run started in the background inherits "ignore Ctrl-C"."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def interrupted(program: str, after_s: float, times: int) -> tuple[int, str]:
    """Exit status and stderr of a Python program at the root of the clone, Ctrl-C pressed so often."""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        preexec_fn=hears_ctrl_c,
    )
    assert process.stdout.readline() == "here\n"
    time.sleep(after_s)
    for _ in range(times):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    _, told = process.communicate(timeout=60)
    return process.returncode, told


ENTERING = """
import sys, t2v.entry
def enter(*told, enter=t2v.entry.enter):
    enter(*told)
    print("here", flush=True)
t2v.entry.enter, sys.argv[1:] = enter, ["--help"]
"""


@pytest.mark.parametrize("after_s", [0, 0.03])
@pytest.mark.parametrize(
    ("door", "ended"),
    [
        ("from t2v.commands.start import command; command('generate.py')", (130, f"{STOPPED}\n")),
        ("from t2v.page.start import app; app('app.py')", (0, "Ended.\n")),
    ],
)
def test_ctrl_c_while_modules_are_imported_is_told_without_a_traceback(door, ended, after_s):
    assert interrupted(ENTERING + door, after_s, times=3) == ended


def test_ctrl_c_again_waits_for_what_is_tidied_up():
    program = """
import time
from t2v.entry import tidied_up_once
tidied_up_once()
print("here", flush=True)
try:
    time.sleep(30)
except KeyboardInterrupt:
    time.sleep(0.5)
    print("tidied up", flush=True)
    raise SystemExit(130)
"""
    assert interrupted(program, 0, times=4) == (130, "")


def test_ctrl_c_at_the_end_leaves_what_was_done():
    program = """
import atexit, time
from t2v.entry import leave_with
leave_with(0)
atexit.register(time.sleep, 30)
print("here", flush=True)
"""
    assert interrupted(program, 0.1, times=2) == (0, "")


def through_shell(line: str, folder: Path) -> subprocess.CompletedProcess:
    """As typed, with {python} and {out} filled in."""
    filled = line.format(python=sys.executable, out=folder / "car.mp4")
    return subprocess.run(
        ["bash", "-c", filled], cwd=ROOT, capture_output=True, text=True, env=ENVIRONMENT, timeout=120
    )


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_a_video_is_made_though_nobody_can_be_told(stream, tmp_path):
    quoted = " ".join(f"'{one}'" for one in RUN)
    ended = through_shell(f"{{python}} {quoted} {stream}", tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert read_video(tmp_path / "car.mp4").frames.shape == (1, 64, 64, 3)


def test_what_is_refused_is_told_by_the_status_where_stderr_is_closed(tmp_path):
    assert through_shell("{python} generate.py text-to-video car --steps 0 2>&-", tmp_path).returncode == 2


def test_who_reads_the_beginning_of_a_list_has_had_enough(tmp_path):
    for name in range(3):
        (tmp_path / f"no{name}.safetensors").write_bytes(b"no weights")
    reads = "| true; exit ${{PIPESTATUS[0]}}"
    line = f"PYTHONUNBUFFERED=1 {{python}} generate.py models --models '{tmp_path}' {reads}"
    ended = through_shell(line, tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("streams", ["", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_no_file_is_given_the_number_of_a_closed_stream(streams, tmp_path):
    program = (
        "from t2v.entry import enter; enter(0, str()); file = open(__file__); raise SystemExit(file.fileno())"
    )
    (tmp_path / "program.py").write_text(program)
    line = f"{{python}} '{tmp_path}/program.py' {streams}"
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(["bash", "-c", line.format(python=sys.executable)], env=environment)
    assert ended.returncode >= 3

"""The program as a service: how it starts in odd places, how it ends, and what it leaves."""

import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections import namedtuple
from pathlib import Path

import pytest
from conftest import ROOT, free_port
from gradio.utils import get_upload_folder
from test_door import API

from t2v.checks import InputError
from t2v.page import serve
from t2v.page.door.belongings import own_temporary_folder
from t2v.page.flags import arguments, is_loopback, knows_owner
from t2v.page.glances import Glances

pytestmark = pytest.mark.slow

PROXIES = {
    "http_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "https_proxy": "http://x:9",
}


def left_in(folder: Path) -> list[str]:
    """What lies in a folder of videos beside the index and the queue, which outlive the program."""
    kept = (".library.sqlite3", ".queue")
    return [path.name for path in folder.iterdir() if not path.name.startswith(kept)]


class Served:
    """The app as people start it, in a process whose signals a test sends."""

    def __init__(self, family: str, folder: Path, *more: str, **environment: str) -> None:
        self.folder, self.temporary, self.port = folder / "videos", folder / "temporary", free_port()
        self.log = folder / "log.txt"
        command = [sys.executable, "app.py", "--port", str(self.port), "--model", family]
        command += ["--output", str(self.folder), *more]
        given = {**os.environ, "HF_HUB_OFFLINE": "1", "GRADIO_TEMP_DIR": str(self.temporary), **environment}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=given, stdout=log, stderr=subprocess.STDOUT
            )
        while f"Serving on http://127.0.0.1:{self.port}/" not in self.told():
            assert self.process.poll() is None, self.told()
            time.sleep(0.1)

    def told(self) -> str:
        return self.log.read_text()

    def ask(self, path: str, body: object = None) -> str:
        data = None if body is None else json.dumps(body).encode()
        address = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return answer.read().decode()

    def long_run(self) -> None:
        """Starts one, and waits until its files are being made."""
        values = {"prompt": "a car", "num_inference_steps": 200, "num_frames": 32}
        self.ask(f"{API}/call/v2/text_to_video", values)
        while not list(self.folder.glob(".making-*")):
            time.sleep(0.05)


@pytest.fixture
def start(family, tmp_path):
    """Starts servers side by side; none outlives its test."""
    started = []

    def start(*more: str, **environment: str) -> Served:
        started.append(Served(family, tmp_path, *more, **environment))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_it_starts_behind_proxies_and_ends_in_order_whatever_is_sent(start):
    app = start("--root-path", "/studio", **PROXIES)
    assert "ALL_PROXY names a SOCKS proxy" in app.told() or "socksio" in sys.modules
    page = app.ask("/")
    assert '"root":"http://127.0.0.1' in page.replace(" ", "") and "/studio" in page
    assert "startup" not in app.told() and list(app.temporary.glob("t2v-server-*"))
    app.long_run()
    signals = itertools.cycle((signal.SIGHUP, signal.SIGINT, signal.SIGTERM))
    for number in itertools.islice(signals, 5):  # together, however busy the machine is
        app.process.send_signal(number)
    for number in itertools.islice(signals, 1200):  # and to the very end
        if app.process.poll() is not None:
            break
        app.process.send_signal(number)
        time.sleep(0.05)
    assert app.process.poll() == 0
    lines = app.told().splitlines()
    assert "Traceback" not in app.told() and lines[-1].endswith(" Ended.")
    assert any("being tidied up" in line for line in lines)
    assert left_in(app.folder) == [] and list(app.temporary.iterdir()) == []


def test_what_a_killed_server_left_is_swept_and_a_living_one_keeps_its_own(start, tmp_path):
    killed = start()
    (theirs,) = tmp_path.glob("temporary/t2v-server-*")
    living = start()
    killed.long_run()
    killed.process.kill()
    killed.process.wait()
    assert list(killed.folder.glob(".making-*")) and theirs.is_dir()
    kept = set(tmp_path.glob("temporary/t2v-server-*")) - {theirs}
    third = start()
    assert not theirs.exists() and all(one.is_dir() for one in kept)
    assert left_in(killed.folder) == []
    for app in (living, third):
        app.process.terminate()
        assert app.process.wait(30) == 0
    assert list(tmp_path.glob("temporary/*")) == []


def test_a_models_folder_that_is_a_file_is_told_at_the_start(tmp_path, capsys):
    (tmp_path / "one.safetensors").write_bytes(b"")
    assert serve.main(["--models", str(tmp_path / "one.safetensors")]) == 2
    told = "which is no folder; give one with files of models in it."
    assert capsys.readouterr().err == f"--models is '{tmp_path}/one.safetensors', {told}\n"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("x"), "which is a file; choose another."),
        (
            lambda path: path.symlink_to("/nowhere/at/all"),
            "which is a link to what is not there; choose another.",
        ),
    ],
)
def test_output_folders_that_cannot_be_are_told_at_the_start(make, words, tmp_path, capsys):
    make(tmp_path / "videos")
    assert serve.main(["--output", str(tmp_path / "videos")]) == 2
    assert capsys.readouterr().err == f"--output is '{tmp_path}/videos', {words}\n"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "which takes no files (Read-only file system); choose another."),
        (errno.ENOSPC, "which takes no files (No space left on device); choose another."),
        (errno.ENOTCONN, "which takes no files (Transport endpoint is not connected); choose another."),
    ],
)
def test_disks_that_take_nothing_are_told_at_the_start(number, words, tmp_path, capsys, monkeypatch):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("t2v.program.tempfile.mkdtemp", refuse)
    assert serve.main(["--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"--output is '{tmp_path}', {words}\n"


def test_a_full_disk_is_told_at_the_start_where_there_is_no_video_yet(tmp_path, capsys, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 2**40, 2**20))
    assert serve.main(["--output", str(tmp_path)]) == 2
    sizes = "32 MB are needed, 1 MB are free"
    told = (
        f"--output is '{tmp_path}', whose disk is too full for videos ({sizes}); free some space there, or "
    )
    assert capsys.readouterr().err == f"{told}choose another folder.\n"


@pytest.mark.parametrize("path", ["studio", "https:/studio", "/a b", "ftp://x/y", "/a?b"])
def test_a_root_path_that_is_none_is_told(path, capsys):
    assert serve.main(["--root-path", path]) == 2
    told = f"--root-path is '{path}'; give one like /studio, or https://host/studio."
    assert capsys.readouterr().err.strip() == told


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    monkeypatch.setenv("TMPDIR", "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_uploads_lie_in_a_folder_that_is_nobody_elses(temporary):
    (temporary / "gradio").write_text("what another user left there")
    with own_temporary_folder() as ours, Glances("cpu")._folder as glances:
        assert ours.parent == temporary and ours.stat().st_mode & 0o777 == 0o700
        assert Path(get_upload_folder()).parent == Path(glances).parent == ours
    assert [path.name for path in temporary.iterdir()] == ["gradio"]


def test_no_place_for_uploads_is_told(temporary, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/proc/uploads")
    told = "Uploads cannot be kept in /proc/uploads .*; name another by GRADIO_TEMP_DIR."
    with pytest.raises(InputError, match=told), own_temporary_folder():
        pass


def test_which_hosts_are_this_machine_alone():
    assert [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1")] == [True] * 3
    assert not is_loopback("0.0.0.0") and not is_loopback("192.168.1.5") and not is_loopback("::")


def test_the_owner_is_known_only_where_nothing_sends_for_others_from_this_machine(monkeypatch):
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    open_to_all = ["--host", "0.0.0.0"]
    assert knows_owner(arguments(open_to_all))
    for flag in (["--share"], ["--root-path", "/studio"]):
        assert not knows_owner(arguments([*open_to_all, *flag]))
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.5")
    assert not knows_owner(arguments(open_to_all))

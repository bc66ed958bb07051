"""Folders that belong to a process: kept while it lives, found when it was killed. And proxies."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from t2v.program import OwnFolder, reach_itself_directly

OWNER = """
import sys, time
from pathlib import Path
from t2v.program import OwnFolder
folder = OwnFolder(Path(sys.argv[1]), "own-")
(folder.path / "upload.mp4").touch()
print(folder.path, flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_left_is_found_and_what_a_living_one_has_is_not(tmp_path):
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        theirs = Path(owner.stdout.readline().strip())
        with OwnFolder(tmp_path, "own-") as ours:
            assert OwnFolder.left_by_the_killed(tmp_path, "own-") == []
            owner.kill()
            owner.wait()
            assert OwnFolder.left_by_the_killed(tmp_path, "own-") == [theirs]
            assert (theirs / "upload.mp4").exists() and ours.is_dir()
        assert not ours.exists()


def test_folders_that_are_no_bodys_are_left_alone(tmp_path):
    (tmp_path / "own-folder").mkdir()  # somebody may be about to lock it
    (tmp_path / "own-file").touch()
    (tmp_path / "own-full").mkdir()
    (tmp_path / "own-full" / "letter").touch()
    os.utime(tmp_path / "own-full", (1, 1))
    assert OwnFolder.left_by_the_killed(tmp_path, "own-") == []


def test_an_empty_one_that_nobody_came_to_lock_is_found_later(tmp_path):
    (tmp_path / "own-folder").mkdir()
    os.utime(tmp_path / "own-folder", (1, 1))
    assert OwnFolder.left_by_the_killed(tmp_path, "own-") == [tmp_path / "own-folder"]


def test_the_lock_is_the_last_to_go(tmp_path, monkeypatch):
    ours = OwnFolder(tmp_path, "own-")
    (ours.path / "upload.mp4").touch()
    (ours.path / "frames").mkdir()
    (ours.path / "frames" / "0.png").touch()
    monkeypatch.setattr("t2v.program.shutil.rmtree", killed_at_the_end := Recorder(shutil.rmtree))
    ours.close()
    assert killed_at_the_end.seen[-1] == [".lock"] and not ours.path.exists()


class Recorder:
    """Does what another function does to a folder, and remembers what was in it then."""

    def __init__(self, inner):
        self.inner, self.seen = inner, []

    def __call__(self, path, **told):
        self.seen.append(sorted(one.name for one in path.iterdir()))
        self.inner(path, **told)


@pytest.fixture
def no_proxies(monkeypatch):
    names = ["no_proxy", "http_proxy", "https_proxy", "all_proxy"]
    for name in [*names, *map(str.upper, names)]:
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")


def test_this_machine_is_reached_without_a_proxy(no_proxies, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*.corp, 10.0.0.1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert reach_itself_directly("192.168.1.5") is None
    wanted = "*.corp,10.0.0.1,localhost,127.0.0.1,::1,192.168.1.5"
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == wanted
    assert os.environ["http_proxy"] == "http://127.0.0.1:9" and os.environ["HF_HUB_OFFLINE"] == "0"


def test_a_proxy_that_cannot_be_used_is_told_and_nothing_goes_around_it(no_proxies, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    told = reach_itself_directly("localhost")
    assert told.startswith("ALL_PROXY names a SOCKS proxy") and "ALL_PROXY" not in os.environ
    assert os.environ["HF_HUB_OFFLINE"] == "1"

"""program.py: how threads wait, how a program ends, and that loading is quiet."""

import importlib
import logging
import os
import subprocess
import sys

import pytest
from conftest import ROOT

from t2v.program import quiet_loading, spin_briefly
from t2v.weights.source import MINIATURE


@pytest.mark.parametrize(
    ("told", "spins", "policy"),
    [
        ({}, "1000", "PASSIVE"),
        ({"GOMP_SPINCOUNT": "7"}, "7", "PASSIVE"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, None, "ACTIVE"),
    ],
)
def test_threads_wait_as_their_owner_says_else_briefly(monkeypatch, told, spins, policy):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")  # so that they are put back
        monkeypatch.delenv(name)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    spin_briefly()
    assert (os.environ.get("GOMP_SPINCOUNT"), os.environ.get("OMP_WAIT_POLICY")) == (spins, policy)


AT_THE_END = """
import atexit, os, tempfile, threading, time
from t2v.program import end
atexit.register(print, "done at the end")
folder = tempfile.TemporaryDirectory(prefix="t2v-test-end-")
print(folder.name)
class Slow:
    def __del__(self, write=os.write): write(1, b"taken apart\\n")
slow = Slow()
"""


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("end(7)", ["done at the end"]),
        ("threading.Thread(target=lambda: (time.sleep(0.2), print('worked'))).start(); end(7)",
         ["worked", "done at the end", "taken apart"]),
        ("threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); end(7)", ["done at the end"]),
    ],
)  # fmt: skip
def test_a_program_ends_at_once_when_all_is_done_and_written(last, told):
    done = subprocess.run([sys.executable, "-c", AT_THE_END + last], cwd=ROOT, capture_output=True, text=True)
    folder, *lines = done.stdout.splitlines()
    assert (done.returncode, lines, done.stderr) == (7, told, "")
    assert not os.path.exists(folder)


def levels_and_bars() -> list[object]:
    import diffusers
    import transformers
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled

    logs = (diffusers.utils.logging, transformers.utils.logging)
    told = [found for log in logs for found in (log.get_verbosity(), log.is_progress_bar_enabled())]
    return [*told, are_progress_bars_disabled()]


def test_loading_is_quiet_but_for_errors_and_downloads_and_leaves_the_libraries_as_they_were():
    importlib.import_module("huggingface_hub.utils.tqdm").enable_progress_bars()  # other tests hide them
    before = levels_and_bars()
    with pytest.raises(OSError), quiet_loading():
        *_, downloads_hidden = inside = levels_and_bars()
        raise OSError("no such file")
    assert inside == [logging.ERROR, False, logging.ERROR, False, before[-1]] and not downloads_hidden
    assert levels_and_bars() == before


@pytest.mark.slow
def test_from_python_the_bundled_model_draws_without_a_word_of_the_libraries():
    if not (MINIATURE / "model_index.json").is_file():
        pytest.skip("the miniature's weights are not in this copy")
    code = (
        "from t2v import CannySettings, Engine, Pix2PixVideoSettings, TextToVideoSettings\n"
        "engine, clip = Engine('cpu'), 'examples/canny/car.mp4'\n"
        "engine.resolve(CannySettings(clip, 'a car', num_frames=1))\n"
        "engine.resolve(Pix2PixVideoSettings(clip, 'make it night', num_frames=1))\n"
        "engine.resolve(TextToVideoSettings('a red car', model='miniature+style'))\n"
    )
    plain = {name: value for name, value in os.environ.items() if not name.endswith("_VERBOSITY")}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=plain, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

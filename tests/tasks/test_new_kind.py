"""A new control kind is one file in t2v/tasks: command line, Python, API and page have it at once."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, SHIPPED
from pages import button, field, needs_browser, serving

from t2v.video.video import read_video

FILE = '''"""Videos that follow how bright a clip is."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from t2v.tasks import controlled
from t2v.tasks.controlled import ControlledSettings
from t2v.tasks.settings import Limits
from t2v.tasks.words import ControlWords, OwnNumber, TabWords
from t2v.weights.family import STABLE_DIFFUSION


@dataclass(frozen=True)
class BrightnessSettings(ControlledSettings):
    """Grey by brightness, nothing darker than the darkest."""

    task: ClassVar[str] = "brightness"
    tab: ClassVar[TabWords] = TabWords(45, "Brightness", "What should be lit like that?", "a house at night")
    words: ClassVar[ControlWords] = ControlWords(
        shows="brightness",
        pictures="Brightness",
        nothing_yet="Its brightness appears here",
        looking="Looking how bright it is",
        also="Also follow brightness",
        ready="My clip already shows brightness",
    )
    limits: ClassVar[Limits] = {**controlled.LIMITS, "darkest": (0, 255)}
    own: ClassVar[Mapping[str, OwnNumber]] = {
        "darkest": OwnNumber("Darkest", "Nothing is darker.", "--darkest", "nothing is darker", "darkest {}")
    }
    hub_ids: ClassVar[Mapping[str, str]] = {STABLE_DIFFUSION.key: "someone/controlnet-brightness"}

    _: KW_ONLY
    darkest: float = 0.0

    def detect(self, frames: np.ndarray, device: str) -> np.ndarray:
        """Grey."""
        grey = frames.mean(axis=3, keepdims=True).round().astype(np.uint8)
        return grey.repeat(3, axis=3).clip(int(self.darkest), 255)
'''


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of what people run, and the one file in it."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "t2v", folder / "t2v", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "generate.py"):
        shutil.copy(ROOT / name, folder / name)
    for name in SHIPPED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "t2v" / "tasks" / "brightness.py").write_text(FILE)
    return folder


def in_python(code: str, checkout: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_command_line_and_python_have_it(checkout, family, square_clip, tmp_path):
    network = str(Path(family).parent / "controlnet-depth")
    options = ["--model", family, "--controlnet", network, "--controlnet", "canny@0.5", "--steps", "2"]
    options += ["--width", "64", "--height", "64", "--num-frames", "2"]
    files = ["-o", str(tmp_path / "out.mp4"), "--save-control", str(tmp_path / "seen.mp4"), "--json"]
    command = [sys.executable, "generate.py", "brightness", square_clip, "a house", "--darkest", "90"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [*command, *options, *files], cwd=checkout, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frames"] == 2
    seen = read_video(tmp_path / "seen.mp4").frames.astype(int)
    assert seen.shape == (2, 64, 64, 3) and seen.min() > 80 and np.ptp(seen, axis=3).max() < 8
    code = f"""
from t2v import read_settings
from t2v.tasks import TASKS, settings_of
places = {{"clip": {square_clip!r}, "model": {family!r}, "controlnet": {network!r}}}  # which no file tells
places["also"] = [{{"task": "canny", "conditioning_scale": 0.5}}]
again = settings_of({{**read_settings({str(tmp_path / "out.mp4")!r}), **places}})
again.check()
print(list(TASKS), type(again).__name__, again.darkest, [one.task for one in again.also])
"""
    told = in_python(code, checkout)
    assert "'depth', 'brightness', 'pix2pix'] BrightnessSettings 90" in told and "['canny']" in told


def test_wrong_values_are_refused_in_its_own_words(checkout, square_clip):
    command = [sys.executable, "generate.py", "brightness", square_clip, "a house", "--darkest", "300"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr == "--darkest is 300; give a number from 0 to 255.\n"


@needs_browser
def test_the_page_has_its_tab(checkout, browser, family, tmp_path):
    with serving(family, tmp_path, checkout) as address:
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("tab", name="Brightness").click()
        panel = page.get_by_role("tabpanel").filter(has=page.get_by_text("Its brightness appears here"))
        assert panel.get_by_label("What should be lit like that?").is_visible()
        assert field(panel, "Darkest").input_value() == "0"
        assert panel.get_by_label("My clip already shows brightness").is_visible()
        button(panel, "Run").click()
        alert = panel.get_by_role("alert")
        alert.wait_for()
        assert "no clip is chosen" in alert.inner_text().lower()
        page.get_by_role("tab", name="Edges").click()
        edges = page.get_by_role("tabpanel").filter(has=page.get_by_text("Its edges appear here"))
        edges.get_by_text("Advanced options").click()
        edges.get_by_label("number input for Also follow brightness", exact=True).wait_for()
        page.close()

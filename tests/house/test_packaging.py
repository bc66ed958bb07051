"""The package: its public names, what an installed copy holds, and that it works away from a clone."""

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

import t2v
from t2v.video.video import read_video

PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
OFFLINE = ["--no-deps", "--no-index"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from this checkout by the builder that is here."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [*PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder that it is installed in; its dependencies are those of this Python."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([*PIP, "install", *OFFLINE, "--target", str(folder), str(wheel)], check=True)
    return folder


def run_away(installed: Path, folder: Path, *command: str | Path) -> str:
    """What a command prints in a folder from which nothing of the clone is to be found."""
    environment = os.environ | {"PYTHONPATH": str(installed), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def files_of(folder: Path) -> set[str]:
    """The files of a folder by their paths from the project's root, without what Python leaves there."""
    found = {path.relative_to(ROOT).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if "__pycache__" not in name}


def test_type_checkers_see_the_public_names():
    shown = {}
    for node in ast.walk(ast.parse(Path(t2v.__file__).read_text())):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            shown = {alias.asname: line.module for line in node.body for alias in line.names}
    assert shown == t2v._HOMES


def test_other_names_are_refused_as_by_any_module():
    assert set(t2v.__all__) <= set(dir(t2v))
    with pytest.raises(AttributeError, match="^module 't2v' has no attribute 'Film'$"):
        _ = t2v.Film


@pytest.mark.slow
def test_the_wheel_holds_the_package_its_weights_and_examples_and_nothing_else(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    bundled = files_of(ROOT / "miniature/weights") | files_of(ROOT / "examples")
    assert held == files_of(ROOT / "t2v") | {f"t2v/bundled/{name}" for name in bundled}
    pages = {f"t2v/page/static/{name}" for name in ("style.css", "page.js", "sign_in.html")}
    assert {"t2v/py.typed", *pages} <= held


@pytest.mark.slow
def test_version_and_commands(wheel):
    archive = zipfile.ZipFile(wheel)
    (entries,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    commands = archive.read(entries).decode().splitlines()
    assert wheel.name.startswith(f"text2video_zero_studio-{t2v.__version__}-")
    assert {"t2v = t2v.commands.start:t2v", "t2v-app = t2v.page.start:t2v_app"} <= set(commands)


@pytest.mark.slow
def test_every_public_name_is_there_and_nothing_heavy_before_it_is_asked_for(installed, tmp_path):
    light = "import sys, t2v; assert not {'torch', 'numpy', 'gradio'} & sys.modules.keys()"
    names = f"from t2v import {', '.join(t2v.__all__)}; print(t2v.__file__)"
    printed = run_away(installed, tmp_path, sys.executable, "-c", f"{light}; {names}")
    assert printed.strip() == str(installed / "t2v" / "__init__.py")


@pytest.mark.slow
def test_the_command_draws_a_video_anywhere(installed, tmp_path):
    asked = ["text-to-video", "a red car on a street", "-o", "car.mp4", "--json"]
    small = ["--num-frames", "1", "--steps", "1", "--width", "64", "--height", "64"]
    report = json.loads(run_away(installed, tmp_path, installed / "bin" / "t2v", *asked, *small))
    assert report["model"] == "miniature"
    assert read_video(tmp_path / "car.mp4").frames.shape == (1, 64, 64, 3)


@pytest.mark.slow
def test_the_apps_command_answers(installed, tmp_path):
    assert "usage: t2v-app" in run_away(installed, tmp_path, installed / "bin" / "t2v-app", "--help")

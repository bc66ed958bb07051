"""docs/api.md: every example is run as it stands, but for where the app is served."""

import base64
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from test_programs import PEOPLE, served

from t2v.page.programs.endpoints import OPERATIONS
from t2v.page.programs.mcp_server import PATH
from t2v.tasks import settings_of
from t2v.video.picture import write_picture
from t2v.video.write import read_settings

pytestmark = pytest.mark.slow

DOC = (ROOT / "docs" / "api.md").read_text()
ADDRESS = "http://127.0.0.1:7860"
OF_PEOPLE = 'auth=("anna", "secret")', "AsyncClient(auth=who"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def app(family, tmp_path_factory):
    yield from served(family, tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def closed(family, tmp_path_factory):
    yield from served(family, tmp_path_factory.mktemp("shared"), "--mcp", people=PEOPLE)


@pytest.fixture
def here(tmp_path, square_clip, monkeypatch) -> Path:
    """A folder with the files that the examples name."""
    monkeypatch.chdir(tmp_path)
    for name in ("clip.mp4", "poses.mp4", "depth.mp4"):
        shutil.copy(square_clip, name)
    write_picture(Path("car.png"), np.full((64, 64, 3), 90, np.uint8))
    return tmp_path


def run(code: str, names: dict, port: int) -> None:
    exec(code.replace(ADDRESS, f"http://127.0.0.1:{port}"), names)


def test_the_examples_for_gradio_client_run_in_their_order(app, here, capsys):
    names: dict = {}
    codes = [code for code in blocks("python") if not any(part in code for part in OF_PEOPLE)]
    assert len(codes) == 7
    for code in codes:
        run(code, names, app.port)
    out = capsys.readouterr().out
    assert "before it; " in out and "\ndone with seed " in f"\n{out}" and "'stopped'" in out
    assert re.search(r"^\d+ videos; the newest: a-red-car-on-a-street-\S+\.mp4 4 frames$", out, re.MULTILINE)
    assert settings_of(here / "car.json").prompt == "a red car on a street"
    assert read_settings(Path(names["path"]))["num_frames"] == 4
    waiting = {view.id for view in app.studio.jobs.runs() if not view.finished}
    deadline = time.monotonic() + 120
    while not all(app.studio.jobs.follow(job).finished for job in waiting):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert {app.studio.jobs.follow(job).error for job in waiting} == {None}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_example_for_curl_runs(app, here):
    (code,) = blocks("bash")
    code = code.replace(ADDRESS, f"http://127.0.0.1:{app.port}")
    told = subprocess.run(["bash", "-ec", code], capture_output=True, text=True, timeout=60).stdout
    assert "event: complete" in told
    (answer,) = json.loads(told.partition("data: ")[2])
    assert answer["state"] in ("queued", "running") and answer["prompt"] == "a red car"


def test_the_examples_for_people_who_sign_in_run(closed, here, capsys):
    by_page, by_mcp = (code for code in blocks("python") if any(part in code for part in OF_PEOPLE))
    run(by_mcp, {}, closed.port)
    run("from gradio_client import Client\n" + by_page, {}, closed.port)
    out = capsys.readouterr().out
    assert "100% " in out and out.endswith("\n1\n")  # the video is in her library
    assert read_settings(here / "car.mp4")["prompt"] == "a red car on a street"


def test_the_file_for_mcp_clients_names_address_and_password():
    (text,) = blocks("json")
    ((told),) = json.loads(text)["mcpServers"].values()
    assert told["url"] == ADDRESS + PATH
    assert base64.b64decode(told["headers"]["Authorization"].removeprefix("Basic ")) == b"anna:secret"


def test_every_endpoint_is_told_of():
    for name in OPERATIONS:
        assert f"`/{name}`" in DOC or f'"/{name}"' in DOC, name

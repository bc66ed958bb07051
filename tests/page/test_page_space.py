"""The app as a Space of Hugging Face's: what its README says, where it listens, a GPU that is lent."""

import os
import re
import time
import tomllib

import pytest
from conftest import ROOT
from lending import stand_in
from packaging.requirements import Requirement
from test_door import API
from test_service import Served

from t2v.page import flags, space
from t2v.page.door.gates import NOT_FRAMED, Gates
from t2v.page.door.recognised import _cookie

HEAD = re.match(r"---\n(.*?)\n---\n\n# Text2Video-Zero Studio\n", (ROOT / "README.md").read_text(), re.DOTALL)
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")


def test_the_readme_begins_with_what_a_space_is_built_from():
    told = dict(re.findall(r'^(\w+): "?(.*?)"?$', HEAD[1], re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"\n{told['sdk']}=={told['sdk_version']}\n" in (ROOT / "requirements.txt").read_text()
    assert (ROOT / told["app_file"]).is_file() and told["license"] == project["license"].lower()
    assert Requirement(f"python{project['requires-python']}").specifier.contains(told["python_version"])
    assert {told["colorFrom"], told["colorTo"]} <= set(COLOURS) and len(told["short_description"]) <= 60
    assert told["title"] == "Text2Video-Zero Studio" and told["pinned"] == "false"


def test_a_space_serves_everybody_through_its_proxy_inside_of_a_page(monkeypatch):
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    space.trust_its_proxy()
    assert flags.arguments([]).host == "127.0.0.1" and "FORWARDED_ALLOW_IPS" not in os.environ
    assert flags.is_for_itself(flags.arguments([])) and "SameSite=Lax" in _cookie("0" * 32, False)
    monkeypatch.setenv("SPACE_ID", "me/studio")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.1")
    space.trust_its_proxy()
    assert os.environ["FORWARDED_ALLOW_IPS"] == "10.0.0.1"  # what somebody says stays
    monkeypatch.delenv("FORWARDED_ALLOW_IPS")
    space.trust_its_proxy()
    assert os.environ["FORWARDED_ALLOW_IPS"] == "*"
    assert flags.arguments([]).host == "0.0.0.0" and not flags.is_for_itself(flags.arguments([]))
    assert _cookie("0" * 32, False).endswith("; HttpOnly; SameSite=None; Secure; Partitioned")
    assert NOT_FRAMED.encode() not in Gates(None, [])._policy[1]


@pytest.mark.slow
def test_where_gpus_are_lent_a_run_is_drawn_on_one(family, tmp_path):
    """The whole app: the lending package comes before torch, and no GPU is asked for before somebody runs."""
    stand_in(tmp_path)
    first = "import sys\nassert 'torch' not in sys.modules\n"
    file = tmp_path / "spaces.py"
    telling = file.read_text().replace("told.append((", "print('lent for', duration(*asked)), told.append((")
    file.write_text(first + telling)
    more = {"PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    app = Served(family, tmp_path, "--host", "127.0.0.1", **more, SPACE_ID="me/studio")
    try:
        assert "lent for" not in app.told()
        values = {"prompt": "a car", "num_frames": 2, "num_inference_steps": 10}
        app.ask(f"{API}/call/v2/text_to_video", values)
        deadline = time.monotonic() + 60
        while not list(app.folder.glob("*.mp4")):
            assert time.monotonic() < deadline, app.told()
            time.sleep(0.1)
        assert re.search(r"^lent for 2[01]$", app.told(), re.MULTILINE) and "Traceback" not in app.told()
    finally:
        app.process.terminate()
        assert app.process.wait(30) == 0

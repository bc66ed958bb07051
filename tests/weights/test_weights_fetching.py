"""What is fetched from a hub is told while it comes, and may be stopped; the hub is a small one of ours."""

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import ROOT

from t2v.weights.fetching import Fetching

ID = "someone/model"
COMMIT = "0" * 40
CODE = """
import json, sys
import torch
from t2v.diffusion.progress import Cancelled
from t2v.weights.fetching import told_of_fetching
from t2v.weights.load import load_pipeline
heard = []
def hear(file):
    heard.append((file.file, file.done, file.total))
    if len(sys.argv) > 2:
        raise Cancelled
try:
    with told_of_fetching(hear):
        pipeline = load_pipeline(sys.argv[1], "cpu", torch.float32)
    total = float(pipeline.unet.conv_in.weight.double().sum())
except Cancelled:
    total = None
print(json.dumps([heard, total]))
"""


def hub_of(folder: Path) -> type[http.server.BaseHTTPRequestHandler]:
    """Answers as the hub does about one model, whose files are those of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in files]

    class Hub(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def _answer(self, held: bytes, with_body: bool, **headers: str) -> None:
            self.send_response(200)
            for name, value in {"Content-Length": str(len(held)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if with_body:
                self.wfile.write(held)

        def do_HEAD(self):
            self._file(False)

        def do_GET(self):
            path = self.path.partition("?")[0]
            if path.startswith(f"/api/models/{ID}/tree/"):
                held = [{"type": "file", "path": one, "size": 1, "oid": "1"} for one in names]
            elif path.startswith(f"/api/models/{ID}"):
                held = {"id": ID, "sha": COMMIT, "siblings": [{"rfilename": one} for one in names]}
            else:
                return self._file(True)
            return self._answer(json.dumps(held).encode(), True, Content_Type="application/json")

        def _file(self, with_body: bool) -> None:
            name = self.path.partition("?")[0].removeprefix(f"/{ID}/resolve/").partition("/")[2]
            if name not in names:
                return self.send_error(404)
            held = (folder / name).read_bytes()
            return self._answer(held, with_body, ETag=f'"{name.replace("/", "-")}"', X_Repo_Commit=COMMIT)

    return Hub


@contextlib.contextmanager
def serving_hub(folder: Path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), hub_of(folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def fetched(hub: str, home: Path, *more: str):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "HF_ENDPOINT": hub, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1",
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    run = [sys.executable, "-c", CODE, ID, *more]
    told = subprocess.run(run, env=environment, cwd=home, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr[-3000:]
    return json.loads(told.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_model_comes_from_the_hub_and_tells_how_far_it_is(model_folder, pipeline, tmp_path):
    with serving_hub(model_folder) as hub:
        heard, nothing = fetched(hub, tmp_path, "stop")
        assert nothing is None and len(heard) == 1  # what hears of it ended it
        heard, total = fetched(hub, tmp_path)
    assert total == pytest.approx(float(pipeline.unet.conv_in.weight.double().sum()))
    weights = {path.relative_to(model_folder).as_posix(): path.stat().st_size
               for path in model_folder.rglob("*.safetensors")}  # fmt: skip
    assert {name: (done, of) for name, done, of in heard} == {name: (of, of) for name, of in weights.items()}
    assert (tmp_path / "hub" / "models--someone--model").is_dir()
    heard, again = fetched("http://127.0.0.1:1", tmp_path)  # the hub is gone, the model is here
    assert heard == [] and again == total


def test_how_far_it_is_in_words():
    file = Fetching(ID, "unet/model.safetensors", 400_000_000, 3_400_000_000)
    assert file.words == "Fetching unet/model.safetensors, 0.4 of 3.4 GB"
    assert Fetching(ID, "a.bin", 1_500_000, 0).words == "Fetching a.bin, 1.5 MB"

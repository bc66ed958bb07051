"""What is let through to Gradio: a server in this process, asked as browsers, programs and strangers do."""

import http.client
import json
import os
import socket
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import gradio as gr
import pytest
from conftest import free_port

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.page import serve
from t2v.page.door.answers import OWN_FAULT
from t2v.page.door.belongings import own_temporary_folder
from t2v.page.endpoints import named_endpoints
from t2v.page.flags import arguments
from t2v.page.glances import Glances
from t2v.page.layout import build_page
from t2v.page.library.shelf import opened
from t2v.page.studio import Studio

pytestmark = pytest.mark.slow

API = "/gradio_api"
TEXT = "text_to_video"
FAST = {"num_frames": 2, "width": 64, "height": 64, "num_inference_steps": 1, "seed": 7}


class Answer(SimpleNamespace):
    @property
    def sentence(self) -> str:
        return json.loads(self.body)["detail"]


class App:
    """The page of a small model, served by this process as the program serves it."""

    def __init__(
        self, family: str, folder: Path, auth: dict[str, str] | None = None, *more: str, shelved: bool = False
    ) -> None:
        """auth: names and passwords. more: flags. shelved: with a library."""
        self.port = free_port()
        options = arguments(["--port", str(self.port), "--output", str(folder), *more])
        engine, is_open = Engine("cpu"), auth is not None
        shelf = opened(folder, is_open) if shelved else None
        jobs = Jobs(engine, folder, library=None if shelf is None else shelf.library)
        self.studio = Studio(engine, jobs, family, Glances("cpu"), is_open, shelf)
        self.page: gr.Blocks = build_page(self.studio)
        serve._launch(self.page, self.studio, options, auth)

    def close(self) -> None:
        self.studio.jobs.close()
        self.page.close(verbose=False)
        if self.studio.shelf is not None:
            self.studio.shelf.close()

    def ask(self, path: str, body: object = None, method: str | None = None, **headers: str) -> Answer:
        """An answer, whatever its status; body: JSON, or bytes as they are. Headers: Host as ``host``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            given.setdefault("content-type", "application/json")
        connection.request(method or ("GET" if data is None else "POST"), path, data, given)
        answer = connection.getresponse()
        found = Answer(status=answer.status, headers=answer.headers, body=answer.read())
        connection.close()
        return found

    def call(self, endpoint: str = TEXT, **values: object) -> Answer:
        return self.ask(f"{API}/call/v2/{endpoint}", values)

    def result(self, **values: object) -> Path:
        """A finished run's video, asked for by name."""
        event = json.loads(self.call(**{"prompt": "a car", **FAST, **values}).body)["event_id"]
        told = self.ask(f"{API}/call/{TEXT}/{event}").body.decode()
        return Path(json.loads(told.partition("data: ")[2].partition("\n")[0])[0]["path"])


@pytest.fixture(scope="module")
def app(family, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("temporary")))
        patch.setenv("TMPDIR", "")
        patch.setattr("tempfile.tempdir", None)
        with own_temporary_folder():
            app = App(family, tmp_path_factory.mktemp("videos"))
            yield app
            app.close()


@pytest.fixture
def listener():
    """A server that nobody should ask; how many did."""
    asked = []
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            asked.append(connection.recv(1000))
            connection.close()

    threading.Thread(target=accept, daemon=True).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.getsockname()[1]}/clip.mp4", asked=asked)
    server.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{API}/process_recording"),
        ("POST", f"{API}/vibe-edit"),
        ("GET", f"{API}/vibe-code/"),
        ("GET", f"{API}/dev/reload"),
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("GET", f"{API}/runs"),
        ("GET", f"{API}/run-history/buckets"),
        ("GET", f"{API}/proxy=https://a.hf.space/x"),
        ("POST", f"{API}/component_server"),
        ("GET", f"{API}/stream/a/b/1/playlist.m3u8"),
        ("GET", f"{API}/deep_link"),
        ("GET", f"{API}/token"),
        ("GET", f"{API}//proxy=https://a.hf.space/x"),
        ("POST", f"{API}/%76ibe-edit"),
        ("GET", "/docs"),
    ],
)
def test_gradios_side_doors_are_shut(app, method, path):
    answer = app.ask(path, method=method)
    assert answer.status == 404 and answer.sentence == "There is nothing at this address."


def test_the_pages_manifest_names_an_icon_that_is_there(app):
    (icon,) = json.loads(app.ask("/manifest.json").body)["icons"]
    answer = app.ask(icon["src"])
    assert answer.status == 200 and b"<svg" in answer.body
    assert app.ask(f"{icon['src']}/192").status == 404  # which only a favicon of pixels has


def test_the_page_may_be_framed_by_nobody(app):
    policy = app.ask("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'self' ") and policy.endswith("; frame-ancestors 'none'")


@pytest.mark.parametrize("path", ["/", "/config", f"{API}/info", f"{API}/queue/data?session_hash=x"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "[::", "10.0.0.1"]
)
def test_a_name_that_is_not_ours_is_refused(app, path, host):
    answer = app.ask(path, host=host)
    assert answer.status == 403 and "answers to its own address alone" in answer.sentence


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9000", "[::1]:7860", "127.8.8.8", "LocalHost:1"])
def test_this_machines_names_are_known(app, host):
    assert app.ask("/config", host=host).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3000", "null", "file://"])
def test_other_pages_cannot_drive_it(app, origin):
    calls = [
        (f"{API}/call/{TEXT}", {"data": []}),
        (f"{API}/upload", b"x"),
        (f"{API}/queue/join", {}),
        ("/config", None),
    ]
    for path, body in calls:
        answer = app.ask(path, body, origin=origin)
        assert answer.status == 403 and "Another web page" in answer.sentence
    answer = app.ask("/config", sec_fetch_site="cross-site", sec_fetch_mode="no-cors")
    assert answer.status == 403
    assert app.ask("/", sec_fetch_site="cross-site", sec_fetch_mode="navigate").status == 200
    own = f"http://127.0.0.1:{app.port}"
    assert app.ask("/config", origin=own).status == 200


def test_no_address_is_fetched_for_anybody(app, listener):
    url = listener.url
    clip = {"path": url, "url": url, "meta": {"_type": "gradio.FileData"}}
    assert app.ask(f"{API}/file={url}").status == 404
    assert app.ask(f"{API}/file={quote(url, safe='')}").status == 404
    assert app.ask(f"{API}/file/{url}").status == 404
    assert app.ask(f"{API}/upload", {"path": url}).status == 400
    for given in (clip, url, {"path": url}):
        assert "upload it first" in app.call("canny", clip=given, prompt="a car").sentence
    numbers = {fn.api_name: (number, len(fn.inputs)) for number, fn in app.page.fns.items()}
    for name in ("canny", "_uploaded", "_start"):
        number, count = numbers[name]
        for path in ("queue/join", "run/predict"):
            body = {"fn_index": number, "data": [clip] * count, "session_hash": f"{name}{path[:3]}"}
            app.ask(f"{API}/{path}", body)
            if path == "queue/join":
                app.ask(f"{API}/queue/data?session_hash={name}{path[:3]}")
    assert listener.asked == []


def test_only_finished_results_are_given_out(app, tmp_path):
    video = app.result()
    assert app.ask(f"{API}/file={video}").status == 200
    folder = app.studio.jobs.output_folder
    own = next(folder.glob("*.mp4"))
    answer = app.ask(f"{API}/file={own}")
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
    for name in ("holiday.mp4", ".hidden.mp4", ".a1.part.mp4", "page.html", "keys.txt"):
        (folder / name).write_bytes(own.read_bytes())
        answer = app.ask(f"{API}/file={folder / name}")
        assert answer.status == 404 and "not given out" in answer.sentence
        (folder / name).unlink()
    (folder / "link.mp4").symlink_to("/etc/passwd")
    for path in (folder / "link.mp4", folder, "/etc/passwd", "a%00b", "a" * 5000, f"{own}/../../x.mp4"):
        assert app.ask(f"{API}/file={path}").status == 404
    (folder / "link.mp4").unlink()
    own.unlink()
    assert app.ask(f"{API}/file={own}").status == 404


def test_ranges_are_answered_without_what_was_asked_with(app):
    video = app.result(prompt="a boat")
    whole = app.ask(f"{API}/file={video}").body
    size = len(whole)

    def ranged(text: str) -> Answer:
        return app.ask(f"{API}/file={video}", range=text, authorization="Basic c2VjcmV0", cookie="a=secret")

    good = [
        ("bytes=0-99", 0, 100),
        ("bytes=5-5", 5, 6),
        ("bytes=100-", 100, size),
        ("bytes=-7", size - 7, size),
    ]
    far = "9" * 23  # what ends behind the file ends with it, however far
    good += [(f"bytes=10-{size * 9}", 10, size), (f"bytes=0-{far}", 0, size), (f"bytes=-{far}", 0, size)]
    for text, first, last in [*good, ("Bytes=1-2", 1, 3), ("bytes=0-" + "9" * 5000, 0, size)]:
        answer = ranged(text)
        assert (answer.status, answer.body) == (206, whole[first:last])
        assert answer.headers["content-range"] == f"bytes {first}-{last - 1}/{size}"
        assert answer.headers["content-length"] == str(last - first)
        assert "authorization" not in answer.headers and "cookie" not in answer.headers
        assert "secret" not in str(answer.headers)
    bad = [
        "bytes=",
        "bytes=-",
        "bytes=9-3",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=--1",
        "0-1",
        "=0-1",
        "bytes=²-³",
    ]
    for text in [*bad, f"bytes={size}-", "bytes=" + "9" * 5000 + "-"]:
        answer = ranged(text.encode("utf-8").decode("latin-1"))
        assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{size}")
    for text in ("bytes=0-1, 4-5", "bytes=0-1,4-5", "items=0-1", "seconds=a"):  # units unknown are ignored
        assert (ranged(text).status, ranged(text).body) == (200, whole)


BAD_BODIES = [
    (b"", "no JSON object"),
    (b"{", "no JSON object"),
    (b"[1]", "no JSON object"),
    (b"[" * 100_000, "no JSON object"),
    ({"data": ["a"]}, "data has 1 value; text_to_video takes"),
    ({}, "data is missing or no list"),
    ({"data": "a"}, "data is missing or no list"),
    ({"data": None}, "data is missing or no list"),
    ({"data": [[[[]]] * 2] * 3}, "data has 3 values"),
    ({"data": json.loads("[" * 50 + "]" * 50)}, "nested more than"),
]


@pytest.mark.parametrize(("body", "words"), BAD_BODIES)
@pytest.mark.parametrize("door", ["call", "run", "api"])
def test_a_call_of_the_wrong_shape_gets_a_sentence(app, door, body, words):
    answer = app.ask(f"{API}/{door}/{TEXT}", body)
    assert answer.status == 400 and words in answer.sentence


@pytest.mark.parametrize(
    ("endpoint", "values", "words"),
    [
        (TEXT, {}, "prompt is empty"),
        (TEXT, {"promt": "a car"}, "text_to_video has no 'promt'; it has prompt, "),
        (TEXT, {"prompt": ["a"]}, "prompt is ['a']; give a text."),
        (TEXT, {"prompt": "a car", "fps": float("nan")}, "fps is nan; give a number"),
        (TEXT, {"prompt": "a car", "width": 100}, "width is 100; give a multiple of 8"),
        (TEXT, {"prompt": "a car", "num_frames": {"a": 1}}, "num_frames is {'a': 1}; give a whole number"),
        ("canny", {"prompt": "a car"}, "no clip is chosen"),
        (
            "canny",
            {"prompt": "a car", "clip": "/etc/passwd"},
            "clip is neither an uploaded file",
        ),
        ("canny", {"prompt": "a car", "clip": {"path": "/etc/passwd"}}, "clip is neither an uploaded file"),
        ("canny", {"prompt": "a car", "clip": {"url": "x"}}, "no clip is chosen"),
        ("canny", {"prompt": "a car", "clip": 7}, "clip is neither an uploaded file"),
    ],
)
def test_wrong_fields_get_a_sentence(app, endpoint, values, words):
    answer = app.call(endpoint, **values)
    assert answer.status == 400 and answer.sentence.startswith(words)


def test_other_doors_answer_wrong_calls_too(app):
    assert app.ask(f"{API}/call/nothing", {"data": []}).status == 404
    assert "there are text_to_video, " in app.ask(f"{API}/call/nothing", {"data": []}).sentence
    assert app.ask(f"{API}/call/{TEXT}", b"x" * (9 * 2**20)).status == 413
    join = f"{API}/queue/join"
    good = {"fn_index": 0, "data": [None] * 99, "session_hash": "a"}
    wrong = [("fn_index", None), ("fn_index", 10**6), ("fn_index", "0"), ("data", []), ("data", 1)]
    for name, value in [*wrong, ("session_hash", None), ("session_hash", 5), ("trigger_id", "x")]:
        answer = app.ask(join, {**good, name: value})
        assert answer.status == 400 and answer.sentence.startswith(name)
    for path in (f"{API}/call/{TEXT}/unknown", f"{API}/queue/data?session_hash=unknown"):
        answer = app.ask(path)
        assert b"404: Not Found" in answer.body and b"Traceback" not in answer.body


def test_gradios_own_refusals_get_a_sentence(app):
    """Bodies of another form, functions of the browser alone, values that no page sends."""
    by_name = {fn.api_name: number for number, fn in app.page.fns.items()}
    browsers = next(number for number, fn in app.page.fns.items() if fn.fn is None)

    def predict(number: int, *data: object) -> Answer:
        body = {"fn_index": number, "data": data, "session_hash": "a"}
        return app.ask(f"{API}/run/predict", body)

    assert "none of the page's" in predict(browsers, *[None] * 50).sentence
    assert predict(by_name["_seed"], ["x"]).sentence.startswith("data holds ['x'] at 0; give a text")
    for given in ("/etc/passwd", {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, {"a": []}):
        assert "no uploaded file at 0; upload it" in predict(by_name["_uploaded"], given).sentence
    for index in ("x", -1, 99, None, 1.5):
        assert predict(by_name["_picked"], index).status == 200
    words = next(number for number, fn in app.page.fns.items() if isinstance(fn.fn, partial))
    assert predict(words, 5, None).status == 200
    for path in ("cancel", "reset"):
        for body in (b"\x80", b"[]", b"1"):
            assert "no JSON object" in app.ask(f"{API}/{path}", body).sentence
        answer = app.ask(f"{API}/{path}", {})
        assert answer.status == 422 and "not of the form that this address takes" in answer.sentence
    assert app.ask(f"{API}/call/predict", {"data": [], "fn_index": 0, "session_hash": "a"}).status == 404


def test_a_run_that_is_refused_while_one_waits_for_it_gets_its_sentence(app, monkeypatch):
    def refuse(_: object) -> None:
        raise InputError("clip is damaged; save it again.")

    monkeypatch.setattr(app.studio.engine, "resolve", refuse)
    order = named_endpoints(app.studio)[TEXT][0]
    values = {"prompt": "a cat", **FAST}
    answer = app.ask(f"{API}/run/{TEXT}", {"data": [values.get(name) for name in order]})
    assert (answer.status, answer.sentence) == (422, "clip is damaged; save it again.")
    assert json.loads(answer.body)["error"] == answer.sentence


def test_a_run_that_fails_of_itself_is_told_and_not_as_null(app, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("of itself")

    monkeypatch.setattr(app.studio.jobs, "submit", fail)
    event = json.loads(app.call(prompt="a cat", **FAST).body)["event_id"]
    told = app.ask(f"{API}/call/{TEXT}/{event}").body.decode()
    assert (
        "event: error" in told and OWN_FAULT in told and "null" not in told.partition("event: error")[2][:20]
    )
    order = named_endpoints(app.studio)[TEXT][0]
    values = {"prompt": "a cat", **FAST}
    answer = app.ask(f"{API}/run/{TEXT}", {"data": [values.get(name) for name in order]})
    assert (answer.status, answer.sentence) == (500, OWN_FAULT)


def memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_hundreds_of_visitors_cost_no_more_memory_than_a_few(app):
    number = next(number for number, fn in app.page.fns.items() if fn.api_name == "_seed")

    def visits(first: int, last: int) -> None:
        for visit in range(first, last):
            body = {"fn_index": number, "data": ["no run"], "session_hash": f"visitor{visit}"}
            assert app.ask(f"{API}/run/predict", body).status == 200

    visits(0, 50)
    before = memory_mb()
    visits(50, 350)
    assert len(app.page.app.state_holder.session_data) <= serve.KEPT_SESSIONS
    assert memory_mb() - before < 20  # 208 MB when each of them was kept

"""What programs may send, at random: each answer is 2xx or 4xx, each refusal has words, no error is empty."""

import json
import re
import secrets
from typing import Any

import pytest
from fuzzing import JSON, PLAIN_NUMBERS, TEXTS, changed_json, fuzzed, spoiled
from hypothesis import given
from hypothesis import strategies as st
from test_door import API, FAST, TEXT, App, app

from t2v.checks import InputError
from t2v.page.door.answers import OWN_FAULT
from t2v.tasks import TASKS

__all__ = ["app"]  # the fixture
pytestmark = pytest.mark.slow

ENDPOINTS = {
    kind.task.replace("-", "_"): [field.name for field in kind.in_order()] for kind in TASKS.values()
}
ALSO = [{"task": "pose", "conditioning_scale": 0.5}]


@pytest.fixture(autouse=True)
def nothing_is_drawn(app, monkeypatch):
    """What passes is a run that is stopped at once: its frames are others' tests."""

    def refuse(_: object) -> None:
        raise InputError("there is no drawing today.")

    monkeypatch.setattr(app.studio.engine, "resolve", refuse)


@pytest.fixture(scope="module")
def uploaded(app, square_clip) -> str:
    boundary, name = "xxxx", 'form-data; name="files"; filename="a.mp4"'
    with open(square_clip, "rb") as file:
        content = file.read()
    body = (
        f"--{boundary}\r\nContent-Disposition: {name}\r\n\r\n".encode()
        + content
        + f"\r\n--{boundary}--\r\n".encode()
    )
    answer = app.ask(f"{API}/upload", body, content_type=f"multipart/form-data; boundary={boundary}")
    return json.loads(answer.body)[0]


def well(answer: Any) -> Any:
    """The answer, where it is one that people can use."""
    assert 200 <= answer.status < 500, (answer.status, answer.body[:300])
    assert b"Traceback" not in answer.body and OWN_FAULT.encode() not in answer.body
    if answer.status >= 400:
        said = answer.sentence if answer.body.startswith(b"{") else None
        assert isinstance(said, str) and 0 < len(said) < 700 and "\n" not in said, answer.body
    return answer


def ended_well(app: App, name: str, answer: Any) -> None:
    """What became of a call that was taken: the stream that tells it ends, and an error has its words."""
    if answer.status != 200:
        return
    event = json.loads(answer.body)["event_id"]
    told = well(app.ask(f"{API}/call/{name}/{event}")).body.decode()
    for line in re.findall(r"^event: error\ndata: (.*)$", told, re.MULTILINE):
        assert '"error": "' in line, told


def values(name: str, clip: str) -> st.SearchStrategy[dict[str, Any]]:
    """Values of an endpoint by name, a few of them of any kind."""
    right = {"prompt": "a cat", **FAST, **({"clip": {"path": clip}} if "clip" in ENDPOINTS[name] else {})}
    names = st.sampled_from(ENDPOINTS[name])
    odd = st.dictionaries(names | TEXTS, JSON | PLAIN_NUMBERS | TEXTS, max_size=3)
    more = st.just({"also": ALSO}) if "also" in ENDPOINTS[name] else st.just({})
    return st.builds(lambda also, odd: {**right, **also, **odd}, st.just({}) | more, odd) | changed_json(
        right
    )


def sent(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("name", ENDPOINTS)
@fuzzed(4)
@given(data=st.data())
def test_calls_by_names(app, uploaded, name, data):
    given = data.draw(values(name, uploaded) | JSON)
    ended_well(app, name, well(app.ask(f"{API}/call/v2/{name}", sent(given))))


@pytest.mark.parametrize("door", ["call", "run", "api"])
@fuzzed(5)
@given(data=st.data(), name=st.sampled_from(list(ENDPOINTS)))
def test_calls_in_order(app, uploaded, door, name, data):
    by_name = data.draw(values(name, uploaded))
    ordered = by_name if not isinstance(by_name, dict) else [by_name.get(one) for one in ENDPOINTS[name]]
    body = data.draw(st.just({"data": ordered}) | changed_json({"data": ordered, "session_hash": "x"}))
    answer = well(app.ask(f"{API}/{door}/{name}", sent(body)))
    if door == "call":
        ended_well(app, name, answer)


@fuzzed(12)
@given(data=st.data(), path=st.sampled_from(["queue/join", "run/predict", "api/predict", "call/predict"]))
def test_calls_by_numbers(app, uploaded, path, data):
    """The page's own functions, whose handlers must not fail whatever they are given."""
    number = data.draw(st.sampled_from(sorted(app.page.fns)))
    plain = st.none() | st.booleans() | PLAIN_NUMBERS | TEXTS | st.just(uploaded) | st.just("0")
    file = st.just({"path": uploaded, "meta": {"_type": "gradio.FileData"}})
    count, hash_ = len(app.page.fns[number].inputs), secrets.token_hex(8)
    given = data.draw(st.lists(plain | plain | plain | plain | file | JSON, min_size=count, max_size=count))
    right = {"fn_index": number, "data": given, "session_hash": hash_, "trigger_id": 1}
    answer = well(app.ask(f"{API}/{path}", sent(data.draw(st.just(right) | changed_json(right)))))
    if path == "queue/join" and answer.status == 200:
        told = app.ask(f"{API}/queue/data?session_hash={hash_}").body.decode()
        assert '"success":true' in told.replace(" ", "") or '"error":null' not in told.replace(" ", ""), told


@fuzzed(12)
@given(
    data=st.data(),
    path=st.sampled_from(
        ["call/v2/canny", f"call/{TEXT}", "queue/join", "cancel", "reset", "startup-events", "login"]
    ),
)
def test_bodies_that_are_no_json(app, path, data):
    body = data.draw(st.binary(max_size=60) | spoiled(sent({"data": ["a cat", None, 1.5], "fn_index": 1})))
    where = "/login" if path == "login" else f"{API}/{path}"
    kind = data.draw(st.sampled_from(["application/json", "text/plain", "x/y", "multipart/form-data"]))
    well(app.ask(where, body, content_type=kind))


@fuzzed(12)
@given(
    body=JSON,
    path=st.sampled_from(["cancel", "reset", "startup-events", "queue/data", "upload", "heartbeat/x"]),
)
def test_other_doors(app, body, path):
    well(app.ask(f"{API}/{path}", sent(body)))

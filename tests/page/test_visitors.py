"""An app that others may use: signing in, what they may ask for, how much of the queue is one's own."""

import argparse
import asyncio
import logging
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from puppet import Puppet, settings
from starlette.requests import Request
from test_door import API, App

from t2v.checks import InputError
from t2v.jobs.queue import Jobs
from t2v.page import flags
from t2v.page.door import sign_in
from t2v.page.door.belongings import own_temporary_folder
from t2v.page.door.proxies import told_of_proxies
from t2v.page.door.recognised import COOKIE, KEPT_S, mark_of
from t2v.page.uploads import examples

RIGHT = ("anna", "sé:cret")


@pytest.fixture(scope="module")
def app(family, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("temporary")))
        patch.setattr(sign_in, "WRONG_TAKES_S", 0.01)
        with own_temporary_folder():
            app = App(family, tmp_path_factory.mktemp("videos"), dict([RIGHT]))
            yield app
            app.close()


def try_with(app: App, user: str, password: str):
    body = urlencode({"username": user, "password": password}).encode()
    return app.ask("/login", body, content_type="application/x-www-form-urlencoded")


@pytest.fixture(scope="module")
def cookie(app) -> str:
    answer = try_with(app, *RIGHT)
    assert answer.status == 200
    return "; ".join(one.partition(";")[0] for one in answer.headers.get_all("set-cookie"))


def test_nothing_is_told_before_one_has_signed_in(app, cookie):
    for path, body in (
        (f"{API}/file=/etc/passwd", None),
        (f"{API}/call/v2/canny", {"clip": "/etc/passwd"}),
        (f"{API}/run/predict", {"data": []}),
        (f"{API}/queue/join", {}),
        (f"{API}/upload", b"x"),
    ):
        answer = app.ask(path, body)
        assert (answer.status, answer.sentence) == (401, "You are not signed in; sign in first.")
    form = app.ask("/")
    assert app.ask("/config").status == 401 and form.status == 200 and b"gradio" not in form.body.lower()
    assert b"gradio_config" in app.ask("/", cookie=cookie).body
    assert app.ask("/config", cookie=cookie).status == 200
    assert app.ask(f"{API}/file=/etc/passwd", cookie=cookie).status == 404


@pytest.mark.parametrize("model", ["/etc", "/nowhere", "no-one/no-model", "{}+/tmp/lora.safetensors"])
def test_only_what_is_listed_can_be_asked_for_and_nothing_is_probed(app, family, cookie, model):
    def call(endpoint: str, **values: object):
        return app.ask(f"{API}/call/v2/{endpoint}", {"prompt": "a car", **values}, cookie=cookie)

    answer = call("text_to_video", model=model.format(family))
    told = "model is not on offer here; choose one of "
    if "+" in model:  # what is not on offer stands behind a model that is
        told = "lora /tmp/lora.safetensors is not on offer here; leave it out."
    assert answer.status == 400 and answer.sentence.startswith(told)
    clip = examples("canny")[0].clip
    answer = call("canny", clip=clip, controlnet=model)
    assert answer.status == 400 and answer.sentence.startswith("controlnet is not on offer here")
    answer = call("canny", clip=clip, also=[{"task": "pose", "controlnet": model}])
    assert answer.status == 400 and answer.sentence.startswith("controlnet is not on offer here")
    assert call("text_to_video", model=family, num_inference_steps=1, num_frames=1, width=64).status == 200


def test_who_loads_the_page_gets_a_mark_and_keeps_it(app):
    given = [one for one in app.ask("/").headers.get_all("set-cookie") if one.startswith(COOKIE)]
    assert len(given) == 1 and given[0].endswith(f"; Path=/; Max-Age={KEPT_S}; HttpOnly; SameSite=Lax")
    mark = mark_of(dict([given[0].partition(";")[0].split("=")]))
    assert mark is not None
    for sent, is_same in ((f"{COOKIE}={mark}", True), (f"{COOKIE}=made-up", False), ("other=1", False)):
        (again,) = [one for one in app.ask("/", cookie=sent).headers.get_all("set-cookie") if COOKIE in one]
        assert (mark in again) is is_same
    assert COOKIE not in str(app.ask(f"{API}/info").headers)


def test_repeated_failures_are_slowed_down_and_logged(app, monkeypatch, caplog):
    with caplog.at_level(logging.WARNING):
        statuses = [try_with(app, "anna", f"guess{i}").status for i in range(7)]
    assert statuses == [400] * 5 + [429] * 2
    told = try_with(app, *RIGHT)  # nobody can go on guessing by guessing right
    assert told.status == 429 and "Too many tries to sign in; try again in " in told.sentence
    assert 1 <= int(told.headers["retry-after"]) <= 60
    assert "Sign-in failed for 'anna' from 127.0.0.1." in caplog.text and "guess" not in caplog.text
    monkeypatch.setattr(sign_in, "WINDOW_S", 0.0)
    assert try_with(app, *RIGHT).status == 200


def test_a_proxy_that_is_not_trusted_is_told_of_once(caplog):
    def request(address: str, *named: str) -> Request:
        headers = [(b"x-forwarded-for", one.encode()) for one in named]
        return Request({"type": "http", "method": "GET", "headers": headers, "client": (address, 0)})

    gate = told_of_proxies()
    for one in [
        request("10.0.0.5"),  # no proxy
        request("192.0.2.7", "192.0.2.7"),  # a trusted one: uvicorn has taken the visitor's address
        request("192.0.2.7", "203.0.113.1, 192.0.2.7:5000"),
        request("2001:db8::7", "[2001:db8::7]:5000"),
        *[request("10.0.0.5", f"192.0.2.{number}") for number in range(3)],
        *[request(f"10.0.1.{number}", "192.0.2.7") for number in range(30)],
    ]:
        assert asyncio.run(gate(one)) is None
    assert len(caplog.messages) == 10 and caplog.messages[0].startswith("10.0.0.5 sends requests for others ")
    assert "start the app with FORWARDED_ALLOW_IPS=10.0.0.5 in the environment." in caplog.messages[0]


def test_a_visitor_leaves_places_in_the_queue_to_others(tmp_path):
    puppet = Puppet()
    jobs = Jobs(puppet, tmp_path, max_waiting=8)
    first = [jobs.submit(settings(), "10.0.0.1")]
    while jobs.follow(first[0]).state == "queued":
        pass
    first += [jobs.submit(settings(), "10.0.0.1") for _ in range(2)]
    with pytest.raises(InputError, match="^2 runs of yours wait already; try again when one has begun.$"):
        jobs.submit(settings(), "10.0.0.1")
    for _ in range(2):
        jobs.submit(settings(), "10.0.0.2")
    jobs.submit(settings())  # in an app for oneself nobody counts
    puppet.steps.release(1000)
    jobs.close()


def options(**given: object) -> argparse.Namespace:
    return SimpleNamespace(**{"auth": None, "auth_file": None, **given})


def test_the_password_comes_by_flag_file_or_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("T2V_AUTH", raising=False)
    assert flags.sign_in(options()) is None
    monkeypatch.setenv("T2V_AUTH", "anna:from:environment")
    assert flags.sign_in(options()) == {"anna": "from:environment"}
    assert flags.sign_in(options(auth="anna:flag")) == {"anna": "flag"}
    file = tmp_path / "auth.txt"
    file.write_text("anna:sécret\n", encoding="utf-8")
    assert flags.sign_in(options(auth_file=file)) == {"anna": "sécret"}
    file.write_text("anna:sécret\nbob:another:one\n", encoding="utf-8")
    assert flags.sign_in(options(auth_file=file)) == {"anna": "sécret", "bob": "another:one"}


def test_passwords_that_cannot_be_had_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("T2V_AUTH", "anna")
    file = tmp_path / "auth.txt"
    for given, words in [
        (options(), "^T2V_AUTH needs a name and a password with a colon"),
        (options(auth="a:b", auth_file=file), "^--auth and --auth-file are both given"),
        (options(auth_file=file), "auth.txt cannot be read \\(No such file"),
    ]:
        with pytest.raises(InputError, match=words):
            flags.sign_in(given)
    for text, words in (
        ("anna:one\nanna:two", "has two passwords for 'anna'; give each name one"),
        ("anna:one\n\nbob", "needs a name and a password with a colon"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=words):
            flags.sign_in(options(auth_file=file))
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="it is no text"):
        flags.sign_in(options(auth_file=file))

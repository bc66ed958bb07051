"""Flags of the app: what they are anyway, and what is refused in one sentence."""

import socket

import pytest
from conftest import free_port

from t2v.page import flags
from t2v.page import serve as app


def test_flags_of_the_app():
    options = flags.arguments([])
    assert (options.host, options.port, options.share) == ("127.0.0.1", 7860, False)
    assert (options.model, options.device, options.auth) == ("miniature", None, None)
    assert flags.credentials(None) is None
    assert flags.credentials("anna:se:cret") == {"anna": "se:cret"}


@pytest.mark.parametrize("auth", ["anna", ":secret", "anna:"])
def test_half_credentials_end_with_one_sentence(auth, capsys):
    assert app.main(["--auth", auth, "--port", str(free_port())]) == 2
    sentence = "--auth needs a name and a password with a colon between them, like anna:secret."
    assert capsys.readouterr().err.strip() == sentence


BAD_PLACES = [("--port", "70000"), ("--port", "abc"), ("--port", "0"), ("--output", "/proc/videos")]


@pytest.mark.parametrize(("flag", "value"), BAD_PLACES)
def test_places_that_cannot_be_end_with_one_sentence(flag, value, capsys):
    assert app.main([flag, value]) == 2
    told = capsys.readouterr().err.strip()
    assert told.startswith(flag) and "\n" not in told


def test_a_port_in_use_is_told_before_anything_is_loaded(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(app, "serve", lambda *_: pytest.fail("loaded first"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert app.main(["--port", str(port), "--output", str(tmp_path)]) == 2
    told = capsys.readouterr().err.strip()
    place = f"port {port} of '127.0.0.1' (it is in use, perhaps by this app)"
    assert told == f"The app cannot be served on {place}; choose another --host or --port."


def test_a_free_port_is_left_free(monkeypatch, tmp_path):
    served = []
    monkeypatch.setattr(app, "serve", lambda options, *_: served.append(options.port))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert app.main(["--port", str(port), "--output", str(tmp_path)]) == 0 and served == [port]
    socket.create_server(("127.0.0.1", port)).close()

"""bar.py: progress on stderr, where somebody watches or asks for it."""

import sys

import torch

from t2v.bar import Bar
from t2v.diffusion.progress import Step


def run(bar: Bar) -> None:
    with bar:
        for done in (1, 2):
            bar.show(Step(done, 2, "all frames", done / 2, torch.zeros(1, 1, 4, 1, 1)))


def test_it_shows_where_it_is_asked_for_or_stderr_is_a_terminal(capsys, monkeypatch):
    run(Bar())
    run(Bar(is_shown=False))
    assert capsys.readouterr().err == ""
    run(Bar(is_shown=True))
    assert "all frames, step 2/2 100%|" in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run(Bar())
    assert "all frames, step 2/2 100%|" in capsys.readouterr().err


def test_it_comes_with_the_first_step(capsys):
    with Bar(is_shown=True):
        pass
    assert capsys.readouterr().err == ""


def test_it_says_what_a_step_waits_for_without_guessing_a_time(capsys, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    monkeypatch.setattr("tqdm.std.time", lambda: now[0], raising=False)
    with Bar(is_shown=True) as bar:
        bar.wait("compiling", True)
        line = capsys.readouterr().err.split("\r")[-1]
        assert line.startswith("compiling   0%|") and "<" not in line
        now[0] += 60
        bar.wait("compiling", False)
        for done, took_s in ((1, 5), (2, 1), (3, 1), (4, 1)):  # what was compiled starts slowly
            now[0] += took_s
            bar.show(Step(done, 8, "all frames", done / 8, torch.zeros(1, 1, 4, 1, 1)))
            told = capsys.readouterr().err
            assert ("<" in told) == (done > 1), told
        assert "01:08<00:04" in told.split("\r")[-1]

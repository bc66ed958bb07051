"""An engine whose GPU is lent, with a stand-in for the package that lends it."""

import importlib
import sys
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lending import stand_in
from runs import resolved as a_run

from t2v.checks import InputError
from t2v.diffusion.progress import Cancelled, Step
from t2v.engine.engine import Engine
from t2v.engine.lent import LentEngine, seconds_of
from t2v.jobs.queue import Jobs
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings

pytestmark = pytest.mark.slow


@pytest.fixture
def lender(tmp_path, monkeypatch):
    stand_in(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "spaces", raising=False)
    yield importlib.import_module("spaces")
    sys.modules.pop("spaces", None)


def asked(family: str, clip: str) -> list:
    small = {"model": family, "num_inference_steps": 2, "width": 64, "height": 64, "seed": 3}
    return [
        TextToVideoSettings("a red car", num_frames=3, method="paper", **small),
        TextToVideoSettings("a red car", num_frames=3, method="canvas", move="subject", **small),
        CannySettings(clip, "a red car", num_frames=2, **small),
        Pix2PixVideoSettings(clip, "make it red", num_frames=2, **small),
    ]


def test_it_draws_the_same_in_the_process_that_has_the_gpu(lender, family, square_clip):
    own, lent = Engine("cpu"), LentEngine("cpu")
    for settings in asked(family, square_clip):
        steps: dict[Engine, list[Step]] = {own: [], lent: []}
        seen: dict[Engine, dict[str, np.ndarray]] = {own: {}, lent: {}}
        frames = {
            engine: list(
                engine.frames(engine.resolve(settings), steps[engine].append, seen[engine].__setitem__)
            )
            for engine in (own, lent)
        }
        assert np.array_equal(frames[own], frames[lent])
        one, two = steps[own], steps[lent]
        assert [(step.done, step.total, step.label, step.fraction) for step in one] == [
            (step.done, step.total, step.label, step.fraction) for step in two
        ]
        assert np.allclose(one[-1].latents, two[-1].latents)
        assert lent.preview(two[-1].latents).shape == own.preview(one[-1].latents).shape
        assert seen[own].keys() == seen[lent].keys()
        assert all(np.array_equal(seen[own][name], seen[lent][name]) for name in seen[own])
    processes = {process for _, process, _ in lender.told}
    assert len(processes) == len(lender.told) == 4


def test_pictures_to_try_are_drawn_there_too_in_less_time(lender, family):
    own, lent = Engine("cpu"), LentEngine("cpu")
    settings = asked(family, "")[0]
    for last in (False, True):
        pictures = [engine.still(engine.resolve(settings), last=last) for engine in (own, lent)]
        assert np.array_equal(*pictures)
    assert [duration for duration, *_ in lender.told] == [
        seconds_of(lent.resolve(settings), last) for last in (False, True)
    ]


def test_a_stop_ends_it_there_and_the_next_run_is_drawn(lender, family):
    lent = LentEngine("cpu")
    run = lent.resolve(replace(asked(family, "")[0], num_inference_steps=200))
    told = []

    def on_step(step: Step) -> None:
        told.append(step.done)
        if len(told) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(lent.frames(run, on_step))
    assert told == [1, 2]
    frames = lent.frames(lent.resolve(asked(family, "")[0]))
    next(frames)
    frames.close()  # as where a disk is full
    assert len(list(lent.frames(lent.resolve(asked(family, "")[0])))) == 3


def test_what_is_refused_there_is_refused_here_in_the_same_words(lender, family, square_clip, tmp_path):
    clip = tmp_path / "gone.mp4"
    clip.write_bytes(Path(square_clip).read_bytes())
    lent = LentEngine("cpu")
    run = lent.resolve(CannySettings(str(clip), "a car", model=family, num_frames=2, num_inference_steps=1))
    clip.unlink()
    with pytest.raises(InputError, match="gone.mp4"):
        list(lent.frames(run))


def test_the_duration_grows_with_frames_steps_and_size():
    settings = TextToVideoSettings("a car", num_frames=8, width=512, height=512)
    run = a_run(settings, num_inference_steps=50)
    assert seconds_of(run) == 20 + 8 * 50 // 10
    assert seconds_of(replace(run, num_frames=16)) == 20 + 80
    assert seconds_of(replace(run, num_inference_steps=25)) == 20 + 20
    assert seconds_of(replace(run, width=256, height=256)) == 20 + 10
    assert seconds_of(run, last=True) == 60 and seconds_of(run, last=False) == 25
    assert type(seconds_of(run)) is int


def test_a_run_of_the_queue_is_drawn_for_whom_it_was_asked_for(lender, family, tmp_path):
    """Who lends finds the request in a context variable, which the queue's thread would not have."""
    request: ContextVar[str | None] = ContextVar("request", default=None)
    lender.note = request.get
    jobs = Jobs(LentEngine("cpu"), tmp_path / "videos")
    for name in ("anna", "bob", None):
        request.set(name)
        job = jobs.submit(asked(family, "")[0])
        while not (view := jobs.follow(job)).finished:
            pass
        assert view.state == "done", view.error
    jobs.close()
    assert [note for *_, note in lender.told] == ["anna", "bob", None]
    assert len(list((tmp_path / "videos").glob("*.mp4"))) == 3

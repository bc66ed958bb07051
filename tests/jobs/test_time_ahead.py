"""How long a run takes that waits: of one picture under a camera the way counts, and not the frames."""

from dataclasses import replace

import pytest

from t2v.engine.engine import Engine
from t2v.jobs.job import JobView
from t2v.jobs.stored import Past
from t2v.jobs.time_ahead import expected_s
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.source import BUNDLED

ASKED = TextToVideoSettings("a red car on a street", model=BUNDLED, num_inference_steps=8, upscale=1)


@pytest.fixture(scope="module")
def engine():
    return Engine("cpu")


def ended(engine: Engine, settings: TextToVideoSettings, seconds: float) -> list[JobView]:
    resolved = engine.resolve(settings)
    assert resolved.method == "canvas"
    return [JobView("earlier", "done", settings, resolved=resolved, seconds_elapsed=seconds)]


@pytest.mark.parametrize(
    ("changes", "seconds"),  # as measured on one CPU, with the weights in memory
    [
        ({"num_frames": 16}, 4.4),
        ({"num_frames": 48}, 5.2),
        ({"num_frames": 150}, 6.7),
        ({"motion_x": 0, "motion_y": 0}, 2.6),
        ({"motion_x": 12}, 8.6),
        ({"motion_x": 12, "num_frames": 24}, 21.3),
    ],
)
def test_more_frames_cost_little_and_a_longer_way_costs_more(engine, changes, seconds):
    told = expected_s(replace(ASKED, **changes), ended(engine, ASKED, 4.0))
    assert told == pytest.approx(seconds, rel=0.25)


def test_frames_alone_are_soon_written_but_doubling_them_takes_its_time(engine):
    plain, doubled = ended(engine, ASKED, 10.0), ended(engine, replace(ASKED, upscale=2), 10.0)
    assert expected_s(replace(ASKED, num_frames=28), plain) == pytest.approx(10 + 10 / 11)
    assert expected_s(replace(ASKED, num_inference_steps=19), plain) == pytest.approx(20.0)  # 3 to decode
    many = expected_s(replace(ASKED, num_frames=80, upscale=2), doubled)
    assert many == pytest.approx(10 * (8 + 2.6 + 1.35 * 80) / (8 + 2.6 + 1.35 * 8))


def test_what_an_earlier_program_drew_tells_the_same(engine):
    (view,) = ended(engine, ASKED, 10.0)
    past = [replace(view, resolved=Past.of(view.resolved.filled()))]
    for changes in ({"num_frames": 80}, {"motion_x": 12}, {"motion": "0: 0,0 | 1: 40,0"}):
        asked = replace(ASKED, **changes)
        assert expected_s(asked, past) == expected_s(asked, [view]) >= 10.0


def test_a_figure_that_acts_and_the_papers_method_draw_every_frame(engine):
    for settings in (replace(ASKED, method="paper"), replace(ASKED, prompt="a panda dancing on the beach")):
        resolved = engine.resolve(settings)
        view = JobView("earlier", "done", settings, resolved=resolved, seconds_elapsed=10.0)
        assert expected_s(replace(settings, num_frames=16), [view]) == 20.0

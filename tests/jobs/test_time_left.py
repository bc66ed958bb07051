"""time_left.py: what is told of runs that were recorded, against what they took, to the point.

The recorded runs are real ones on the bundled models, on one core, in seconds of the processor's time.
"""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from t2v.diffusion.progress import Step
from t2v.jobs.job import Job
from t2v.jobs.kinds import Kind, kind_of
from t2v.jobs.ledger import MIGRATIONS
from t2v.jobs.time_left import Course, Courses, Work
from t2v.library.database import Database
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.source import BUNDLED

RUNS = json.loads((Path(__file__).parent / "recorded_runs.json").read_text())
PANDA = "a panda dancing on the beach"
CLOCK = "t2v.jobs.job.time.monotonic"


def settings_of(name: str):
    if name.startswith("canny"):
        return CannySettings("clip.mp4", "a red car")
    method = "paper" if name == "paper" else None
    return TextToVideoSettings(PANDA if name.startswith("panda") else "a red car", method=method)


def resolved_of(name: str) -> SimpleNamespace:
    run = RUNS[name]
    return SimpleNamespace(
        **{key: run[key] for key in ("num_frames", "width", "height", "upscale", "method")}
    )


def kind(name: str) -> Kind:
    return kind_of(settings_of(name), resolved_of(name))


def learned(*names: str, database: Database | None = None) -> Courses:
    """What is known after these runs."""
    courses = Courses(database, "cpu")
    for name in names:
        run = RUNS[name]
        steps = [(at_s, share) for at_s, share, _ in run["steps"]]
        courses.learn(kind(name), Course.of(steps, run["end_s"], Work.of(resolved_of(name)), 0.0))
    return courses


def told(monkeypatch, name: str, courses: Courses) -> list[tuple[float, float | None]]:
    """(true, told) seconds left before the first step, and after each."""
    run, clock = RUNS[name], [0.0]
    monkeypatch.setattr(CLOCK, lambda: clock[0])
    job = Job("id", settings_of(name), state="running", resolved=resolved_of(name), drawn_from_s=0.0)
    job.kind = kind(name)
    job.course = courses.like(job.kind)
    found = [(run["end_s"], job.seconds_left(0.0))]
    latents = torch.zeros(1, 1, 4, 4, 8)
    for number, (at_s, share, label) in enumerate(run["steps"], 1):
        clock[0] = at_s
        job.took(Step(number, len(run["steps"]), label, share, latents), None)
        found.append((run["end_s"] - at_s, job.seconds_left(at_s)))
    return found


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("car again", ["car"]),
        ("panda2", ["car", "panda", "car again"]),
        ("panda4", ["panda"]),
        ("panda", ["car"]),  # acts, which costs six times as much: nothing is known of its kind
        ("car", []),
        ("canny", []),
        ("car up", ["car"]),
        ("car up", []),
        ("canny up", ["canny"]),
        ("canny up", ["car", "car up", "canny"]),
        ("canny up", []),
        ("canny", ["car", "car up", "canny up"]),
        ("car", ["car up"]),
    ],
)
def test_time_left_is_within_thirty_per_cent_from_the_third_step_on(monkeypatch, name, before):
    for true_s, told_s in told(monkeypatch, name, learned(*before))[3:]:
        assert told_s == pytest.approx(true_s, rel=0.3)


def test_of_the_papers_method_it_is_so_where_one_was_drawn_before_and_else_once_all_frames_move(monkeypatch):
    for true_s, told_s in told(monkeypatch, "paper", learned("paper"))[3:]:
        assert told_s == pytest.approx(true_s, rel=0.3)
    first = next(n for n, step in enumerate(RUNS["paper"]["steps"], 1) if step[2] == "all frames")
    for true_s, told_s in told(monkeypatch, "paper", learned("car"))[first + 1 :]:
        assert told_s == pytest.approx(true_s, rel=0.3)


def test_something_is_told_from_the_first_step_and_of_a_known_kind_before_it(monkeypatch):
    assert told(monkeypatch, "panda", learned("car"))[0][1] is None
    true_s, told_s = told(monkeypatch, "panda", learned("car"))[1]
    assert told_s == pytest.approx(true_s, rel=0.3)
    true_s, told_s = told(monkeypatch, "panda2", learned("panda"))[0]
    assert told_s == pytest.approx(true_s, rel=0.1)
    true_s, told_s = told(monkeypatch, "panda4", learned("panda"))[0]  # three times as many frames
    assert told_s == pytest.approx(true_s, rel=0.1)
    course = learned("paper").like(kind("paper"))
    assert course.before_steps_s(Work(9, course.work.pixels)) is None  # one frame's steps, and all frames'


def test_more_frames_of_one_picture_are_decoded_with_it_and_only_doubled_one_by_one():
    more = Work(48, 256 * 256)
    for name, each in (("car", 0.05), ("car up", 0.05 + 1.3)):
        run = RUNS[name]
        drawn_s, after_s = run["steps"][-1][0], run["end_s"] - run["steps"][-1][0]
        course = learned(name).like(kind(name))
        usual = (2.6 + each * 48) / (2.6 + each * 8)
        assert course.before_steps_s(more) == pytest.approx(drawn_s + after_s * usual)
        last = course.left_s([(at_s, share) for at_s, share, _ in run["steps"]], more)
        assert last == pytest.approx(after_s * usual)


def test_what_runs_took_is_kept_on_the_disk_for_each_device(tmp_path):
    database = Database(tmp_path / "kept.sqlite3", MIGRATIONS)
    before = learned("car", "panda", database=database)
    database.close()
    database = Database(tmp_path / "kept.sqlite3", MIGRATIONS)
    after = Courses(database, "cpu")
    assert after.like(kind("panda2")) == before.like(kind("panda2")) is not None
    assert Courses(database, "cuda").like(kind("panda2")) is None
    with database.writing() as change:
        change.execute("UPDATE courses SET course = '{}'")
    assert Courses(database, "cpu").like(kind("panda2")) is None  # of another version: begun anew
    database.close()


def test_a_kind_is_what_is_asked_and_where_that_is_left_open_what_became_of_it():
    open_one = TextToVideoSettings("a red car")
    assert kind_of(open_one, resolved_of("car")) == kind("car")
    assert kind("car") == Kind("text-to-video", BUNDLED, 1, "canvas", "camera", False, (), False)
    assert kind("panda").acts and not kind("panda").is_one_picture and kind("car").is_one_picture
    past = SimpleNamespace(upscale=1, asked=TextToVideoSettings("a red car", method="canvas"))
    assert kind_of(open_one, past) == kind("car")
    halved = SimpleNamespace(**vars(resolved_of("car")), dtype="bfloat16")
    assert kind_of(open_one, halved) == kind_of(replace(open_one, dtype="bfloat16"), halved) != kind("car")
    assert kind_of(replace(open_one, dtype="float32"), halved).dtype == "float32"

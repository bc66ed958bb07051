"""The list of one's runs without a browser: whose runs are in it, what its buttons do, what it says."""

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from gradio.context import LocalContext
from puppet import Puppet, settings, wait
from runs import resolved

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.jobs.job import JobView
from t2v.jobs.queue import Jobs
from t2v.jobs.time_ahead import expected_s
from t2v.library.owner import Owner
from t2v.page.ahead import ahead_html
from t2v.page.clip import clip_tab
from t2v.page.door.recognised import COOKIE, mark_of
from t2v.page.queue_told import added_html, begins_in_s
from t2v.page.run_panel import RunPanel
from t2v.page.runs_list import RunsList
from t2v.page.runs_markup import SHOWN_ENDED, runs_html
from t2v.page.stage_markup import Stage
from t2v.page.studio import Studio
from t2v.page.text_tab import build
from t2v.page.uploads import allowed_clip, renewed
from t2v.page.visitors import source, visitor
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings

TASKS = ("text-to-video",)


@pytest.fixture
def puppet():
    return Puppet()


@pytest.fixture
def jobs(puppet, tmp_path):
    jobs = Jobs(puppet, tmp_path / "videos")
    yield jobs
    puppet.steps.release(10_000)
    puppet.seeing.release(10_000)
    jobs.close()


@pytest.fixture
def studio(jobs, family):
    return Studio(Engine("cpu"), jobs, family, is_open=True)


@pytest.fixture
def panel(studio) -> RunPanel:
    with gr.Blocks():
        return build(studio)


@pytest.fixture
def runs(studio, panel) -> RunsList:
    return RunsList(studio, [panel])


@pytest.fixture
def somebody():
    """Makes the events that are handled somebody's; nobody's at the end."""

    def become(
        mark: str | None, address: str = "10.0.0.1", headers: dict[str, str] | None = None, **more: str
    ) -> None:
        cookies = {} if mark is None else {COOKIE: mark * 32}
        about = {"cookies": cookies, "client": SimpleNamespace(host=address), "session_hash": "w", **more}
        LocalContext.request.set(SimpleNamespace(headers={} if headers is None else headers, **about))

    yield become
    LocalContext.request.set(None)


def states(shown: str) -> list[tuple[str, str]]:
    """Prompt and state of each row."""
    return re.findall(r'data-state="(\w+)".*?<p>(.*?)</p>', shown)


def acts(shown: str) -> list[list[str]]:
    """What can be done with each run."""
    rows = shown.partition("<ol>")[2].split("</li>")[:-1]
    return [re.findall(r'data-act="(\w+)"[^>]*?"(?=>)', row) for row in rows]


def test_people_are_told_apart_by_their_cookie_and_programs_by_address(studio, somebody):
    seen = []
    for given in [("a",), ("b",), ("a", "10.0.0.2"), (None,), (None, "10.0.0.2")]:
        somebody(*given)
        seen.append(visitor(studio))
    assert seen[0] == seen[2] and len(set(seen)) == 4
    assert seen[3:] == ["10.0.0.1", "10.0.0.2"] and "a" * 32 not in " ".join(map(str, seen))
    assert source(studio) == "10.0.0.2"
    alone = Studio(studio.engine, studio.jobs)
    assert visitor(alone) is None is source(alone)


def test_runs_from_before_others_were_served_are_the_owners(studio, panel, runs, somebody, jobs, puppet):
    own = jobs.submit(settings("from before"))
    wait(jobs, own, lambda view: view.state == "running")
    knowing = replace(studio, knows_owner=True)
    panel.studio = runs._studio = knowing
    here = {"host": "127.0.0.1:7860"}
    for address, headers, is_owner in (
        ("127.0.0.1", here, True),
        ("::1", {"host": "localhost:7860"}, True),
        ("127.0.0.1", {**here, "x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", {**here, "via": "1.1 proxy"}, False),
        ("127.0.0.1", {"host": "studio.example"}, False),
        ("127.0.0.1", {**here, "origin": "http://evil.example"}, False),
        ("10.0.0.1", here, False),
    ):
        somebody("a", address, headers)
        assert visitor(knowing) == visitor(studio) and isinstance(visitor(knowing), Owner) is is_owner
        assert states(runs._shown("")[0]) == ([("running", "from before")] if is_owner else [])
        assert ("not in your list" in panel._fill(f"use {own}")[0]) is not is_owner
    somebody("a", "127.0.0.1", here, username="anna")  # who has signed in is known by that alone
    assert not isinstance(visitor(knowing), Owner)


@pytest.mark.parametrize("mark", ["", "a" * 31, "g" * 32, "a" * 33, "../../etc"])
def test_a_mark_that_is_not_of_ours_is_none(mark):
    assert mark_of({COOKIE: mark}) is None


def test_one_sees_ones_own_runs_and_of_others_only_how_many(runs, panel, studio, somebody, jobs, puppet):
    somebody("a")
    first = jobs.submit(settings("secret of a"), visitor(studio))
    wait(jobs, first, lambda view: view.state == "running")
    jobs.submit(settings("another of a"), visitor(studio))
    somebody("b")
    assert runs._shown("")[0] == ""
    jobs.submit(settings("mine <b>"), visitor(studio))
    shown, version, label = runs._shown("")
    assert states(shown) == [("queued", "mine &lt;b&gt;")] and "of a" not in shown
    assert "1 run of others before yours" in shown and label["value"] == "Add to queue"
    assert runs._shown(version) == [gr.skip()] * 3  # nothing has changed
    for asked in (*(f"{what} {first}" for what in ("stop", "remove", "up", "again")), "stop ", "stop 0123"):
        told = runs._act(version, asked)[0]
        assert "not in your list any more" in told and jobs.follow(first).state == "running"
    note, *form = panel._fill(f"use {first}")
    assert "not in your list any more" in note and form == [gr.skip()] * len(form)


def test_what_the_buttons_do(runs, panel, studio, somebody, jobs, puppet):
    somebody("a")
    ids = [jobs.submit(settings(name), visitor(studio)) for name in ("one", "two", "three", "four")]
    wait(jobs, ids[0], lambda view: view.resolved is not None)
    shown = runs._act("", f"up {ids[2]}")[0]
    assert [name for _, name in states(shown)] == ["one", "three", "two", "four"]
    shown = runs._act("", f"down {ids[2]}")[0]
    assert [name for _, name in states(shown)] == ["one", "two", "three", "four"]
    assert shown.count(" disabled") == 2  # the first cannot go up, the last not down
    shown = runs._act("", f"remove {ids[1]}")[0]
    assert [name for _, name in states(shown)] == ["one", "three", "four"]
    told = runs._act("", f"remove {ids[0]}")[0]
    assert "This run is being drawn; stop it first." in told
    note, *form = panel._fill(f"edit {ids[3]}")
    assert "it goes to its end" in note and form[list(panel.form).index("prompt")] == "four"
    assert (
        panel._show(ids[2], "a hint") == (ids[2], "")
        and panel._show(ids[2], panel.error("no"))[1] == gr.skip()
    )
    somebody("b")
    assert panel._show(ids[2], "")[0] == gr.skip() and "not in your list" in panel._show(ids[2], "")[1]
    somebody("a")
    runs._act("", f"stop {ids[0]}")
    puppet.steps.release(1)
    wait(jobs, ids[0], lambda view: view.finished)
    shown = runs._shown("")[0]
    assert states(shown)[1:] == [("stopped", "one")]
    shown = runs._act("", "clear")[0]
    assert [name for _, name in states(shown)] == ["three"]
    assert runs._act("", "dance all") == runs._shown("")


def test_a_stopped_run_keeps_its_picture_its_preview_and_its_seed(
    runs, panel, somebody, studio, jobs, puppet
):
    somebody("a")
    run = jobs.submit(settings("one"), visitor(studio))
    puppet.steps.release(2)
    wait(jobs, run, lambda view: view.step_done == 2)
    jobs.stop(run)
    puppet.steps.release(1)
    view = wait(jobs, run, lambda view: view.finished)
    shown = runs._shown("")[0]
    assert "Stopped after step 2 of 4" in shown and "seed 5" in shown and "data:image/webp" in shown
    assert acts(shown) == [["open", "again", "use", "remove"]]
    stage, status, _, facts, *_ = panel.shown(Stage(), view)
    assert 'class="strip"' in stage and 'data-state="stopped"' in stage and 'data-seed="5"' in facts


def test_a_stopped_run_is_run_again_with_its_seed(runs, somebody, studio, jobs, puppet):
    somebody("a")
    run = jobs.submit(settings("one"), visitor(studio))
    wait(jobs, run, lambda view: view.resolved is not None)
    jobs.stop(run)
    puppet.steps.release(1)
    seed = wait(jobs, run, lambda view: view.finished).resolved.seed
    shown = runs._act("", f"again {run}")[0]
    assert len(states(shown)) == 2 and states(shown)[1] == ("stopped", "one")
    (again,) = (view for view in jobs.runs(visitor(studio)) if view.id != run)
    assert again.settings == replace(settings("one"), seed=seed) and again.visitor == visitor(studio)


def test_a_run_that_is_asked_for_while_one_is_drawn_joins_the_queue(panel, somebody, studio, jobs, puppet):
    somebody("a")
    form = {name: one.value for name, one in panel.form.items()} | {"num_frames": 3}
    first, note = panel._start("", *{**form, "prompt": "one"}.values())
    same, note = panel._start(first, *{**form, "prompt": "one"}.values())
    assert same == gr.skip() and len(jobs.runs(visitor(studio))) == 1  # a double click
    second, note = panel._start(first, *{**form, "prompt": "two"}.values())
    assert (
        second == gr.skip() and "Added to the queue: 1 run before it." in note
    )  # the page goes on showing the first
    assert {view.settings.prompt for view in jobs.runs(visitor(studio))} == {"one", "two"}
    _, note = panel._start(first, *{**form, "prompt": "a zeppelin", "model": "miniature"}.values())
    assert "Added to the queue" in note and "has never seen “zeppelin”" in note


def view(name: str, state: str = "done", seconds: float = 8.0, **given) -> JobView:
    asked = settings(name)
    resolved = SimpleNamespace(num_frames=3, width=64, height=32, num_inference_steps=4, seed=5)
    return JobView(name, state, asked, resolved=resolved, seconds_elapsed=seconds, **given)


def test_how_long_a_run_takes_is_judged_by_what_was_drawn_before():
    before = [view("failed", "failed", 1.0), view("one"), view("two", seconds=99.0)]
    assert expected_s(settings("a"), before) == 8.0
    assert expected_s(settings("a", num_inference_steps=8, width=128), before) == 32.0
    assert expected_s(settings("a", model="another"), before) is None
    shown = runs_html([JobView("q", "queued", settings("a"), ahead=2), *before], TASKS)
    assert "2 runs before it · takes about 8 seconds" in shown


def test_the_list_tells_the_page_what_its_title_is_and_shows_few_that_ended():
    drawn = view("drawn", "running", fraction=0.42, step_total=4, preview=np.zeros((3, 4, 8, 3), np.uint8))
    ended = [view(f"ended {number}") for number in range(9)]
    broken = view("broken " + "x" * 90, "interrupted")
    shown = runs_html([drawn, *ended, broken], TASKS)
    assert [state for state, _ in states(shown)] == ["running", "interrupted", *["done"] * SHOWN_ENDED]
    told = json.loads(html.unescape(re.search(r'data-runs="(.*?)"', shown)[1]))
    assert told[0] == {"id": "drawn", "state": "running", "title": "42\u00a0% · drawn"}
    assert len(told[1]["title"]) < 60 and told[2]["title"] == "Done · ended 0"
    assert acts(shown)[:3] == [["open", "stop"], ["again", "remove"], ["open", "use", "remove"]]
    elsewhere = runs_html([drawn, *ended], ("canny",))  # a page without that tab
    assert acts(elsewhere)[:2] == [["stop"], ["remove"]] and runs_html([], TASKS) == ""


def test_the_clip_of_an_earlier_programs_run_comes_back_with_its_settings(
    studio, somebody, jobs, square_clip
):
    kept = jobs.output_folder / ".queue-clips" / "0123" / "square.mp4"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(Path(square_clip).read_bytes())
    with gr.Blocks():
        panel = clip_tab.build(studio, CannySettings)
    run = JobView("0123", "queued", CannySettings(str(kept), "a car"), kept_clip=kept)
    with pytest.raises(InputError):
        allowed_clip(str(kept))
    chosen = panel.values(panel.with_clip(run))["clip"]
    assert allowed_clip(chosen) == chosen and Path(chosen).read_bytes() == kept.read_bytes()
    assert chosen.endswith("square.mp4")
    plain = JobView("0124", "queued", CannySettings(square_clip, "a car"), kept_clip=kept)
    assert panel.with_clip(plain) is plain.settings


def test_when_a_run_begins_is_told_where_all_before_it_can_be_judged():
    asked, drawn = settings("a"), resolved(settings("a"))
    done = JobView("1", "done", asked, drawn, seconds_elapsed=8.0)
    running = JobView("2", "running", asked, drawn, seconds_left=3.0)
    waiting, mine = JobView("3", "queued", asked, ahead=1), JobView("4", "queued", asked, ahead=2)
    assert begins_in_s(mine, [running, waiting, mine, done]) == pytest.approx(11.0)
    assert "2 runs before it, so it begins in about 11 seconds." in added_html(
        mine, [running, waiting, mine, done]
    )
    assert begins_in_s(mine, [running, waiting, mine]) is None  # nothing like it has ended yet
    assert begins_in_s(replace(mine, others_ahead=1), [mine, done]) is None
    assert begins_in_s(replace(mine, ahead=1), [replace(running, seconds_left=None), mine, done]) is None


def test_notes_on_the_prompt_come_while_it_is_typed_and_leave_others_alone(tmp_path):
    engine, jobs = Engine("cpu"), Jobs(Puppet(), tmp_path)
    with gr.Blocks():
        panel = build(Studio(engine, jobs))
    form = {name: one.value for name, one in panel.form.items()}
    told = panel._told("", *{**form, "prompt": "a zeppelin with a car"}.values())
    assert "“zeppelin”, so expect" in told and "“with”" not in told
    assert panel._told(told, *{**form, "prompt": "a car"}.values()) == ""
    assert panel._told(told, *{**form, "prompt": ""}.values()) == ""
    assert panel._told("", *{**form, "prompt": "a car"}.values()) == gr.skip()  # another may have come
    for other in (panel.error("width is 3."), '<div data-kind="hint" data-by="busy">', "This run is gone."):
        assert panel._told(other, *{**form, "prompt": "a zeppelin"}.values()) == gr.skip()
    jobs.close()


def test_how_long_a_video_takes_whose_frames_are_all_drawn_stands_below_run(tmp_path):
    engine, jobs = Engine("cpu"), Jobs(Puppet(), tmp_path)
    with gr.Blocks():
        panel = build(Studio(engine, jobs))
    form = {name: one.value for name, one in panel.form.items()} | {"prompt": "a robot waving"}
    told = panel._ahead(*{**form, "num_frames": 64}.values())
    assert "Each of its 64 frames is drawn: about 8 times as long as 8 frames." in told
    for few in ({}, {"num_frames": 64, "prompt": "a red car"}, {"num_frames": 64, "width": "many"}):
        assert panel._ahead(*{**form, **few}.values()) == ""
    asked = TextToVideoSettings("a robot waving", num_frames=64)
    drawn = resolved(replace(asked, num_frames=8))
    before = JobView("a", "done", drawn.asked, resolved=drawn, seconds_elapsed=15.0)
    assert "Each of its 64 frames is drawn, in about 2 minutes altogether." in ahead_html(asked, [before])
    jobs.close()


def test_a_figure_that_cannot_act_is_told_before_run_with_a_way_out(tmp_path):
    engine, jobs = Engine("cpu"), Jobs(Puppet(), tmp_path)
    with gr.Blocks():
        panel = build(Studio(engine, jobs))
    form = {name: one.value for name, one in panel.form.items()} | {"prompt": "a robot waving on a street"}
    told = panel._told("", *{**form, "move": "subject"}.values())
    assert "does not wave" in told and 'data-choose-move="camera"' in told
    told = panel._told(told, *{**form, "move": "camera"}.values())
    assert "The figure is waving" in told and "data-choose-move" not in told
    assert "data-choose-move" not in panel._told("", *{**form, "move": "camera", "zoom": 1.1}.values())
    jobs.close()


def test_an_upload_that_went_with_an_earlier_program_is_renewed_for_whoever_ran_it(
    studio, somebody, jobs, puppet, square_clip, tmp_path
):
    gone = tmp_path / "t2v-server-x" / "uploads" / "1" / "car.mp4"
    gone.parent.mkdir(parents=True)
    gone.write_bytes(Path(square_clip).read_bytes())
    somebody("a")
    jobs.submit(CannySettings(str(gone), "a car"), visitor(studio))
    gone.unlink()
    found = renewed(studio, visitor(studio), str(gone))
    assert allowed_clip(found) == found and Path(found).read_bytes() == Path(square_clip).read_bytes()
    assert renewed(studio, visitor(studio), found) == found  # and no other copy each time
    somebody("b")
    assert renewed(studio, visitor(studio), str(gone)) == str(gone)
    with pytest.raises(InputError, match="no longer has this clip; choose it again"):
        allowed_clip(str(gone))

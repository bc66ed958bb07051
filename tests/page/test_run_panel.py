"""The run panel without a browser: what its handlers make of runs that succeed, fail and are stopped."""

import asyncio
import time

import gradio as gr
import pytest
from runs import resolved

from t2v.engine.engine import Engine
from t2v.jobs.job import JobView
from t2v.jobs.queue import Jobs
from t2v.page import following, text_tab
from t2v.page.addresses import file_url
from t2v.page.clip import clip_tab
from t2v.page.form_fields import _with_original_words
from t2v.page.notes import CLIP
from t2v.page.run_panel import RunPanel
from t2v.page.stage_markup import Stage
from t2v.page.status_markup import NOTHING_NEW
from t2v.page.studio import Studio
from t2v.page.uploads import examples
from t2v.tasks import acting
from t2v.tasks.canny import CannySettings
from t2v.tasks.original_prompts import ADDED
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings

ASKED = {"prompt": "a car", "num_inference_steps": "1", "width": "64", "height": "64", "num_frames": 2}


@pytest.fixture
def studio(tmp_path, family) -> Studio:
    model = Engine("cpu")
    jobs = Jobs(model, tmp_path / "videos")
    yield Studio(model, jobs, family)
    jobs.close()


@pytest.fixture
def panel(studio) -> RunPanel:
    with gr.Blocks():
        return text_tab.build(studio)


def start(panel: RunPanel, shown: str, **changes) -> tuple[str, str]:
    """Presses Run on a page that shows a run, by its id: the id it shows then, and the note."""
    form = {name: component.value for name, component in panel.form.items()} | ASKED | changes
    job_id, note = panel._start(shown, *form.values())
    return (job_id if isinstance(job_id, str) else shown), note


def ended(panel: RunPanel, job_id: str) -> JobView:
    while not (view := panel.view(job_id)).finished:
        time.sleep(0.02)
    return view


def test_an_action_is_chosen_by_name_or_left_to_the_prompt(panel):
    choices = [value for _, value in panel.form["action"].choices]
    assert choices == ["", *acting.CHOICES] and panel.form["action"].value == ""
    for chosen, asked in (("", None), ("none", "none"), ("dance", "dance")):
        settings = panel.settings({**panel.typed(["action"], [chosen]), "prompt": "a car"})
        assert settings.action == asked and panel.values(settings)["action"] == chosen


def test_settings_of_a_run_leave_another_prompt_free(panel):
    dancing = resolved(TextToVideoSettings("a panda dancing on the beach", t0=None)).filled()
    assert (dancing.subject, dancing.action, dancing.motion_x) == ("panda", "dance", 0)
    shown = panel.values(dancing)
    assert [shown[name] or "" for name in ("subject", "action", "motion_x", "method", "t0")] == [""] * 5
    form = {**{name: "" if value is None else value for name, value in shown.items()}, "seed": "3"}
    typed = panel.settings({**panel.typed(list(form), list(form.values())), "prompt": "a robot walking"})
    typed.check()
    assert typed.acted() == "walk"
    driving = resolved(TextToVideoSettings("a red car on a street", move="subject")).filled()
    assert driving.subject == "red car" and not panel.values(driving)["subject"]
    chosen = TextToVideoSettings("a red car on a street", move="subject", subject="street")
    assert panel.values(chosen)["subject"] == "street"


def test_of_notes_on_what_is_typed_the_last_one_is_asked_for(studio):
    with gr.Blocks() as page:
        text_tab.build(studio).wire()
    buttons = {one._id: one.elem_id for one in page.blocks.values() if isinstance(one, gr.Button)}
    (mode,) = [
        one.trigger_mode
        for one in page.fns.values()
        for target in one.targets
        if buttons.get(target[0]) == "tell-text-to-video"
    ]
    assert mode == "always_last"  # else a slow server leaves the note of an earlier prompt


def test_a_refusal_says_where_a_field_is_that_is_folded_up(panel):
    panel.find_groups()
    note = panel.error("subject is 'panda', which the prompt does not say; give words of the prompt.")
    assert "Subject is" in note and "<p>The field is under “Advanced options”.</p>" in note
    assert "under" not in panel.error("prompt is empty; write what the video should show.")


def test_a_model_that_cannot_be_had_leaves_the_last_result_where_it_is(panel, tmp_path):
    first, note = start(panel, "", seed="7")
    assert note == "" and ended(panel, first).state == "done"
    page = panel.shown(Stage(), panel.view(first))
    video = file_url(panel.view(first).output)
    assert f'src="{video}"' in page[0] and "Finished in" in page[1]

    for nowhere, words in ((str(tmp_path), "has no model_index.json"), ("nowhere", "nowhere is not there")):
        shown, note = start(panel, first, model=nowhere)  # no run at all
        assert shown == first and 'data-kind="error"' in note and "Model " in note and words in note
        untouched = asyncio.run(anext(panel._follow(first, note)))
        assert set(map(str, untouched)) == {str(gr.skip())}

    second, note = start(panel, first, model="no-one/no-model", prompt="a boat")
    assert second != first and ended(panel, second).state == "failed"
    third, note = start(panel, second, model="no-one/no-model")  # and once more
    for view in (panel.view(second), ended(panel, third)):
        stage, status, caption, facts, *_ = panel.shown(Stage(), view)
        assert (stage, caption, facts) == (page[0], page[2], page[3])
        assert NOTHING_NEW["failed"] in status and f'href="{video}"' in status
    assert panel._seed(third) == 7


def test_a_stopped_run_leaves_the_last_result_where_it_is(panel, studio):
    first, _ = start(panel, "", seed="7")
    video = file_url(ended(panel, first).output)
    second, note = start(panel, first, num_inference_steps="200")
    assert note == "" and second != first
    studio.jobs.stop(second)
    view = ended(panel, second)
    stage, status, *_ = panel.shown(Stage(), view)
    assert view.state == "stopped" and f'src="{video}"' in stage and NOTHING_NEW["stopped"] in status
    assert panel._seed(second) == 7
    assert panel._show(second, "") == (second, "")  # asked for in the list: it has no video, and says so
    stage, status, *_ = panel.shown(Stage(), view)
    assert 'data-state="stopped"' in stage and "<video" not in stage and "It made no video" in status


@pytest.mark.parametrize(("looks", "slept"), [(0, 0), (2, 2), (1000, 14)])
def test_a_run_that_ends_is_shown_at_once_and_else_at_the_next_heartbeat(monkeypatch, looks, slept):
    """0.4 s, looked at every 0.03 s. looks: how often the run is found not to have ended."""
    now_s, waited = [100.0], []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        now_s[0] += seconds + 1e-4

    class Looked:
        def has_ended(self, job_id: str) -> bool:
            assert job_id == "the run"
            return len(waited) >= looks

    monkeypatch.setattr(following.asyncio, "sleep", sleep)
    monkeypatch.setattr(following.time, "monotonic", lambda: now_s[0])
    pending = following.heartbeat(Looked(), "the run")
    with pytest.raises(StopIteration):  # nothing in it waits for anything else
        pending.send(None)
    assert len(waited) == slept
    assert sum(waited) == pytest.approx(0.4 if looks == 1000 else 0.03 * looks, abs=0.002)


def test_what_was_followed_before_ends_with_nothing_over_what_is_shown_now(panel, studio):
    first, _ = start(panel, "", num_inference_steps="200")

    async def another_is_followed() -> tuple[object, ...]:
        before = panel._follow(first, "")
        assert str((await anext(before))[1]) != str(gr.skip())
        panel._begin_to_follow()
        *_, last = [now async for now in before]  # which is sent once more when it has ended
        return last

    last = asyncio.run(another_is_followed())
    studio.jobs.stop(first)
    assert set(map(str, last)) == {str(gr.skip())} and ended(panel, first).state == "stopped"


def test_a_failed_run_with_nothing_before_it_says_so(panel):
    job_id, _ = start(panel, "", model="no-one/no-model")
    stage, status, *_ = panel.shown(Stage(), ended(panel, job_id))
    assert 'data-state="failed"' in stage and "This run made no video." in status


def test_another_clip_after_a_failed_run_leaves_the_last_result_through_a_reload(studio):
    with gr.Blocks():
        panel = clip_tab.build(studio, Pix2PixVideoSettings)
    clip, other = examples("pix2pix")[:2]
    first, _ = start(panel, "", clip=clip.clip, num_frames="2", start_s="0.5")
    assert ended(panel, first).state == "done"
    second, _ = start(panel, first, clip=clip.clip, model="no-one/no-model")
    assert panel.shown(Stage(), ended(panel, second))[-1] == gr.skip()  # the clip's pane is not the run's
    job_id, path = panel.choice._choose_again(second, other.clip)  # and nothing of the form
    assert (job_id, path) == (first, other.clip)
    caption = panel.shown(Stage(), panel.view(job_id))[2]
    assert f"from “{clip.title}”" in caption and "start 0.5 s" in caption
    assert panel.choice._choose_again(first, other.clip)[0] == gr.skip()


def test_what_came_up_while_drawing_is_told_when_the_video_is_there(panel, studio, family):
    first, note = start(panel, "")
    assert ended(panel, first).state == "done"
    told = "The autoencoder overflows in half precision, so frames are decoded in single precision."
    studio.engine.load(family).tell(told)
    assert told in asyncio.run(anext(panel._follow(first, note)))[0]
    error = panel.error("width is 65; give a multiple of 8.", CLIP)
    assert str(asyncio.run(anext(panel._follow(first, error)))[0]) == str(gr.skip())


def test_the_originals_words_are_filled_in_for_all_to_see():
    added = ADDED["canny"]
    filled = _with_original_words("canny", "a car", "")
    assert filled == [f"a car, {added.words}", added.negative]
    assert _with_original_words("canny", *filled) == filled  # and never twice
    assert _with_original_words("canny", "a car", "blue")[1] == "blue"
    assert _with_original_words("canny", " ", None) == [" ", ""]


def test_a_fault_in_looking_at_a_clip_leaves_a_note(studio, monkeypatch, caplog):
    with gr.Blocks():
        panel = clip_tab.build(studio, CannySettings)
        panel.wire()
    values = {name: panel.form[name].value for name in panel.watched} | {"clip": examples("canny")[0].clip}
    shown = panel.panes.empty()
    monkeypatch.setattr(studio.glances, "clip", lambda settings: 1 / 0)
    note, _, *panes = panel._show_clip("", "", *shown, *values.values())
    assert "failed in looking at this clip (ZeroDivisionError)" in note and 'role="alert"' in note
    assert "No preview" in panes[0] and "ZeroDivisionError" in caplog.text
    assert panel._show_controls("", note, *shown, *values.values())[1] == shown[1]


def test_what_is_no_clip_is_told_where_its_picture_would_be(studio):
    with gr.Blocks():
        panel = clip_tab.build(studio, CannySettings)
        panel.wire()
    values = {name: panel.form[name].value for name in panel.watched} | {"clip": "/etc/hostname"}
    note, _, *panes = panel._show_clip("", "", *panel.panes.empty(), *values.values())
    told = "Clip is neither an uploaded file nor an example; upload it first."
    assert told in panes[0] and 'data-state="refused"' in panes[0] and told in note


@pytest.mark.parametrize(("chosen", "asked"), [("", None), (1, 1), (2, 2)])
def test_how_frames_are_finished_is_one_field_of_every_tab(studio, chosen, asked):
    with gr.Blocks():
        panels = [text_tab.build(studio), clip_tab.build(studio, CannySettings)]
    for panel, given in zip(panels, ({}, {"clip": examples("canny")[0].clip}), strict=True):
        values = {name: one.value for name, one in panel.form.items()} | {"prompt": "a car"} | given
        assert values["upscale"] == ""  # what suits the model
        values["upscale"] = chosen
        settings = panel.settings(panel.typed(list(panel.form), list(values.values())))
        assert settings.upscale == asked
        assert panel.values(settings)["upscale"] == chosen


def test_the_caption_tells_the_size_of_the_doubled_frames(panel):
    job_id, note = start(panel, "", upscale=2)
    assert note == "" and ended(panel, job_id).state == "done"
    _, _, caption, *_ = panel.shown(Stage(), panel.view(job_id))
    assert "128 × 128" in caption

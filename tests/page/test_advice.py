"""What the tabs with clips advise names only what the tab has: its labels, its models, the other tabs."""

import dataclasses
import html
import re

import gradio as gr
import pytest
from puppet import Puppet

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.jobs.worker import OUT_OF_MEMORY
from t2v.page import text_tab
from t2v.page.clip import clip_tab, fetches
from t2v.page.clip import markup as clip_markup
from t2v.page.clip.fetches import lacking_html, nothing_found_html
from t2v.page.form_fields import models
from t2v.page.glances import Lacking
from t2v.page.notes import RUN, SEEN, prompt_notes_html
from t2v.page.studio import Studio
from t2v.tasks import TASKS
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import Also, ControlledSettings, controlled_kinds

KINDS = [kind for kind in TASKS.values() if issubclass(kind, ClipSettings)]


@pytest.fixture
def panels(tmp_path):
    jobs = Jobs(Puppet(), tmp_path)
    studio = Studio(Engine("cpu"), jobs)
    with gr.Blocks():
        built = {kind.task: clip_tab.build(studio, kind, tuple(TASKS)) for kind in KINDS}
        built["text-to-video"] = text_tab.build(studio)
    yield built
    jobs.close()


def refusals(kind, clip: str) -> list[str]:
    """Sentences of every number that is out of its limits or none, and of what does not go together."""
    wrong = [{name: high + 1} for name, (_, high) in kind.limits.items()]
    wrong += [{name: "soon"} for name in kind.limits]
    wrong += [{"start_s": 3.0, "end_s": 2.0}, {"prompt": ""}, {"model": ""}, {"num_frames": 20_000, **LARGE}]
    if issubclass(kind, ControlledSettings):
        other = next(task for task in controlled_kinds() if task != kind.task)
        wrong += [
            {"guidance_start": 0.8, "guidance_end": 0.2},
            {"control_ready": True, "also": (Also(other),)},
        ]
    if kind.task == "canny":
        wrong.append({"low_threshold": 300, "high_threshold": 200})
    found = []
    for one in wrong:
        with pytest.raises(InputError) as refused:
            dataclasses.replace(kind(clip, "a car"), **one).check()
        found.append(str(refused.value))
    return found


LARGE = {"width": 2048, "height": 2048, "num_inference_steps": 200}


def advice(panel, clip: str, monkeypatch) -> list[str]:
    """All that the tab may say, as it says it."""
    kind, others = panel.settings_class, panel.others
    told = [panel.error(one, RUN) for one in (*refusals(kind, clip), OUT_OF_MEMORY)]
    told += [clip_markup.plan_html(5000), clip_markup.plan_html(48, counting=True)]
    told.append(prompt_notes_html(panel.studio.engine, kind(clip, "a zebra drinks kombucha")))
    if issubclass(kind, ControlledSettings):
        told.append(nothing_found_html(kind, others, SEEN))
        for answers in (False, True):
            monkeypatch.setattr(fetches, "hub_answers", lambda answers=answers: answers)
            monkeypatch.setattr(fetches, "size_of", lambda weights: 10**8)
            told += [lacking_html(Lacking(tasks), kind, others, SEEN) for tasks in (["pose"], ["depth"])]
    return [html.unescape(re.sub(r"<[^>]+>", " ", one)) for one in told if one]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.task)
def test_advice_names_only_what_the_tab_has(panels, kind, square_clip, monkeypatch):
    panel = panels[kind.task]
    everywhere = {one.label for each in panels.values() for one in each.form.values() if one.label}
    own = {one.label for one in panel.form.values()}
    elsewhere = {label for label in everywhere - own if len(label) > 2}
    on_offer = {name for name, _ in models(kind)}
    others = {name for each in KINDS for name, _ in models(each)} - on_offer
    told = advice(panel, square_clip, monkeypatch)
    assert len(told) > 25 and "What moves" in elsewhere
    for text in told:
        for name in (*elsewhere, *others):
            assert not re.search(rf"(?<![\w“]){re.escape(name)}(?!\w)", text), (name, text)
        for quoted in re.findall("“([^”]+)”", text):
            assert quoted in own or quoted in ("kombucha", "zebra", "drinks"), (quoted, text)
        left = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text)) & set(panel.form)
        assert not left, text  # people know fields by their labels


def test_the_tabs_with_clips_lead_to_one_another_and_a_page_with_one_tab_to_none(panels, tmp_path):
    assert panels["pose"].others == {"canny": "Edges", "depth": "Depth", "pix2pix": "Instructions"}
    with gr.Blocks():
        alone = clip_tab.build(panels["pose"].studio, TASKS["pose"], ("pose",))
    assert alone.others == {}
    note = lacking_html(Lacking(["pose"]), TASKS["pose"], panels["pose"].others, SEEN)
    assert re.findall('data-use-in="(.*?)"', note) == ["canny", "pix2pix"]  # of those that need no weights
    assert "data-use-in" not in lacking_html(Lacking(["pose"]), TASKS["pose"], {}, SEEN)


def test_where_nobody_is_found_that_is_said_with_other_ways(panels, square_clip, monkeypatch):
    panel = panels["pose"]
    monkeypatch.setattr("t2v.page.glances.missing", lambda task: ())
    monkeypatch.setattr(TASKS["pose"], "detect", lambda self, frames, device: 0 * frames)
    shown = panel.studio.glances.controls(TASKS["pose"](square_clip, ""))["pose"]
    assert shown.is_blank
    note = nothing_found_html(TASKS["pose"], panel.others, SEEN)
    assert "Nobody was found in these frames" in note and 'data-use-in="canny"' in note
    assert panel._seen_note(TASKS["pose"](square_clip, "")) == note
    assert panel._seen_note(TASKS["canny"](square_clip, "")) == ""

"""How things look on the page: words and escaping; and what becomes of typed values."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from runs import resolved

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.jobs.job import JobView
from t2v.jobs.stills import Still
from t2v.page import notes, stage_markup, status_markup
from t2v.page.clip import markup as clip_markup
from t2v.page.form_values import settings_from, typed_number
from t2v.page.runs_markup import runs_html
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.tries import first_frame
from t2v.weights.card import Card

ASKED = TextToVideoSettings("a car", num_frames=3)
RESOLVED = replace(resolved(ASKED, seed=7, num_inference_steps=9), width=64, height=32)
PROGRESS = {"step_done": 2, "step_total": 9, "fraction": 0.1, "seconds_left": 12.2}
RUNNING = JobView("id", "running", ASKED, RESOLVED, **PROGRESS)


def test_tries_have_a_picture_in_the_list_and_what_has_none_a_sign():
    picture = cv2.imencode(".webp", np.full((64, 64, 3), 90, np.uint8))[1].tobytes()
    view = JobView("id", "done", ASKED, RESOLVED, tries=first_frame(ASKED))
    assert "<img" in runs_html([replace(view, stills=(Still(RESOLVED, "Seed 7", picture),))], [])
    for state, sign in (("interrupted", "↻"), ("queued", "…"), ("failed", "×")):
        shown = runs_html([JobView("id", state, ASKED)], [])
        assert f'<span class="no-picture" aria-hidden="true">{sign}</span>' in shown


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((1,), "1 frame will be drawn."),
        ((24, 8.4), "24 frames will be drawn, in about 8 seconds."),
        ((48, None, True), "More than 48 frames will be drawn; counting them …"),
        ((1800, 7300), ", in about 2 hours. So many take long; the handles below the clip"),
    ],
)
def test_what_is_said_before_a_run(told, words):
    assert words in clip_markup.plan_html(*told)


LABELS = {
    "prompt": "Prompt",
    "width": "Width",
    "num_frames": "Frames",
    "num_inference_steps": "Steps",
    "low_threshold": "Low threshold",
    "high_threshold": "High threshold",
    "t0": "T′",
    "t1": "T",
    "control_ready": "My clip already shows depth, near ones bright",
}


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("width is 100; give a number.", "Width is 100; give a number."),
        ("low_threshold is 3 and high_threshold 2; no.", "Low threshold is 3 and High threshold 2; no."),
        ("num_frames x width x num_inference_steps is 9; no.", "Frames x Width x Steps is 9; no."),
        ("t0 (T') is 5 and t1 (T) is 3; no.", "T′ is 5 and T is 3; no."),
        ("give all; set control_ready.", "Give all; set “My clip already shows depth, near ones bright”."),
        ("ready skeletons (control_ready) and edges work.", "Ready skeletons and edges work."),
        ("num_frames.mp4 has no width 't0'.", "num_frames.mp4 has no width 't0'."),
    ],
)
def test_sentences_speak_of_fields_by_their_labels(sentence, words):
    assert notes.in_labels(sentence, LABELS) == words


def test_what_users_wrote_is_never_html():
    nasty = '"><img src=x onerror=alert(1)>'
    nasty_run = replace(RESOLVED, asked=replace(ASKED, prompt=nasty))
    done = replace(RUNNING, state="done", output=Path(f"{nasty}.mp4"), resolved=nasty_run)
    pages = [
        stage_markup.Stage().html(done),
        status_markup.status_html(done),
        notes.note_html("error", nasty),
        clip_markup.pane_html(nasty, Path(f"{nasty}.mp4"), nasty),
        clip_markup.empty_pane_html(nasty, nasty),
        clip_markup.refused_pane_html(nasty),
        status_markup.caption_html(done, nasty),
        notes.words_html(nasty, {"subjects": [nasty]}, nasty),
    ]
    for page in pages:
        assert "<img" not in page
        assert "onerror" in page  # it is there, as text


def test_a_note_about_words_says_what_is_known_and_where_to_go():
    known = {"subjects": ["cat", "car"], "places": [], "other": ["a", "on"]}
    page = notes.words_html("No dragons.", known, "Stable Diffusion 1.5")
    assert "No dragons." in page and "cat, car" in page and "Stable Diffusion" in page
    assert "Places" not in page and "Other" not in page


def test_the_bundled_style_is_named_to_who_asks_for_it(monkeypatch):
    """Weights or not: what counts is which card knows the words."""
    cards = {
        "miniature": Card(words={"subjects": ("a", "car")}),
        "miniature+style": Card(
            words={"subjects": ("a", "car"), "styles": ("neon style",)}, keywords=("neon style",)
        ),
    }
    monkeypatch.setattr("t2v.engine.engine.read_card", lambda source: cards[source.public_name])
    model = Engine("cpu")

    def note(prompt: str, source: str = "miniature") -> str:
        return notes.prompt_notes_html(model, TextToVideoSettings(prompt, model=source))

    assert "choose “Miniature, neon”" in note("a car, neon style")
    assert "choose Stable Diffusion 1.5" in note("a zebra")
    assert note("a car, neon style", "miniature+style") == ""
    several = note("a zebra", "miniature+style")  # the style's words are missing, too
    assert several.count('class="note"') == 2 and several.count("What it knows") == 1
    assert several.index("“zebra”") < several.index("only with “neon style”")


def test_raw_values_become_settings_and_only_check_refuses():
    made = settings_from(TextToVideoSettings, {"prompt": "x", "num_frames": 8.0, "seed": None, "fps": 4})
    assert made == TextToVideoSettings("x") and isinstance(made.num_frames, int)
    with pytest.raises(InputError, match="num_frames is '8'"):
        settings_from(TextToVideoSettings, {"prompt": "x", "num_frames": "8"}).check()
    with pytest.raises(InputError, match="prompt is empty"):
        settings_from(TextToVideoSettings, {}).check()


@pytest.mark.parametrize(
    ("text", "value"), [("", None), ("  ", None), ("7", 7.0), ("7.5", 7.5), ("many", "many")]
)
def test_typed_numbers(text, value):
    assert typed_number(text) == value

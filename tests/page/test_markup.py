"""How jobs look on the page: words, escaping, the preview strip; and what becomes of typed values."""

import base64
import socket
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import free_port
from runs import resolved

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.jobs.job import JobView
from t2v.jobs.stills import Still
from t2v.page import flags, markup, notes
from t2v.page import serve as app
from t2v.page.form_values import settings_from, typed_number
from t2v.page.runs_markup import runs_html
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import ResolvedControlled
from t2v.tasks.suits import Network
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.tries import first_frame
from t2v.weights.card import Card

ASKED = TextToVideoSettings("a car", num_frames=3)
RESOLVED = replace(resolved(ASKED, seed=7, num_inference_steps=9), width=64, height=32)
PROGRESS = {"step_done": 2, "step_total": 9, "fraction": 0.1, "seconds_left": 12.2}
RUNNING = JobView("id", "running", ASKED, RESOLVED, **PROGRESS)


def decoded(uri: str) -> np.ndarray:
    data = base64.b64decode(uri.removeprefix("data:image/webp;base64,"))
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_the_preview_strip_holds_the_frames_below_each_other_in_their_colours():
    frames = np.zeros((3, 8, 16, 3), np.uint8)
    for k, colour in enumerate([(250, 0, 0), (0, 250, 0), (0, 0, 250)]):
        frames[k] = colour
    uri, count = markup.preview_strip(frames)
    strip = decoded(uri)
    assert count == 3 and strip.shape == (3 * 80, 160, 3)
    assert [int(strip[40 + 80 * k, 80].argmax()) for k in range(3)] == [0, 1, 2]


def test_the_preview_shows_where_a_subject_is_in_each_frame():
    frames, box = (
        np.full((2, 8, 16, 3), 60, np.uint8),
        np.array([[0.1, 0.2], [0.3, 0.2], [0.3, 0.8], [0.1, 0.8]]),
    )
    outlines = (np.stack([box, box + (0.5, 0)]),)
    strip = decoded(markup.preview_strip(frames, outlines)[0]).astype(int)
    pink = (strip[..., 0] - strip[..., 1] > 60) & (strip[..., 2] - strip[..., 1] > 60)
    first, second = pink[:80], pink[80:]
    assert (
        first[40, 12:20].any()
        and not first[:, 60:].any()
        and second[40, 92:100].any()
        and not second[:, :60].any()
    )
    alone = decoded(markup.preview_strip(frames[:1], outlines)[0]).astype(int)
    assert (alone[..., 0] - alone[..., 1] > 60).any()  # a preview of fewer frames than there are


def test_a_long_preview_is_thinned_evenly_and_keeps_both_ends():
    frames = np.arange(100, dtype=np.uint8)[:, None, None, None] * np.full((1, 16, 16, 3), 2, np.uint8)
    uri, count = markup.preview_strip(frames)
    strip = decoded(uri).mean(axis=(1, 2)).reshape(count, -1).mean(axis=1)
    assert count == markup.PREVIEW_FRAMES
    assert strip[0] < 8 and strip[-1] > 190
    assert np.ptp(np.diff(strip)) < 8


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "about a second"), (8.4, "about 8 seconds"), (185, "about 3 minutes"), (7300, "about 2 hours")],
)
def test_time_left_in_words(seconds, words):
    assert markup.seconds_in_words(seconds) == words


NONE_MADE = " It made no video; your runs below run it again."


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (RUNNING, "Step 2 of 9 · about 12 seconds left"),
        (replace(RUNNING, stopping=True), "Stopping …"),
        (replace(RUNNING, step_done=9, seconds_left=0.0), "Step 9 of 9 · decoding the frames …"),
        (replace(RUNNING, step_total=0, label="Loading the model"), "Loading the model …"),
        (replace(RUNNING, state="queued", ahead=1), "In the queue: 1 of your runs comes first."),
        (replace(RUNNING, state="queued", ahead=3), "In the queue: 3 of your runs come first."),
        (replace(RUNNING, state="queued", ahead=3, others_ahead=1), "In the queue: 3 runs before yours."),
        (replace(RUNNING, state="failed", error="no"), "This run made no video."),
        (replace(RUNNING, state="stopped"), f"Stopped after step 2 of 9.{NONE_MADE}"),
        (replace(RUNNING, state="stopped", step_total=0), f"Stopped before it began.{NONE_MADE}"),
    ],
)
def test_the_status_says_where_the_run_stands(view, words):
    assert f">{words}</p>" in markup.status_html(view)


@pytest.mark.parametrize(
    ("step_s", "words"),
    [(None, "Stopping …"), (0.4, "Stopping …"), (12.2, "Stops after this step (about 12 seconds) …")],
)
def test_a_stop_that_takes_a_while_says_how_long(step_s, words):
    view = replace(RUNNING, stopping=True, step_s=step_s)
    assert words in markup.status_html(view) and words in runs_html([view], ["text-to-video"])


def test_tries_have_a_picture_in_the_list_and_what_has_none_a_sign():
    picture = cv2.imencode(".webp", np.full((64, 64, 3), 90, np.uint8))[1].tobytes()
    view = JobView("id", "done", ASKED, RESOLVED, tries=first_frame(ASKED))
    assert "<img" in runs_html([replace(view, stills=(Still(RESOLVED, "Seed 7", picture),))], [])
    for state, sign in (("interrupted", "↻"), ("queued", "…"), ("failed", "×")):
        shown = runs_html([JobView("id", state, ASKED)], [])
        assert f'<span class="no-picture" aria-hidden="true">{sign}</span>' in shown


def test_the_caption_tells_what_the_video_was_made_from():
    page = markup.caption_html(replace(RUNNING, state="done"), "car.mp4")
    assert "“a car”, from “car.mp4”" in page and "3 frames · 64 × 32 · 4\u00a0fps · 9 steps" in page
    one = replace(RESOLVED, num_frames=1, num_inference_steps=1)
    page = markup.caption_html(replace(RUNNING, resolved=one))
    assert "1 frame ·" in page and "1 step ·" in page and "from" not in page
    asked = CannySettings("car.mp4", "a car", low_threshold=20)
    size = {"num_frames": 3, "width": 64, "height": 32, "upscale": 1, "fps": 4.0}
    numbers = {"seed": 7, "num_inference_steps": 9, "guidance_scale": 5.0, "steady": 0.5}
    numbers |= {"scheduler": "ddim", "spacing": None, "ip_adapter": None, "dtype": "float32"}
    wanted = (Network("canny", "miniature"),)
    edges = ResolvedControlled(asked, **numbers, **size, is_ready=False, wanted=wanted)
    page = markup.caption_html(replace(RUNNING, resolved=edges), "car.mp4")
    assert "thresholds 20 and 200<" in page  # and of the whole clip nothing more
    for part, words in (({"start_s": 0.5}, "· start 0.5 s<"), ({"end_s": 3.0}, "200 · end 3 s<")):
        changed = replace(edges, asked=replace(asked, **part))
        page = markup.caption_html(replace(RUNNING, resolved=changed), "car.mp4")
        assert words in page


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
    assert words in markup.plan_html(*told)


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
        markup.Stage().html(done),
        markup.status_html(done),
        notes.note_html("error", nasty),
        markup.pane_html(nasty, Path(f"{nasty}.mp4"), nasty),
        markup.empty_pane_html(nasty, nasty),
        markup.refused_pane_html(nasty),
        markup.caption_html(done, nasty),
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

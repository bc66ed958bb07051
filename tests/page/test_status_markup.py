"""What stands below the stage: how a run goes in words, and what its video is."""

import html
from dataclasses import replace

import pytest
from runs import resolved

from t2v.jobs.job import JobView
from t2v.page import markup, status_markup
from t2v.page.drawn_with import drawn_with
from t2v.page.runs_markup import runs_html
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also, ResolvedControlled
from t2v.tasks.suits import Network
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.models_folder import use_models_folder

ASKED = TextToVideoSettings("a car", num_frames=3)
RESOLVED = replace(resolved(ASKED, seed=7, num_inference_steps=9), width=64, height=32)
PROGRESS = {"step_done": 2, "step_total": 9, "fraction": 0.1, "seconds_left": 12.2}
RUNNING = JobView("id", "running", ASKED, RESOLVED, **PROGRESS)


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
        (
            replace(RUNNING, compiling=True, seconds_left=None),
            "Step 2 of 9 · compiling the networks, which takes a minute or more …",
        ),
        (
            replace(RUNNING, compiling=True, step_total=0, label="Starting"),
            "Compiling the networks, which takes a minute or more …",
        ),
        (replace(RUNNING, compiling=True, stopping=True), "Stops when the networks are compiled …"),
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
    assert f">{words}</p>" in status_markup.status_html(view)


@pytest.mark.parametrize(
    ("step_s", "words"),
    [(None, "Stopping …"), (0.4, "Stopping …"), (12.2, "Stops after this step (about 12 seconds) …")],
)
def test_a_stop_that_takes_a_while_says_how_long(step_s, words):
    view = replace(RUNNING, stopping=True, step_s=step_s)
    assert words in status_markup.status_html(view) and words in runs_html([view], ["text-to-video"])


def test_the_caption_tells_what_the_video_was_made_from():
    page = status_markup.caption_html(replace(RUNNING, state="done"), "car.mp4")
    assert "“a car”, from “car.mp4”" in page and "3 frames · 64 × 32 · 4\u00a0fps · 9 steps" in page
    one = replace(RESOLVED, num_frames=1, num_inference_steps=1)
    page = status_markup.caption_html(replace(RUNNING, resolved=one))
    assert "1 frame ·" in page and "1 step ·" in page and "from" not in page
    asked = CannySettings("car.mp4", "a car", low_threshold=20)
    size = {"num_frames": 3, "width": 64, "height": 32, "upscale": 1, "fps": 4.0}
    numbers = {"seed": 7, "num_inference_steps": 9, "guidance_scale": 5.0, "steady": 0.5}
    numbers |= {"scheduler": "ddim", "spacing": None, "ip_adapter": None, "dtype": "float32"}
    wanted = (Network("canny", "miniature"),)
    edges = ResolvedControlled(asked, **numbers, **size, is_ready=False, wanted=wanted)
    page = status_markup.caption_html(replace(RUNNING, resolved=edges), "car.mp4")
    assert "thresholds 20 and 200<" in page  # and of the whole clip nothing more
    for part, words in (({"start_s": 0.5}, "· start 0.5 s<"), ({"end_s": 3.0}, "200 · end 3 s<")):
        changed = replace(edges, asked=replace(asked, **part))
        page = status_markup.caption_html(replace(RUNNING, resolved=changed), "car.mp4")
        assert words in page


def test_files_are_called_as_pickers_call_them(tmp_path):
    for name in ("own.safetensors", "a/own.safetensors", "b/own.safetensors", "b/soft.safetensors"):
        path = tmp_path / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    for name in ("control", "cn/control"):
        (tmp_path / "models" / name).mkdir(parents=True)
    use_models_folder(tmp_path / "models")
    try:
        for name in ("own.safetensors", "a/own.safetensors", "b/own.safetensors+soft.safetensors@0.5"):
            assert drawn_with(replace(ASKED, model=name)) == name
        both = (Also("depth", "control"),)
        asked = CannySettings("car.mp4", "a car", controlnet=f"{tmp_path}/models/cn/control", also=both)
        assert drawn_with(asked) == "cn/control · control"
    finally:
        use_models_folder(None)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (ASKED, ""),
        (replace(ASKED, model="miniature+style"), "Miniature, neon"),
        (replace(ASKED, model="/home/me/<dream>.ckpt+/home/me/a.safetensors@0.7", dtype="float32"),
         "<dream>.ckpt+a.safetensors@0.7 · float32"),
        (CannySettings("car.mp4", "a car", model="me/dream", controlnet="/nets/edges.pth",
                       conditioning_scale=1.3, also=(Also("depth"), Also("pose", "me/pose"))),
         "me/dream · edges.pth at 1.3 · me/pose"),
    ],
)  # fmt: skip
def test_caption_and_list_tell_which_files_drew_a_video(asked, words):
    assert drawn_with(asked) == words
    view = replace(RUNNING, state="done", resolved=replace(RESOLVED, asked=asked))
    told = f" · {html.escape(words)}</span>" if words else f" · guidance {RESOLVED.guidance_scale:g}</span>"
    assert told in status_markup.caption_html(view)
    model = html.escape(words.split(" · ")[0])
    listed = runs_html([replace(view, settings=asked)], ["text-to-video"])
    assert (f"3 frames · {model} · seed 7" if model else "3 frames · seed 7") in listed

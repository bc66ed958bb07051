"""Files out and in: a video saved as every kind, each of which opens its settings in the page again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import grey_steps
from pages import button, drop, fetched, field, needs_browser, unfold
from playwright.sync_api import Page, expect

from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.library.results import settings_dict
from t2v.page import save_as
from t2v.page.layout import build_page
from t2v.page.open_file import OpenFile
from t2v.page.save_as import Copies
from t2v.page.studio import Studio
from t2v.page.uploads import NOT_OURS, examples
from t2v.tasks.canny import CannySettings
from t2v.tasks.pose import PoseSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.video import read_video
from t2v.video.write import read_settings, write_video
from t2v.weights.models_folder import use_models_folder

KINDS = {"As MP4": ".mp4", "As WebM": ".webm", "As GIF": ".gif", "As WebP": ".webp", "As PNG frames": ".zip"}
CAR = TextToVideoSettings("a red car", seed=7, num_frames=3, motion_x=2.5, motion_field=False, model="a/b")


@pytest.fixture
def studio(tmp_path):
    jobs = Jobs(Engine("cpu"), tmp_path / "made")
    yield Studio(jobs._worker._engine, jobs)
    jobs.close()


@pytest.fixture
def opening(studio, tmp_path, monkeypatch):
    """Reads a file that has been uploaded: the note, and what is filled in."""
    made: list[OpenFile] = []
    monkeypatch.setattr("t2v.page.layout.OpenFile", lambda *told: made.append(OpenFile(*told)) or made[-1])
    build_page(studio)
    monkeypatch.setattr("t2v.page.uploads._folders", lambda: (tmp_path,))

    def read(path: Path):
        note, told = made[0]._read({"path": str(path)})
        return note, json.loads(told) if told else None

    return read


def kept(path: Path, settings, **more) -> Path:
    return write_video(path, grey_steps(1, 16, 16), 4, {**settings_dict(settings), **more})


def test_what_a_file_says_is_typed_into_its_tab(opening, tmp_path):
    note, filled = opening(kept(tmp_path / "car.webp", CAR))
    assert "The settings of car.webp are in the form below" in note and 'data-kind="hint"' in note
    assert (filled["task"], filled["tab"], filled["clip"]) == ("text-to-video", "Text to video", None)
    values = filled["values"]
    assert values[0] == "a red car" and {"a/b", "7", 3, "2.5", False} <= set(values)  # texts where one types


def test_another_file_of_a_models_name_is_told_when_a_file_is_opened(opening, tmp_path):
    for place, weights in (("models", b"these"), ("elsewhere", b"those")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "own.safetensors").write_bytes(weights)
    use_models_folder(tmp_path / "models")
    try:
        told = "own.safetensors, with which this video was made, is not here, or is another file: choose"
        for place in ("models", "elsewhere"):
            model = str(tmp_path / place / "own.safetensors")
            note, filled = opening(kept(tmp_path / f"{place}.webp", replace(CAR, model=model)))
            assert "own.safetensors" in filled["values"] and (told in note) == (place == "elsewhere")
    finally:
        use_models_folder(None)


def test_settings_as_json_fill_a_tab_too(opening, tmp_path):
    file = tmp_path / "car.json"
    file.write_text(json.dumps(settings_dict(CAR)))
    note, filled = opening(file)
    assert "The settings of car.json are in the form below" in note
    assert filled["values"] == opening(kept(tmp_path / "car.webp", CAR))[1]["values"]
    asked = CannySettings("x", "x", model="a/b")
    file.write_text(json.dumps({**settings_dict(asked), "clip": "/etc/passwd"}))
    assert opening(file)[1]["clip"] == ""
    for text, told in (
        ("{", "car.json: it is no JSON"),
        ('{"task": "text-to-video"}', "settings have no prompt"),
    ):
        file.write_text(text)
        assert told in opening(file)[0]


def test_of_a_clip_only_its_name_is_known(opening, tmp_path):
    example = examples("pose")[0].clip
    _, filled = opening(kept(tmp_path / "bear.gif", PoseSettings(example, "a bear", model="a/b")))
    assert filled["clip"] == filled["values"][0] == example
    note, filled = opening(kept(tmp_path / "mine.gif", CannySettings("my own.mp4", "a bear", model="a/b")))
    assert (filled["clip"], filled["named"], filled["values"][0]) == ("", "my own.mp4", "")
    assert "It follows my own.mp4: choose that clip" in note
    secret = kept(tmp_path / "x.gif", CannySettings("a.mp4", "x", model="a/b"), clip=str(tmp_path / "x.gif"))
    assert opening(secret)[1]["clip"] == ""


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"num_frames": 0}, "num_frames is 0; give"),
        ({"prompt": "<script>" * 400}, "prompt has 3200 characters"),
        ({"sparkle": 1}, "settings name sparkle, which is unknown here"),
        ({"task": "text-to-opera", "version": "9.0"}, "settings are of version 9.0 and this is"),
        ({"task": 5}, "car.png carries no settings; give a video that this program made."),
        ({"scheduler": "<b>"}, "scheduler is &#x27;&lt;b&gt;&#x27;; choose one of"),
    ],
)
def test_what_cannot_be_asked_for_is_told_and_fills_nothing(opening, tmp_path, more, told):
    note, filled = opening(kept(tmp_path / "car.png", CAR, **more))
    assert told in note and 'data-kind="error"' in note and filled is None


def test_files_of_others_and_those_that_nobody_uploaded(opening, tmp_path):
    (tmp_path / "notes.md").write_text("# Notes")
    note, filled = opening(tmp_path / "notes.md")
    assert "notes.md is not a video" in note and filled is None
    note, filled = opening(write_video(tmp_path / "holiday.mp4", grey_steps(1), 4))
    assert "holiday.mp4 was not made by this program" in note and filled is None
    assert f'data-own-clip="{tmp_path / "holiday.mp4"}"' in note  # to be used as a clip
    assert [f"Use this clip in {tab}" in note for tab in ("Edges", "Pose", "Depth", "Instructions")] == [
        True
    ] * 4
    assert NOT_OURS in opening(Path("/etc/passwd"))[0]


def test_models_that_are_paths_are_not_looked_at_and_visitors_get_those_on_offer(studio, opening, tmp_path):
    file = kept(tmp_path / "car.zip", CAR, model=str(tmp_path / "no" / "model"))
    assert str(tmp_path / "no" / "model") in opening(file)[1]["values"]
    object.__setattr__(studio, "is_open", True)
    note, filled = opening(file)
    assert "model is not on offer here" in note and filled is None


def test_copies_are_made_once_and_the_oldest_go(tmp_path, studio, monkeypatch):
    monkeypatch.setattr(save_as, "KEPT", 2)
    video = write_video(tmp_path / "car.mp4", grey_steps(4), 4, settings_dict(CAR))
    copies = studio.copies
    assert copies.get(video, ".mp4", True) == video
    made = [copies.get(video, ending, True) for ending in (".gif", ".webp")]
    assert copies.get(video, ".gif", True) == made[0] and [one.name for one in made] == [
        "car.gif",
        "car.webp",
    ]
    plain = copies.get(video, ".mp4", False)
    assert read_settings(plain) is None and plain.name == "car.mp4" and not made[0].exists()
    assert (read_video(plain).frames == read_video(video).frames).all()
    assert studio.gives_out(plain) and studio.gives_out(made[1])
    assert not studio.gives_out(copies.folder / "x" / ".hidden.gif") and not studio.gives_out(
        tmp_path / "a.gif"
    )
    folder = copies.folder
    copies._folder.cleanup()
    assert not folder.exists()


def test_two_programs_have_two_places_for_copies():
    assert Copies().folder != Copies().folder


def draw(page: Page) -> None:
    button(page, "Run").click()
    page.wait_for_selector(".stage[data-state=done]")


@needs_browser
def test_every_kind_that_is_saved_opens_again_and_draws_the_same_frames(open_page, videos):
    page = open_page(viewport={"width": 1280, "height": 800})
    unfold(page, "Advanced options")
    for label, value in {
        "Steps": 2,
        "Frames": 3,
        "Width": 64,
        "Height": 64,
        "Motion to the right": 2.5,
    }.items():
        field(page, label).fill(str(value))
    page.get_by_label("What should the video show?").fill("a red car on a street")
    expect(page.get_by_label("Save as")).to_be_hidden()
    draw(page)
    first = fetched(page, videos)
    expected = read_settings(first)
    saved = {}
    for name, ending in KINDS.items():
        page.get_by_label("Save as").click()
        page.get_by_role("option", name=name, exact=True).click()
        with page.expect_download() as waiting:
            button(page, "Save").click()
        saved[ending] = videos / f"saved{ending}"
        waiting.value.save_as(saved[ending])
        assert waiting.value.suggested_filename.endswith(ending)
    for ending, path in saved.items():
        assert read_settings(path) == expected, ending
        other = open_page(viewport={"width": 390, "height": 844})
        if ending == ".gif":  # by the button, as on a phone
            other.locator(".open-row input[type=file]").set_input_files(path)
        else:
            drop(other, path)
        expect(other.locator(".open-note .note")).to_contain_text("are in the form below")
        prompt = other.get_by_label("What should the video show?")
        expect(prompt).to_have_value("a red car on a street")
        draw(other)
        again = fetched(other, videos)
        assert read_settings(again) == expected, ending
        assert np.abs(read_video(again).frames.astype(int) - read_video(first).frames).max() <= 1
    page.get_by_label("With settings").uncheck()
    page.get_by_label("Save as").click()
    page.get_by_role("option", name="As MP4", exact=True).click()
    with page.expect_download() as waiting:
        button(page, "Save").click()
    waiting.value.save_as(videos / "plain.mp4")
    assert read_settings(videos / "plain.mp4") is None


@needs_browser
def test_a_drop_opens_the_tab_of_its_task_and_the_clips_keep_theirs(open_page, videos, tmp_path):
    page = open_page(viewport={"width": 1280, "height": 800})
    clip = Path(examples("canny")[0].clip)
    made = kept(tmp_path / "made.webm", CannySettings(str(clip), "a car", model="miniature", seed=3))
    drop(page, made)
    expect(page.get_by_role("tab", name="Edges")).to_have_attribute("aria-selected", "true")
    visible = page.locator(".clip-tab:visible")
    expect(visible.locator(".clip-box .pane[data-state=playing]")).to_be_visible()
    expect(field(visible, "Seed")).to_have_value("3")
    (tmp_path / "notes.txt").write_text("nothing")
    drop(page, tmp_path / "notes.txt")
    expect(page.locator(".open-note [role=alert]")).to_contain_text("notes.txt is not a video")
    expect(page.locator("body")).not_to_have_class("drop-here")
    drop(page, made, ".clip-tab:has(.clip-box .pane[data-state=playing]) .clip-box")  # it is a clip there
    expect(field(visible, "Seed")).to_have_value("3")
    expect(page.locator(".open-note [role=alert]")).to_contain_text("notes.txt is not a video")
    page.wait_for_timeout(1200)
    field(visible, "Seed").press_sequentially("1")  # something else is done: it is history
    expect(page.locator(".open-note [role=alert]")).to_have_count(0)

"""Finishing steps on videos of the library: made beside them, followed, stopped, nobody else's business."""

import time

import pytest
from pages import button, needs_browser, serving
from playwright.sync_api import expect
from shelves import put

from t2v.checks import InputError
from t2v.library.index import Library, Made
from t2v.page.library import finishes
from t2v.page.library.finishes import Finishes
from t2v.video.video import read_video
from t2v.video.write import read_settings

SMOOTHER = {"upscale": 1, "fps": 16, "kind": ".mp4"}


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "videos")
    yield library
    library.close()


@pytest.fixture
def steps(library):
    steps = Finishes(library)
    yield steps
    steps.close()


@pytest.fixture
def entry(library):
    return library.add(put(library.folder / "car.mp4"), Made("anna"))


def ended(steps, name, who="anna"):
    until = time.monotonic() + 60
    while (told := steps.told(name, who))["state"] in ("waiting", "running"):
        assert time.monotonic() < until
        time.sleep(0.02)
    return told


def names(library):
    return sorted(path.name for path in library.folder.iterdir() if not path.name.startswith("."))


def test_a_new_video_lies_beside_the_old_one_and_is_its_makers(library, steps, entry):
    told = ended(steps, steps.start(entry, SMOOTHER, "anna"))
    video = library.holding((library.folder / "car-16fps.mp4").resolve()).id
    assert told == {
        "state": "done", "done": 8, "total": 8, "error": "", "name": "car-16fps.mp4", "video": video
    }  # fmt: skip
    assert names(library) == ["car-16fps.mp4", "car.mp4"]
    assert read_video(library.folder / "car-16fps.mp4").frames.shape == (8, 64, 64, 3)
    found = library.holding((library.folder / "car-16fps.mp4").resolve())
    assert (found.maker, found.frames, found.fps) == ("anna", 8, 16)
    assert ended(steps, steps.start(entry, SMOOTHER, "anna"))["name"] == "car-16fps-2.mp4"


def test_other_kinds_tell_what_they_came_to(library, steps, entry, monkeypatch):
    monkeypatch.setattr("t2v.finishing.finish._is_cartoon", lambda settings: False)
    values = {"upscale": 2, "fps": 16, "kind": ".webp"}
    assert ended(steps, steps.start(entry, values, "anna"))["name"] == "car-x2-16fps.webp"
    path = library.folder / "car-x2-16fps.webp"
    found = library.holding(path.resolve())
    assert (found.frames, found.fps, found.width, found.height) == (8, 16, 128, 128)
    assert read_settings(path)["prompt"] == "a red car"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({**SMOOTHER, "fps": 1000}, "fps is 1000; give a number from 0.1 to 240"),
        ({**SMOOTHER, "fps": "fast"}, "fps is 'fast'"),
        ({**SMOOTHER, "upscale": 3}, "upscale is 3; give 1, 2 or 4"),
        ({**SMOOTHER, "kind": ".zip"}, "kind is '.zip'; choose one of .mp4, .webm, .gif, .webp"),
        ({}, "kind is None; choose one of"),
        ({"kind": ".mp4"}, "Nothing would change; choose another rate, size or kind"),
    ],
)
def test_what_cannot_be_done_is_told_at_once(library, steps, entry, values, told):
    with pytest.raises(InputError, match=told):
        steps.start(entry, values, "anna")
    assert names(library) == ["car.mp4"]


def test_a_stop_leaves_nothing_and_only_ones_own_is_seen_and_stopped(library, steps, entry):
    with steps._turn:  # it waits
        name = steps.start(entry, SMOOTHER, "anna")
        for who, other in (("otto", name), ("anna", "unknown"), ("anna", None)):
            with pytest.raises(InputError, match="not known any more"):
                steps.told(other, who)
            with pytest.raises(InputError, match="not known any more"):
                steps.stop(other, who)
        assert steps.told(name, "anna")["state"] == "waiting"
        steps.stop(name, "anna")
    assert ended(steps, name)["state"] == "stopped" and names(library) == ["car.mp4"]


def test_a_stop_in_the_middle_and_what_fails(library, steps, entry, monkeypatch):
    def stopping(step, done, total):
        step.stop_asked = done == 3
        steps._heed(step)

    monkeypatch.setattr(steps, "_on_frame", stopping)
    assert ended(steps, steps.start(entry, SMOOTHER, "anna"))["state"] == "stopped"
    monkeypatch.setattr(finishes, "finish_video", lambda *told, **more: 1 / 0)
    failed = ended(steps, steps.start(entry, SMOOTHER, "anna"))
    assert failed["state"] == "failed" and "failed in finishing this (ZeroDivisionError)" in failed["error"]
    assert [path for path in library.folder.iterdir() if path.name.startswith(".making")] == []
    assert names(library) == ["car.mp4"]


def test_few_wait_at_a_time(steps, entry, monkeypatch):
    monkeypatch.setattr(finishes, "MOST_WAITING", 2)
    with steps._turn:
        started = [steps.start(entry, SMOOTHER, "anna") for _ in range(2)]
        with pytest.raises(InputError, match="Too many videos wait to be finished"):
            steps.start(entry, SMOOTHER, "anna")
        for name in started:
            steps.stop(name, "anna")
    assert [ended(steps, name)["state"] for name in started] == ["stopped", "stopped"]


@pytest.fixture(scope="module")
def server(videos):
    put(videos / "car.mp4", model="a/b")
    with serving("miniature", videos) as url:
        yield url


@needs_browser
def test_an_opened_video_is_made_smoother(open_page, videos):
    page = open_page(viewport={"width": 390, "height": 844})
    page.get_by_role("button", name="All videos").first.click()
    page.locator(".library-tab img.thumb").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Make it smoother, larger or another kind of file").click()
    expect(button(dialog, "Stop")).to_be_hidden()  # nothing runs yet
    dialog.get_by_label("Frames").select_option("12 a second")
    dialog.get_by_label("Size").select_option("Twice as large")
    dialog.get_by_label("Kind").select_option("GIF")
    button(dialog, "Make it").click()
    expect(dialog.get_by_role("status").filter(has_text="Made car-x2-12fps.gif")).to_be_visible()
    link = dialog.get_by_role("link", name="Download the new one (128 × 128)")
    expect(link).to_have_attribute("download", "car-x2-12fps.gif")
    expect(link).to_be_in_viewport(ratio=1)
    assert read_settings(videos / "car-x2-12fps.gif")["finished"][0]["width"] == 128
    assert read_video(videos / "car-x2-12fps.gif").num_frames == 6
    dialog.get_by_label("Frames").select_option("Its own rate")
    dialog.get_by_label("Size").select_option("Its own size")
    dialog.get_by_label("Kind").select_option("MP4")
    button(dialog, "Make it").click()
    expect(dialog.get_by_role("status").filter(has_text="Nothing would change")).to_be_visible()
    box = dialog.get_by_role("status").filter(has_text="Nothing would change").bounding_box()
    assert box["y"] + box["height"] <= 844  # it is not below the dialog's edge
    page.route("**/library/finish", lambda route: route.abort())
    button(dialog, "Make it").click()
    expect(dialog.get_by_role("status").filter(has_text="no connection to the server")).to_be_visible()


@needs_browser
def test_what_was_chosen_for_a_video_stands_before_what_is_as_usual(open_page):
    page = open_page(viewport={"width": 1280, "height": 800})
    page.get_by_role("button", name="All videos").first.click()
    page.locator(".library-tab img.thumb").last.click()
    dialog = page.get_by_role("dialog")
    first = dialog.locator(".settings-list").first
    expect(first).to_contain_text("Seed")
    usual = dialog.locator(".as-usual")
    expect(usual.get_by_text("Sampler")).to_be_hidden()
    usual.locator("summary").click()
    expect(usual.get_by_text("Sampler")).to_be_visible()
    assert first.locator("dt").count() < usual.locator("dt").count()

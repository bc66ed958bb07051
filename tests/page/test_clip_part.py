"""The part of a clip that is taken, one clip for all tabs, how long a run takes: in words and the browser."""

import re
from pathlib import Path

import numpy as np
import pytest
from pages import button, drop, field, needs_browser, opened, serving, unfold, upload
from playwright.sync_api import Locator, expect
from small_detectors import hub_of, save_depth

from t2v.detectors.depth import DEPTH
from t2v.detectors.fetching import FILES
from t2v.library.results import settings_dict
from t2v.page.clip.part import briefly, in_words, parts, rounded, short_part
from t2v.page.glances import About
from t2v.tasks.canny import CannySettings
from t2v.video.video import read_video
from t2v.video.write import read_settings, write_video
from t2v.weights.sizes import size_words

KNOWN = re.compile("16 frames, about [0-9]+ (s|min)$")
SHIFTS = """() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
    }).observe({ type: 'layout-shift' });
}"""


def about(length_s: float, fps: float) -> About:
    return About(length_s, fps, 640, 360)


@pytest.mark.parametrize(
    ("clip", "start_s", "fields"),
    [
        (about(60, 25), 0, ["", "2", "8", ""]),
        (about(60, 25), 7.5, ["7.5", "9.5", "8", ""]),
        (about(60, 25), 59.5, ["58", "60", "8", ""]),
        (about(6, 4), 0, ["", "4", "", ""]),  # a slow clip keeps its rate
    ],
)
def test_a_short_part_is_sixteen_frames_from_where_the_form_begins(clip, start_s, fields):
    assert short_part(clip, start_s).fields() == fields and short_part(clip, start_s).frames == 16


def test_a_clip_that_is_short_is_offered_whole_and_one_too_long_only_in_part():
    assert list(parts(about(2, 8))) == ["whole"] == list(parts(about(0.8, 6)))
    assert list(parts(about(6, 25))) == ["short", "whole"]
    assert list(parts(about(3600, 25))) == ["short"]


def test_parts_are_offered_in_words_with_what_they_take():
    clip = about(6, 25)
    found = parts(clip)
    told = [
        in_words(name, one, clip, seconds)
        for (name, one), seconds in zip(found.items(), (21, 185), strict=True)
    ]
    assert told == ["2 s at 8 fps = 16 frames, about 20 s", "The whole clip: 150 frames, about 3 min"]
    assert in_words("whole", found["whole"], clip, None) == "The whole clip: 150 frames"
    assert [briefly(one) for one in (0.2, 7.4, 44, 72, 91, 5400)] == [
        "about 1 s", "about 7 s", "about 45 s", "about 70 s", "about 2 min", "about 2 h",
    ]  # fmt: skip
    assert rounded(0.1) == 1


# In the browser


@pytest.fixture(scope="module")
def server(videos, family):
    with serving(family, videos) as url:
        yield url


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory) -> str:
    """Six seconds at 20 a second: a square that goes from left to right and becomes brighter."""
    frames = np.full((120, 48, 80, 3), 30, np.uint8)
    for index, frame in enumerate(frames):
        frame[12:36, index // 2 : index // 2 + 20] = 100 + index
    return str(write_video(tmp_path_factory.mktemp("clips") / "long.mp4", frames, 20))


def shown(tab: Locator, which: str = "clip") -> Path:
    """What a pane plays, as a file on this machine."""
    video = tab.locator(f".{which}-box figure[data-state=playing] video")
    expect(video).to_be_visible()
    return Path("/" + video.get_attribute("src").partition("file=/")[2])


def frames_in(tab: Locator, count: int) -> None:
    """Waits until the clip's pane plays so many frames."""
    for _ in range(300):
        if read_video(shown(tab)).num_frames == count:
            return
        tab.page.wait_for_timeout(100)
    raise AssertionError(read_video(shown(tab)).num_frames)


def choices(tab: Locator) -> Locator:
    return tab.locator(".part-choice label")


def handle(tab: Locator, end: str) -> Locator:
    return tab.get_by_role("slider", name=f"{end} of the part, in seconds")


@needs_browser
@pytest.mark.parametrize(
    "screen", [{"viewport": {"width": 1280, "height": 800}}, {"viewport": {"width": 390, "height": 844}}]
)
def test_a_long_clip_begins_with_a_short_part_and_its_handles_follow_keys_and_form(
    open_page, long_clip, screen
):
    page = open_page(**screen)
    tab = opened(page, "Edges")
    expect(tab.locator(".film i")).to_have_count(8)
    page.wait_for_timeout(1000)  # the tab is drawn
    page.evaluate(SHIFTS)
    upload(tab, long_clip)
    frames_in(tab, 16)
    expect(tab.locator(".film img")).to_have_count(8)
    expect(tab.locator(".part-told")).to_have_text("0\u00a0s to 2\u00a0s of 6\u00a0s")
    expect(choices(tab)).to_have_count(2)
    expect(choices(tab).nth(0)).to_contain_text("2 s at 8 fps = 16 frames")
    expect(choices(tab).nth(1)).to_contain_text("The whole clip: 120 frames")
    expect(tab.get_by_role("radio").nth(0)).to_be_checked()
    expect(tab.locator(".plan")).to_contain_text("16 frames will be drawn")
    pictures = tab.locator(".film img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert pictures == [96] * 8
    assert page.evaluate("window.shifted") <= 0.03

    end = handle(tab, "End")
    assert end.get_attribute("aria-valuetext") == "2\u00a0s"
    end.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(tab.locator(".part-told")).to_have_text("0\u00a0s to 2.5\u00a0s of 6\u00a0s")
    frames_in(tab, 20)
    expect(tab.get_by_role("radio", checked=True)).to_have_count(0)  # a part of one's own
    handle(tab, "Start").focus()
    page.keyboard.press("End")  # not beyond the other one
    expect(tab.locator(".part-told")).to_have_text("2.45\u00a0s to 2.5\u00a0s of 6\u00a0s")
    frames_in(tab, 1)
    frame = read_video(shown(tab)).frames[0]
    assert np.median(frame[frame > 90]) == pytest.approx(100 + 49, abs=6)  # the square at 2.45 s

    choices(tab).nth(1).click()
    expect(tab.locator(".plan")).to_contain_text("120 frames will be drawn")
    expect(tab.locator(".part-told")).to_have_text("0\u00a0s to 6\u00a0s of 6\u00a0s")
    expect(tab.get_by_role("radio").nth(1)).to_be_checked()
    unfold(tab, "Advanced options")
    for label in ("Start", "End", "Frames per second"):
        expect(field(tab, label)).to_have_value("")
    field(tab, "Start").fill("3")
    expect(tab.locator(".part-told")).to_have_text("3\u00a0s to 6\u00a0s of 6\u00a0s")
    choices(tab).nth(0).click()  # from there on
    expect(tab.locator(".part-told")).to_have_text("3\u00a0s to 5\u00a0s of 6\u00a0s")
    frames_in(tab, 16)
    page.reload()
    tab = page.locator(".clip-tab:visible")
    expect(tab.locator(".part-told")).to_have_text("3\u00a0s to 5\u00a0s of 6\u00a0s")
    assert page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"]


@needs_browser
def test_a_handle_is_dragged_with_the_mouse(open_page, long_clip):
    page = open_page(viewport={"width": 1280, "height": 800})
    tab = opened(page, "Instructions")
    upload(tab, long_clip)
    expect(tab.locator(".part-told")).to_have_text("0\u00a0s to 2\u00a0s of 6\u00a0s")
    film = tab.locator(".film").bounding_box()
    middle = film["y"] + film["height"] / 2
    page.mouse.move(film["x"] + film["width"] / 3, middle)
    page.mouse.down()
    page.mouse.move(film["x"] + film["width"] / 2, middle, steps=5)
    page.mouse.up()
    told = tab.locator(".part-told")
    expect(told).to_have_text(re.compile("^0\u00a0s to (2.9|2.95|3|3.05|3.1)\u00a0s of 6\u00a0s$"))
    end_s = float(told.inner_text().split("to ")[1].split("\u00a0")[0])
    frames_in(tab, round(8 * end_s))


@needs_browser
def test_an_example_is_taken_whole_and_a_broken_clip_has_no_strip(open_page, tmp_path):
    tab = opened(open_page(), "Edges")
    tab.get_by_role("button", name="A boat on the sea", exact=True).click()
    expect(choices(tab)).to_have_count(1)
    expect(choices(tab)).to_contain_text("The whole clip: 16 frames")
    expect(tab.get_by_role("radio")).to_be_checked()
    (tmp_path / "text.mp4").write_text("no clip")
    upload(tab, str(tmp_path / "text.mp4"))
    expect(tab.locator(".film img")).to_have_count(0)
    expect(tab.get_by_role("radio").first).to_be_disabled()
    expect(tab.locator(".note")).to_contain_text("text.mp4 is not a video that can be read")


@needs_browser
def test_one_clip_serves_all_tabs_with_its_part_and_its_words(open_page, long_clip, videos):
    page = open_page(viewport={"width": 1280, "height": 800})
    tab = opened(page, "Pose")
    upload(tab, long_clip)
    note = tab.locator(".note")
    expect(note).to_contain_text("The weights that find skeletons in a clip are not on this machine, and")
    expect(note.get_by_role("button", name="Use this clip in Depth")).to_have_count(0)  # no better off there
    tab.locator(".prompt textarea, .prompt input").fill("a red boat")
    note.get_by_role("button", name="Use this clip in Edges").click()
    expect(page.get_by_role("tab", name="Edges", exact=True)).to_have_attribute("aria-selected", "true")
    tab = page.locator(".clip-tab:visible")
    assert np.mean(read_video(shown(tab, "seen")).frames > 128) > 0.001
    frames_in(tab, 16)
    prompt = tab.locator(".prompt textarea, .prompt input")
    expect(prompt).to_have_value("a red boat")
    unfold(tab, "Advanced options")
    field(tab, "Steps").fill("1")
    button(tab, "Run").click()
    expect(tab.locator(".stage[data-state=done]")).to_be_visible()
    made = read_settings(max(videos.glob("a-red-boat-*.mp4")))
    assert (made["clip"], made["end_s"], made["fps"], made["num_frames"]) == ("long.mp4", 2.0, 8.0, 16)

    prompt.fill("a blue boat")  # what is typed here for the same clip stays
    opened(page, "Pose").get_by_role("button", name="Use this clip in Edges").first.click()
    expect(page.locator(".clip-tab:visible .prompt").locator("textarea, input")).to_have_value("a blue boat")

    tab = opened(page, "Instructions")  # which asks for something else
    tab.get_by_role("button", name="Use long.mp4").click()
    frames_in(tab, 16)
    expect(tab.locator(".prompt textarea, .prompt input")).to_have_value("")
    page.reload()
    frames_in(page.locator(".clip-tab:visible"), 16)


@needs_browser
def test_settings_of_another_clip_offer_the_one_at_hand_as_a_choice(open_page, long_clip, tmp_path):
    page = open_page(viewport={"width": 1280, "height": 800})
    upload(opened(page, "Pose"), long_clip)
    expect(page.locator(".clip-tab:visible .film img").first).to_be_visible()
    told = settings_dict(CannySettings("mycat.mp4", "a cat"))
    drop(page, write_video(tmp_path / "cat.mp4", np.zeros((2, 16, 16, 3), np.uint8), 4, told))
    tab = page.locator(".clip-tab:visible")
    expect(tab.locator(".use-from")).to_have_text("Use long.mp4 instead of mycat.mp4")
    tab.get_by_role("button", name="Use long.mp4 instead of mycat.mp4").click()
    frames_in(tab, 16)


@needs_browser
def test_run_says_at_once_that_weights_are_missing_and_what_works(open_page, long_clip):
    tab = opened(open_page(), "Depth")
    upload(tab, long_clip)
    expect(tab.locator(".note[data-by=seen]")).to_be_visible()
    tab.locator(".prompt textarea, .prompt input").fill("a red boat")
    button(tab, "Run").click()
    note = tab.locator(".note[data-by=run]")
    expect(note).to_contain_text("clips that show depth already: tick “My clip already shows depth")
    expect(tab.locator(".stage[data-state=idle]")).to_be_visible()
    tab.get_by_role("checkbox").first.check()
    expect(tab.locator(".note")).to_have_count(0)


@needs_browser
def test_how_long_the_first_run_takes_is_known_before_it(browser, tmp_path, long_clip):
    with serving("miniature", tmp_path) as url:
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector(".stage[data-state=idle]")
        tab = opened(page, "Edges")
        upload(tab, long_clip)
        expect(choices(tab).nth(0)).to_contain_text(KNOWN, timeout=120_000)
        expect(choices(tab).nth(1)).to_contain_text(re.compile("120 frames, about [0-9]+ (s|min)$"))
        expect(tab.locator(".plan")).to_contain_text(re.compile("16 frames will be drawn, in about [0-9]+"))
        assert not list(tmp_path.glob("*.mp4"))
        page.close()


@needs_browser
def test_missing_weights_are_fetched_with_one_press_where_a_hub_answers(browser, family, tmp_path, long_clip):
    repos = {DEPTH: save_depth(tmp_path / "depth")}
    videos = tmp_path / "videos"
    videos.mkdir()
    with hub_of(repos) as hub, serving(family, videos, hub=hub) as url:
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector(".stage[data-state=idle]")
        tab = opened(page, "Depth")
        upload(tab, long_clip)
        note = tab.locator(".note")
        expect(note).to_contain_text("The weights that find depth in a clip are not on this machine yet.")
        assert not list((videos / "hub").rglob("*.safetensors"))  # looking at a clip fetches nothing
        size = size_words(sum((tmp_path / "depth" / name).stat().st_size for name in FILES))
        note.get_by_role("button", name=f"Fetch them ({size})", exact=True).click()
        assert read_video(shown(tab, "seen")).num_frames == 16
        expect(note).to_have_count(0)
        tab = opened(page, "Pose")  # of which the hub has nothing
        tab.get_by_role("button", name="Use long.mp4").click()
        note = tab.locator(".note")
        note.get_by_role("button", name="Fetch them", exact=True).click()
        expect(note).to_contain_text("The hub did not give the detector's weights; try again in a while.")
        expect(note.get_by_role("button", name="Try again")).to_be_visible()
        page.close()


@needs_browser
def test_the_clip_of_a_run_is_there_again_after_a_restart(browser, family, tmp_path, long_clip):
    with serving(family, tmp_path) as url:
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector(".stage[data-state=idle]")
        tab = opened(page, "Edges")
        drop(page, Path(long_clip), ".clip-tab:not([style*='none']) .clip-box")
        frames_in(tab, 16)
        unfold(tab, "Advanced options")
        field(tab, "Steps").fill("1")
        tab.locator(".prompt textarea, .prompt input").fill("a boat")
        button(tab, "Run").click()
        expect(tab.locator(".stage[data-state=done]")).to_be_visible()
    with serving(family, tmp_path, port=int(url.rstrip("/").rpartition(":")[2])):
        page.goto(url)
        tab = page.locator(".clip-tab:visible")
        frames_in(tab, 16)
        expect(tab.locator(".note")).to_have_count(0)
        button(tab, "Run").click()
        expect(tab.locator(".stage[data-state=done]")).to_be_visible()
        page.wait_for_function("document.querySelectorAll('#runs li[data-state=done]').length === 2")
    page.close()

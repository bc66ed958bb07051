"""The tabs that follow a clip, in a real browser, and their endpoints: small random models, real clips."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from pages import button, fetched, field, needs_browser, opened, serving, unfold, upload
from playwright.sync_api import Locator, expect

from t2v.video.video import read_video
from t2v.video.write import read_settings, write_video

LONG = 200  # steps of a run that is meant to be found under way
IN_STEP = """tab => {
    const videos = [...tab.querySelectorAll('.pane video, .stage video')];
    const times = videos.map(video => video.currentTime);
    return videos.length == 3 && videos.every(video => video.readyState >= 2 && !video.paused)
        && Math.max(...times) - Math.min(...times) < 0.15;
}"""


@pytest.fixture(scope="module")
def server(videos, family):
    with serving(family, videos) as url:
        yield url


@pytest.fixture(scope="module")
def portrait(tmp_path_factory) -> str:
    frames = np.random.default_rng(0).integers(0, 90, (3, 12, 8, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    return str(write_video(tmp_path_factory.mktemp("clips") / "portrait.mp4", frames, 4))


def pane(tab: Locator, which: str, state: str = "playing") -> Locator:
    found = tab.locator(f".{which}-box figure[data-state={state}]")
    expect(found).to_be_visible()
    return found


def shown_file(pane: Locator) -> Path:
    """What a pane plays, as a file on this machine."""
    return Path("/" + pane.locator("video").get_attribute("src").partition("file=/")[2])


def fill(tab: Locator, prompt: str, **fields) -> None:
    if fields and not field(tab, "Steps").is_visible():
        unfold(tab, "Advanced options")
    for label, value in fields.items():
        field(tab, label).fill(str(value))
    tab.locator(".prompt textarea, .prompt input").fill(prompt)


def stage(tab: Locator, state: str) -> None:
    expect(tab.locator(f".stage[data-state={state}]")).to_be_visible()


@needs_browser
def test_an_uploaded_clip_is_seen_followed_and_found_again(open_page, videos, square_clip):
    page = open_page(viewport={"width": 1280, "height": 800})
    tab = opened(page, "Edges")
    upload(tab, square_clip)
    before = shown_file(pane(tab, "clip"))
    edges = read_video(shown_file(pane(tab, "seen"))).frames
    assert len(edges) == read_video(before).num_frames == 5
    assert 0.002 < np.mean(edges > 128) < 0.2

    fill(tab, "a car", Steps=2, Width=96, Height=64, Steadier=0.5)
    button(tab, "Run").click()
    stage(tab, "done")
    page.wait_for_function(f"() => ({IN_STEP})(document.querySelector('.clip-tab'))")
    path = fetched(tab.page, videos)
    video, settings = read_video(path), read_settings(path)
    assert (video.frames.shape, video.fps) == ((5, 64, 96, 3), 6)
    assert (settings["task"], settings["prompt"], settings["low_threshold"]) == ("canny", "a car", 100)
    assert settings["steady"] == 0.5
    seen = shown_file(pane(tab, "seen"))
    assert seen.parent == videos / "seen" and seen.name.endswith("-canny.mp4")
    assert read_video(seen).frames.shape == (5, 64, 96, 3)

    caption = tab.locator(".caption")
    expect(caption).to_contain_text("“a car”, from “square.mp4”")
    expect(caption).to_contain_text("5 frames · 96 × 64 · 6\u00a0fps · 2 steps")
    pace = re.compile("5 frames will be drawn, in about (a second|[0-9]+ seconds)")  # known by now
    expect(tab.locator(".plan")).to_contain_text(pace)

    page.reload()
    tab = page.locator(".clip-tab:visible")
    stage(tab, "done")
    expect(tab.locator(".prompt textarea, .prompt input")).to_have_value("a car")
    assert shown_file(pane(tab, "seen")) == seen
    button(tab, "Run").click()  # the clip is known again, too
    stage(tab, "done")


@needs_browser
def test_moving_a_threshold_changes_the_edges_at_once(open_page, portrait):
    tab = opened(open_page(), "Edges")
    upload(tab, portrait)
    clip, first = shown_file(pane(tab, "clip")), shown_file(pane(tab, "seen"))
    tab.get_by_label("range slider for High threshold").focus()
    for _ in range(3):
        tab.page.keyboard.press("End")
    expect(tab.locator(f'.seen-box video:not([src$="{first.name}"])')).to_be_visible()
    few, many = (read_video(file).frames for file in (shown_file(pane(tab, "seen")), first))
    assert np.mean(few > 128) < 0.5 * np.mean(many > 128)
    assert shown_file(pane(tab, "clip")) == clip
    field(tab, "High threshold").fill("50")
    pane(tab, "seen", "refused")
    expect(tab.locator(".note")).to_have_text(
        "Low threshold is 100 and High threshold 50; the low one must not be the larger."
    )
    button(tab, "Run").click()
    expect(tab.locator(".note")).to_have_attribute("data-by", "run")
    field(tab, "High threshold").fill("900")
    assert np.mean(read_video(shown_file(pane(tab, "seen"))).frames > 128) <= np.mean(few > 128)
    expect(tab.locator(".note[data-kind=error]")).to_have_count(0)


@needs_browser
def test_an_example_fills_the_form_and_other_footage_gets_its_sentence(open_page, square_clip):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tab = opened(page, "Pose")
    tab.get_by_role("button", name="Dancing", exact=True).click()
    assert read_video(shown_file(pane(tab, "seen"))).frames.max() > 200
    page.reload()
    tab = page.locator(".clip-tab:visible")
    assert read_video(shown_file(pane(tab, "seen"))).frames.max() > 200
    expect(tab.get_by_role("checkbox").first).to_be_checked()
    expect(tab.locator(".prompt textarea, .prompt input")).to_have_value(
        "a white panda is dancing on the beach"
    )
    upload(tab, square_clip)
    pane(tab, "seen", "refused")
    expect(tab.locator(".note")).to_contain_text("The weights that find skeletons in a clip are not on")
    expect(tab.locator(".note")).to_contain_text("Without them the examples work, and clips that show")
    expect(tab.get_by_role("checkbox").first).not_to_be_checked()
    for name in ("Edges", "Depth", "Instructions"):
        opened(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def prompt_of(tab: Locator) -> Locator:
    return tab.locator(".prompt textarea, .prompt input")


@needs_browser
def test_what_was_typed_for_a_clip_outlives_a_reload_whatever_the_choice_had_filled_in(
    open_page, square_clip
):
    page = open_page()
    tab = opened(page, "Edges")
    upload(tab, square_clip)
    pane(tab, "seen")
    fill(tab, "a boat", Seed=5, Start=0.2, End=0.6, Width=96)
    page.reload()
    tab = page.locator(".clip-tab:visible")
    pane(tab, "seen")
    expect(prompt_of(tab)).to_have_value("a boat")
    unfold(tab, "Advanced options")
    for label, value in (("Seed", "5"), ("Start", "0.2"), ("End", "0.6"), ("Width", "96")):
        expect(field(tab, label)).to_have_value(value)

    tab = opened(page, "Pose")
    tab.get_by_role("button", name="Dancing", exact=True).click()
    expect(prompt_of(tab)).to_have_value("a white panda is dancing on the beach")
    pane(tab, "seen")
    fill(tab, "a robot is dancing")
    tab.get_by_role("checkbox").first.uncheck()
    page.wait_for_function("sessionStorage.getItem('form-of-pose').includes('a robot')")
    page.reload()
    tab = page.locator(".clip-tab:visible")
    pane(tab, "clip")
    expect(prompt_of(tab)).to_have_value("a robot is dancing")
    expect(tab.get_by_role("checkbox").first).not_to_be_checked()


@needs_browser
def test_what_was_typed_for_a_clip_outlives_a_killed_server(browser, family, tmp_path, square_clip):
    with serving(family, tmp_path) as url:
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector(".stage[data-state=idle]")
        tab = opened(page, "Edges")
        upload(tab, square_clip)
        pane(tab, "seen")
        fill(tab, "a boat", Seed=5)
    button(tab, "Run").click()
    expect(page.locator(".answers .note")).to_contain_text("no connection to the server")
    with serving(family, tmp_path, port=int(url.rstrip("/").rpartition(":")[2])):
        page.wait_for_timeout(3000)  # Gradio builds the page anew by itself
        tab = page.locator(".clip-tab:visible")
        expect(prompt_of(tab)).to_have_value("a boat")
        expect(tab.locator(".note")).to_contain_text("The program was restarted and no longer has this clip")
        upload(tab, square_clip)
        pane(tab, "seen")
        expect(prompt_of(tab)).to_have_value("a boat")
    page.close()


@needs_browser
def test_bad_clips_get_their_sentence_in_the_page_until_there_is_another(open_page, tmp_path, square_clip):
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile '/etc/hostname'\n")
    tab = opened(open_page(), "Instructions")
    fill(tab, "make it red")
    button(tab, "Run").click()
    note = tab.locator(".note")
    expect(note).to_contain_text("No clip is chosen; upload one, or pick an example.")
    upload(tab, str(tmp_path / "list.mp4"))
    pane(tab, "clip", "refused")
    expect(note).to_contain_text("list.mp4 is not a video that can be read")
    button(tab, "Run").click()
    stage(tab, "failed")
    expect(note).to_contain_text("list.mp4 is not a video that can be read")
    (tmp_path / "photo.png").write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    upload(tab, str(tmp_path / "photo.png"))  # and no message of Gradio's
    expect(note).to_contain_text("photo.png is not a video that can be read; give one in mp4")
    upload(tab, square_clip)
    expect(tab.locator(".plan")).to_have_text("5 frames will be drawn.")
    expect(note).to_have_count(0)
    fill(tab, "")
    button(tab, "Run").click()
    expect(note).to_contain_text("Instruction is empty; write")


@needs_browser
def test_a_reload_finds_a_run_under_way_and_another_window_sees_only_its_own(
    open_page, square_clip, portrait
):
    first, second = open_page(), open_page()
    tab = opened(first, "Instructions")
    upload(tab, square_clip)
    pane(tab, "clip")
    fill(tab, "make it red", Steps=LONG)
    button(tab, "Run").click()
    stage(tab, "running")
    other = opened(second, "Instructions")
    upload(other, portrait)
    shown = shown_file(pane(other, "clip"))
    assert read_video(shown).num_frames == 3 and other.locator(".stage[data-state=idle]").count() == 1
    first.reload()
    tab = first.locator(".clip-tab:visible")
    stage(tab, "running")
    assert read_video(shown_file(pane(tab, "clip"))).num_frames == 5
    button(tab, "Stop").click()
    stage(tab, "stopped")
    assert shown_file(pane(other, "clip")) == shown


@pytest.fixture(scope="module")
def client(server) -> Client:
    return Client(server, verbose=False)


@pytest.mark.parametrize(
    ("endpoint", "settings"),
    [
        ("/canny", {"low_threshold": 50}),
        ("/pose", {"control_ready": True}),
        ("/depth", {"control_ready": True, "fps": 3}),
        ("/pix2pix", {"image_guidance_scale": 1.2, "steady": 0.5}),
    ],
)
def test_programs_send_a_clip_and_get_a_video(client, square_clip, endpoint, settings):
    told = {"num_inference_steps": 1, "width": 96, "height": 64, "seed": 3, **settings}
    path = client.predict(handle_file(square_clip), "a car", **told, api_name=endpoint)
    video, kept = read_video(path), read_settings(path)
    assert video.frames.shape == (3 if "fps" in settings else 5, 64, 96, 3)
    assert kept["task"] == endpoint[1:] and {name: kept[name] for name in told} == told


@pytest.mark.parametrize(
    ("sentence", "clip", "settings"),
    [
        ("clip is neither an uploaded file nor an example", {"path": "/etc/passwd"}, {}),
        ("clip is neither an uploaded file nor an example", "/etc/passwd", {}),
        ("no clip is chosen", None, {}),
        ("also is 'dreams'; choose one of", ..., {"also": [{"task": "dreams"}]}),
        ("settings name wishes", ..., {"also": [{"task": "depth", "wishes": 3}]}),
        ("start_s is 'soon'; give a number", ..., {"start_s": "soon"}),
    ],
)
def test_programs_are_refused_what_the_page_would_not_send(client, square_clip, sentence, clip, settings):
    clip = handle_file(square_clip) if clip is ... else clip
    with pytest.raises(AppError, match=sentence):
        client.predict(clip, "a car", **settings, api_name="/canny")

"""tries.py: pictures before a video, without a browser and in one."""

import asyncio
import re
import time
import zipfile

import gradio as gr
import numpy as np
import pytest
from pages import button, fetched, field, needs_browser, unfold
from PIL import Image
from playwright.sync_api import Page, expect

from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.page import text_tab
from t2v.page.save_stills import save_stills
from t2v.page.studio import Studio
from t2v.page.tries import COMPARED, TryingPanel
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.tries import read_values, sweep
from t2v.video.video import read_video
from t2v.video.write import read_settings

ASKED = {"prompt": "a car", "num_inference_steps": "1", "width": "64", "height": "64", "num_frames": 2}


@pytest.fixture
def panel(tmp_path, family) -> TryingPanel:
    model = Engine("cpu")
    jobs = Jobs(model, tmp_path / "videos")
    with gr.Blocks():
        made = text_tab.build(Studio(model, jobs, family))
        made.wire()
    yield made
    jobs.close()


def values(panel: TryingPanel, **options) -> list:
    """The form's raw values."""
    own = {**ASKED, **options}
    return [own.get(name, getattr(one, "value", None)) for name, one in panel.form.items()]


def finish(panel: TryingPanel, job_id: str):
    until = time.monotonic() + 60
    while not (view := panel.studio.jobs.follow(job_id)).finished:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert view.error is None, view.error
    return view


def shown(panel: TryingPanel, job_id: str) -> str:
    """The HTML that a page ends with which follows the run."""

    async def follow():
        return [now async for now in panel._follow(job_id, "")][-1]

    return "".join(part for part in asyncio.run(follow()) if isinstance(part, str))


def test_run_after_a_first_frame_makes_its_video_and_after_a_change_another(panel):
    first, note = panel._first("", *values(panel))
    assert note == "" or "error" not in note
    seed = finish(panel, first).stills[0].resolved.seed
    assert "So the video begins" in shown(panel, first) and f'data-seed="{seed}"' in shown(panel, first)
    changed, _ = panel._start(first, *values(panel, num_inference_steps="2"))
    assert finish(panel, changed).resolved.seed != seed
    video, _ = panel._start(first, *values(panel))
    assert finish(panel, video).resolved.seed == seed
    again, _ = panel._start(video, *values(panel))
    assert finish(panel, again).resolved.seed != seed  # as ever


def test_a_picture_that_is_pressed_becomes_its_video_and_there_is_a_way_back(panel):
    pictures, _ = panel._vary("", 4, *values(panel))
    view = finish(panel, pictures)
    html = shown(panel, pictures)
    assert html.count('class="still"') == 4 and 'data-seed="' not in html
    video, _ = panel._make(pictures, "2")
    made = finish(panel, video)
    assert made.resolved.seed == view.stills[2].resolved.seed and made.output.is_file()
    assert f'data-run="{pictures}"' in shown(panel, video)
    for wrong in ("4", "-1", "", "x"):
        assert panel._make(pictures, wrong)[1] == ""


def test_a_comparison_is_labelled_and_what_is_wrong_with_it_is_told(panel):
    job_id, _ = panel._compare("", "guidance_scale", "2, 4", *values(panel))
    assert [one.label for one in finish(panel, job_id).stills] == ["Guidance 2", "Guidance 4"]
    assert "Guidance 4" in shown(panel, job_id)
    _, note = panel._compare(job_id, "guidance_scale", "2, much", *values(panel))
    assert "Guidance is &#x27;much&#x27;; give numbers" in note
    assert "choose one" in panel._compare(job_id, "fps", "2", *values(panel))[1]
    moving, _ = panel._compare(job_id, "motion_x", "0, 8", *values(panel))
    finish(panel, moving)
    assert "The last frame of each" in shown(panel, moving)


@pytest.mark.parametrize("name", COMPARED)
def test_what_is_offered_for_comparison_can_be_drawn(name):
    _, suggested = COMPARED[name]
    found = read_values(TextToVideoSettings, name, suggested)
    assert len(sweep(TextToVideoSettings("a car"), name, found).each) >= 2


def test_pictures_are_saved_with_the_settings_of_their_videos(panel, tmp_path):
    first, _ = panel._first("", *values(panel))
    seed = finish(panel, first).stills[0].resolved.seed
    copies, stills = panel.studio.copies, panel.view(first).stills
    path = save_stills(copies, first, stills)
    told = read_settings(path)
    assert path.name == f"a-car-{seed}.png" and (told["seed"], told["num_frames"]) == (seed, 2)
    assert Image.open(path).size == (64, 64) and save_stills(copies, first, stills) == path
    many, _ = panel._vary("", 4, *values(panel, seed="5"))
    finish(panel, many)
    address, note = panel._save_stills(many)
    assert note == "" and address.endswith("a-car.zip")
    with zipfile.ZipFile(save_stills(copies, many, panel.view(many).stills)) as pictures:
        assert pictures.namelist() == [f"0{number + 1}-seed-{5 + number}.png" for number in range(4)]
        pictures.extract("02-seed-6.png", tmp_path)
    assert read_settings(tmp_path / "02-seed-6.png")["seed"] == 6
    assert "not on the server any more" in panel._save_stills("unknown")[1]
    assert 'class="save-stills"' in shown(panel, many)


FIRST_PIXELS = """(selector) => {
    const shown = document.querySelector(selector), canvas = document.createElement('canvas');
    canvas.width = canvas.height = 64;
    canvas.getContext('2d').drawImage(shown, 0, 0, 64, 64);
    return [...canvas.getContext('2d').getImageData(0, 0, 64, 64).data];
}"""


def seen(page: Page, selector: str) -> np.ndarray:
    return np.array(page.evaluate(FIRST_PIXELS, selector)).reshape(64, 64, 4)[..., :3]


def small(frame: np.ndarray) -> np.ndarray:
    return frame.reshape(64, frame.shape[0] // 64, 64, frame.shape[1] // 64, 3).mean(axis=(1, 3))


@needs_browser
def test_a_first_frame_and_then_its_video(page, videos):
    page.get_by_label("What should the video show?").fill("a red car on a street")
    unfold(page, "Advanced options")
    field(page, "Steps").fill("4")
    field(page, "Frames").fill("3")
    button(page, "First frame").click()
    page.wait_for_selector(".still img")
    begin = seen(page, ".still img")
    expect(page.locator(".status p")).to_contain_text("So the video begins")
    expect(page.get_by_label("Save as")).to_be_hidden()  # there is no video yet
    with page.expect_download() as waiting:
        button(page, "Save as PNG").click()
    waiting.value.save_as(videos / "first.png")
    assert np.abs(small(np.array(Image.open(videos / "first.png").convert("RGB"))) - begin).mean() < 6
    button(page, "Run").click()
    page.wait_for_selector(".stage video")
    path = fetched(page, videos)
    video = read_video(path).frames
    assert len(video) == 3 and np.abs(small(video[0]) - begin).mean() < 6  # both are compressed
    assert np.abs(small(video[0])[::-1] - begin).mean() > 20


@needs_browser
def test_of_variations_one_becomes_a_video_that_begins_with_it(page, videos):
    page.get_by_label("What should the video show?").fill("a blue boat on the sea")
    unfold(page, "Advanced options")
    field(page, "Steps").fill("4")
    field(page, "Frames").fill("3")
    unfold(page, "Try before you make")
    page.locator(".tries").scroll_into_view_if_needed()
    button(page, "Variations").click()
    page.wait_for_function("document.querySelectorAll('.still img').length === 4")
    expect(page.locator(".status p")).to_contain_text("Press the one whose video you want")
    page.wait_for_function("document.querySelector('.stage').getBoundingClientRect().top >= 0")
    begin = seen(page, '.still[data-still="2"] img')
    label = page.locator(".still").nth(2).inner_text()
    page.locator(".still").nth(2).press("Enter")  # by keyboard
    page.wait_for_selector(".stage video")
    path = fetched(page, videos)
    assert f"Seed {read_settings(path)['seed']}" == label.strip()
    assert np.abs(small(read_video(path).frames[0]) - begin).mean() < 6
    page.get_by_text("Back to the pictures").click()
    page.wait_for_function("document.querySelectorAll('.still img').length === 4")


@needs_browser
def test_seconds_frames_and_rate_stay_together(page):
    length, told = page.get_by_label("number input for Length"), page.locator(".made-of")
    expect(told).to_have_text("= 8 frames at 4 a second")
    length.fill("4")
    expect(told).to_have_text("= 16 frames at 4 a second")
    unfold(page, "Advanced options")
    expect(field(page, "Steps")).to_be_visible()
    expect(field(page, "Frames")).to_have_value("16")
    field(page, "Frames per second").fill("8")
    expect(told).to_have_text("= 16 frames at 8 a second")
    expect(length).to_have_value("2")
    field(page, "Frames").fill("9")
    expect(length).to_have_value(re.compile(r"1\.1[23]?"))
    length.fill("100")
    expect(field(page, "Frames")).to_have_value("300")
    expect(told).to_have_text("= 300 frames at 8 a second; 800 were asked for, and 300 are the most here")
    expect(length).to_have_value("37.5")
    length.fill("0")
    expect(told).to_have_text("= 1 frame at 8 a second; a video has at least one")
    field(page, "Frames").fill("4")
    expect(told).to_have_text("= 4 frames at 8 a second")

"""A trained video model in the browser: picked from the folder of models, drawn with, and what it refuses."""

import pytest
from pages import button, field, needs_browser, serving, unfold
from playwright.sync_api import expect
from small_videos import saved, small_cogvideox

from t2v.page.form_fields import models
from t2v.page.model_told import told_html
from t2v.tasks import settings_of
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.write import read_settings
from t2v.weights.models_folder import use_models_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stranger")
    saved(small_cogvideox(), folder / "clips of mine")
    return folder


@pytest.fixture(scope="module")
def server(videos, model_folder, folder):
    with serving(str(model_folder), videos, more=("--models", str(folder))) as url:
        yield url


@needs_browser
def test_it_is_picked_and_drawn_with_and_its_motion_is_its_own(open_page, videos):
    page = open_page(viewport={"width": 1280, "height": 800})
    page.get_by_label("What should the video show?").first.fill("a red car")
    page.get_by_label("Model", exact=True).first.click()
    page.get_by_role("option").filter(has_text="clips of mine, trained video model, CogVideoX").click()
    expect(page.locator(".model-told:visible").first).to_contain_text("its motion is its own")
    unfold(page, "Advanced options")
    expect(field(page, "Width").first).to_have_attribute("placeholder", "96")
    expect(field(page, "Steps").first).to_have_attribute("placeholder", "50")
    field(page, "Steps").first.fill("2")
    field(page, "Motion to the right").first.fill("4")
    button(page, "Run").first.click()
    refusal = "Motion to the right is 4, and model clips of mine is a trained video model (CogVideoX)"
    expect(page.get_by_text(refusal).first).to_be_visible()
    field(page, "Motion to the right").first.fill("")
    button(page, "Run").first.click()
    page.wait_for_selector(".stage[data-state=done]")
    expect(page.get_by_text("draws one frame and groups of 8 more, so it draws 9").first).to_be_visible()
    (path,) = videos.glob("a-red-car-*.mp4")
    told = read_settings(path)
    drawn = settings_of(told)
    assert (told["model"], drawn.width, drawn.num_frames, drawn.motion_x) == ("clips of mine", 96, 8, None)


def test_tabs_with_a_clip_do_not_offer_it(folder):
    use_models_folder(folder)
    try:
        assert "clips of mine" in dict(models(TextToVideoSettings)).values()
        assert "clips of mine" not in dict(models(CannySettings)).values()
        assert "CogVideoX is a trained video model" in told_html("clips of mine", False)
    finally:
        use_models_folder(None)

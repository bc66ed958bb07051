"""presets.py: what a word sets in the form, one's own, and what the browser remembers."""

from types import SimpleNamespace

import gradio as gr
import pytest
from pages import button, field, needs_browser, unfold
from playwright.sync_api import Page, expect

from t2v.page.presets import KNOWN, NO_PRESET, apply, apply_to_model, told_html, which
from t2v.tasks.presets import FIELDS
from t2v.weights.family import STABLE_DIFFUSION


def test_a_preset_fills_the_form_as_the_model_has_it():
    values = apply(SimpleNamespace(is_open=False), "best", "miniature")
    assert dict(zip(FIELDS, values, strict=False)) == {
        **dict.fromkeys(FIELDS, ""), "num_inference_steps": 50, "scheduler": "ddim", "upscale": 2,
    }  # fmt: skip
    assert "Sets 50 steps, frames twice as large, the sampler ddim." in values[-1]
    assert told_html("none", "miniature") == ""
    nothing = (gr.skip(),) * (len(FIELDS) + 1)
    for name, model in ((None, "miniature"), (["draft"], "miniature"), ("draft", None), ("draft", "")):
        assert str(apply(SimpleNamespace(is_open=False), name, model)) == str(nothing)


def test_of_models_that_are_not_on_offer_nothing_is_looked_up(tmp_path):
    (tmp_path / "miniature.json").write_text('{"presets": {"draft": {"num_inference_steps": 3}}}')
    open_to_all = SimpleNamespace(is_open=True, default_model="miniature")
    assert apply(SimpleNamespace(is_open=False), "draft", str(tmp_path))[0] == 3
    assert apply(open_to_all, "draft", str(tmp_path))[0] != 3
    assert apply(open_to_all, "draft", "miniature")[0] == 10


ALONE = SimpleNamespace(is_open=False, default_model="miniature")
HUB = STABLE_DIFFUSION.model


def test_another_model_changes_no_form_in_which_nothing_is_chosen():
    open_form, kept = [""] * len(FIELDS), [str(gr.skip())] * len(FIELDS)
    choice, *values, told = apply_to_model(ALONE, "standard", HUB, *open_form)
    assert (choice, [str(one) for one in values], told) == (None, kept, NO_PRESET)
    choice, *values, told = apply_to_model(ALONE, None, "miniature", *open_form)
    assert (choice, [str(one) for one in values]) == ("standard", kept) and "what suits the model" in told
    sets = {"num_inference_steps": 25, "scheduler": "dpm++"}
    chosen = [sets.get(field, "") for field in FIELDS]
    choice, *values, told = apply_to_model(ALONE, "standard", HUB, *chosen)
    assert str(choice) == str(gr.skip()) and values == chosen
    assert "Sets 25 steps, the sampler dpm++. Not measured on such weights yet." in told


OPEN = {**dict.fromkeys((*FIELDS, *KNOWN), ""), "model": "miniature", "num_frames": 8, "move": "camera"}

FILLED = {**OPEN, "num_inference_steps": "12", "guidance_scale": "5", "upscale": 1, "method": "canvas"}
FILLED |= {"motion_x": "-2", "motion_y": "0", "width": "256", "height": "256"}


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (OPEN, "standard"),
        (FILLED, "standard"),  # as the settings of a finished video fill the form
        ({**FILLED, "num_inference_steps": 10, "scheduler": "ddim"}, "draft"),
        ({**FILLED, "num_frames": 15, "motion_x": "-1"}, "standard"),
        ({**FILLED, "motion_x": "-3"}, None),
        ({**FILLED, "guidance_scale": "many"}, None),
        ({**FILLED, "num_inference_steps": "7"}, None),
        ({**FILLED, "model": "no-one/no-model"}, None),
        ({**OPEN, "model": ""}, None),
        ({**OPEN, "model": None}, None),
    ],
)
def test_the_preset_that_a_form_is_is_found(values, name):
    assert which(ALONE, values) == name


def test_of_models_that_are_not_on_offer_no_preset_is_found():
    assert which(SimpleNamespace(is_open=True, default_model="miniature"), {**OPEN, "model": "x/y"}) is None


def options(page: Page) -> None:
    unfold(page, "Advanced options")
    expect(field(page, "Steps")).to_be_visible()


@needs_browser
def test_presets_fill_the_form_until_it_is_changed(page):
    options(page)
    told = page.locator(".sets")
    expect(told).to_have_text("Sets what suits the model.")
    page.get_by_label("Draft").check()
    expect(told).to_have_text("Sets 10 steps, the sampler ddim.")
    expect(field(page, "Steps")).to_have_value("10")
    page.get_by_label("Paper").check()
    expect(field(page, "Guidance")).to_have_value("7.5")
    expect(page.get_by_label("Method", exact=True)).to_have_value("The paper's: each frame drawn anew")
    expect(page.get_by_label("Paper")).to_be_checked()
    field(page, "Steps").fill("7")
    expect(page.get_by_label("Paper")).not_to_be_checked()
    expect(told).to_be_hidden()
    expect(page.locator(".own-choice")).to_have_text("Custom: what these set is chosen by hand.")
    page.get_by_label("Standard").check()
    expect(page.locator(".own-choice")).to_be_hidden()
    expect(field(page, "Steps")).to_have_value("")
    expect(field(page, "Guidance")).to_have_value("")


@needs_browser
def test_ones_own_presets_and_last_choices_stay_in_the_browser(page):
    options(page)
    field(page, "Steps").fill("7")
    field(page, "Zoom").fill("1.05")
    for label, text in (("Subject", "cat"), ("Seed", "7")):  # which are of one video
        field(page, label).fill(text)
    page.get_by_label("Keep these options as").fill("Near <b>")
    button(page, "Keep").click()
    expect(button(page, "Near <b>")).to_be_visible()
    button(page, "Reset the options").click()
    expect(field(page, "Steps")).to_have_value("")
    expect(field(page, "Zoom")).to_have_value("1")
    expect(field(page, "Subject")).to_have_value("")
    expect(field(page, "Seed")).to_have_value("")
    expect(page.get_by_label("Standard")).to_be_checked()
    button(page, "Near <b>").click()
    expect(field(page, "Steps")).to_have_value("7")
    expect(field(page, "Zoom")).to_have_value("1.05")

    other = page.context.new_page()  # another window of this browser
    other.goto(page.url)
    other.wait_for_selector(".stage[data-state=idle]")
    expect(other.get_by_label("Standard")).not_to_be_checked()  # as the steps are not
    options(other)
    expect(field(other, "Steps")).to_have_value("7")
    button(other, "Delete the preset Near <b>").click()
    expect(button(other, "Near <b>")).to_have_count(0)
    other.reload()
    expect(button(other, "Near <b>")).to_have_count(0)
    other.close()


@needs_browser
def test_the_settings_of_a_video_tick_the_preset_that_they_are(page):
    options(page)
    page.get_by_label("Draft").check()
    expect(field(page, "Steps")).to_have_value("10")
    page.get_by_label("What should the video show?").fill("a red car on a street")
    button(page, "Run").click()
    page.wait_for_selector(".stage video")
    page.get_by_label("Best").check()
    expect(field(page, "Steps")).to_have_value("50")
    again = page.get_by_role("button", name="Use these settings: a red car on a street")
    again.scroll_into_view_if_needed()
    again.click()
    expect(page.locator(".library-said")).to_contain_text("Its settings are filled in.")
    expect(button(page, "Run")).to_be_in_viewport()  # as the form is, which lies far above
    expect(field(page, "Steps")).to_have_value("10")
    expect(page.get_by_label("Draft")).to_be_checked()
    expect(page.locator(".sets:visible")).to_have_text("Sets 10 steps, the sampler ddim.")

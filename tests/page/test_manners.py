"""How the page behaves while it is used: nothing jumps, keys do what they say, the result stays in view."""

import re

import numpy as np
import pytest
from pages import PLAYING, button, field, needs_browser, unfold
from playwright.sync_api import Page, expect

from t2v.video.video import read_video
from t2v.video.write import read_settings

pytestmark = needs_browser

SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
        if (!one.hadRecentInput) window.shifts.push(one.value);
    }
}).observe({ type: 'layout-shift', buffered: true });"""
MOST_SHIFT = 0.03
SIZES = [{"width": 1280, "height": 800}, {"width": 390, "height": 844}]
PHONE = {"has_touch": True, "is_mobile": True}


def prompt_box(page: Page):
    return page.get_by_label("What should the video show?")


def options(page: Page, **fields) -> None:
    unfold(page, "Advanced options")
    for label, value in fields.items():
        field(page, label).fill(str(value))


@pytest.mark.parametrize("size", SIZES, ids=["desktop", "phone"])
def test_nothing_jumps_from_load_through_a_run(browser, server, size):
    context = browser.new_context(viewport=size, **(PHONE if size["width"] < 600 else {}))
    context.add_init_script(SHIFTS)
    page = context.new_page()
    page.goto(server)
    page.wait_for_selector(".stage[data-state=idle]")
    page.wait_for_timeout(1500)
    prompt_box(page).press_sequentially("a red car on a street")
    page.keyboard.press("Enter")
    page.wait_for_function(PLAYING)
    page.wait_for_timeout(1500)
    assert sum(page.evaluate("window.shifts")) <= MOST_SHIFT, page.evaluate("window.shifts")
    page.evaluate("document.querySelector('.top').style.setProperty('margin-top', '200px', 'important')")
    page.wait_for_function(
        f"window.shifts.reduce((sum, one) => sum + one, 0) > {MOST_SHIFT}"
    )  # is it noticed?
    context.close()


def test_the_prompt_has_the_keyboard_when_the_page_is_there(page):
    expect(prompt_box(page)).to_be_focused()


def test_the_result_stays_in_view_while_options_are_open(page):
    options(page)
    page.locator(".advanced h3").last.scroll_into_view_if_needed()
    box = page.locator(".stage").bounding_box()
    assert page.evaluate("scrollY") > 600 and box["y"] >= 0 and box["y"] + box["height"] <= 800


def test_on_a_phone_the_result_comes_right_below_run(open_page):
    phone = open_page(viewport=SIZES[1], **PHONE)
    run, stage, moves = (phone.locator(one).bounding_box() for one in (".run-row", ".stage", ".what-moves"))
    assert run["y"] < stage["y"] < moves["y"] and stage["height"] < 100
    prompt_box(phone).fill(" ")
    button(phone, "Run").click()
    expect(phone.locator(".note[data-kind=error]")).to_be_visible()
    assert phone.locator(".stage").bounding_box()["height"] > 300


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_scrollbars_follow_the_colours(open_page, scheme):
    page = open_page(color_scheme=scheme)
    found = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert (found == "dark") == (scheme == "dark")


def test_control_enter_runs_once_from_anywhere_and_escape_stops(page):
    options(page, Steps=150)
    prompt_box(page).fill("a blue boat")
    prompt_box(page).press("Control+Enter")
    page.wait_for_selector(".stage .strip")
    page.wait_for_selector('.runs li[data-state="running"]')
    assert page.locator('.runs li:is([data-state="running"], [data-state="queued"])').count() == 1
    assert page.locator(".note").count() == 0
    field(page, "Width").focus()
    page.get_by_label("Model", exact=True).click()  # its list is open: that is what Escape closes
    page.wait_for_selector("[role=listbox]")
    page.keyboard.press("Escape")
    page.locator("[role=listbox]").wait_for(state="detached")
    page.locator(".advanced .label-wrap").focus()
    page.keyboard.press("?")
    dialog = page.locator("dialog.keys-dialog[open]")
    expect(dialog).to_contain_text("Stop the run that this tab shows")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(".stage")).to_have_attribute("data-state", "running")
    field(page, "Width").focus()
    page.keyboard.press("Escape")
    page.wait_for_selector(".stage[data-state=stopped]")
    field(page, "Steps").fill("1")
    field(page, "Steps").press("Control+Enter")
    page.wait_for_function(PLAYING)


def test_a_question_mark_is_typed_into_fields(page):
    prompt_box(page).press_sequentially("why?")
    expect(prompt_box(page)).to_have_value("why?")
    expect(page.locator("dialog.keys-dialog[open]")).to_have_count(0)


def test_keys_alone_lead_from_the_prompt_to_the_download(page, videos):
    """Tab, arrows, typing, Enter and Space: the mouse is not touched."""

    def go_to(selector: str) -> None:
        for _ in range(60):
            if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{selector} is not reached by Tab")

    page.keyboard.type("a red car on a street")
    go_to(".what-moves input")
    page.keyboard.press("ArrowRight")  # the subject
    go_to(".advanced .label-wrap, .advanced button")
    page.keyboard.press("Enter")
    expect(field(page, "Steps")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        if field(page, "Steps").evaluate("(one) => one === document.activeElement"):
            break
    page.keyboard.type("4")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(PLAYING)
    go_to("a.download")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    waiting.value.save_as(videos / "by-keys.mp4")
    settings = read_settings(videos / "by-keys.mp4")
    assert (settings["move"], settings["num_inference_steps"]) == ("subject", 4)
    frames = read_video(videos / "by-keys.mp4").frames
    assert len(frames) == 8 and np.ptp(frames) > 100


def test_models_to_be_fetched_are_marked_and_the_notes_follow_the_model(page):
    expect(page.locator(".fetched:visible")).to_contain_text("knows few words")
    options(page)
    expect(field(page, "Steps")).to_have_attribute("placeholder", "12")
    page.get_by_label("Model", exact=True).click()
    page.get_by_role("option", name=re.compile(r"Stable Diffusion 1\.5: to be fetched \(4 GB\)")).click()
    expect(page.locator(".fetched:visible")).to_contain_text("the first run fetches it (about 4 GB)")
    expect(field(page, "Steps")).to_have_attribute("placeholder", "50")
    expect(field(page, "Width")).to_have_attribute("placeholder", "512")
    assert field(page, "Steps").input_value() == ""
    heads = page.locator(".advanced h3").all_inner_texts()
    assert heads == ["Length and size", "How it is drawn", "How it moves"]
    field(page, "Steps").fill("7")
    button(page, "Reset the options").click()
    expect(field(page, "Steps")).to_have_value("")

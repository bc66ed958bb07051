"""The list of runs in a real browser: two windows, moving, stopping, a reload, a server started anew."""

import re

import pytest
from conftest import free_port
from pages import PATIENCE_MS, Windows, button, field, needs_browser, serving, unfold
from playwright.sync_api import Page, expect

pytestmark = needs_browser
LONG, SHORT, QUICK = (200, 48), (60, 8), (1, 2)  # steps and frames
NOTIFIED = """() => {
    window.told = [];
    window.Notification = class { constructor(title) { window.told.push(title); } };
    window.Notification.permission = 'granted';
    window.Notification.requestPermission = async () => 'granted';
    Object.defineProperty(document, 'hidden', { get: () => Boolean(window.isHidden) });
}"""


@pytest.fixture(scope="module")
def server():
    """Each test has one of its own."""


def ask(page: Page, prompt: str, length: tuple[int, int]) -> None:
    if not field(page, "Steps").is_visible():
        unfold(page, "Advanced options")
    asked = {"Steps": length[0], "Frames": length[1], "Width": 128, "Height": 128, "Seed": 7}
    for label, value in asked.items():
        field(page, label).fill(str(value))
    page.get_by_label("What should the video show?").fill(prompt)
    button(page, "Run").click()
    page.wait_for_selector(f".runs li:has-text('{prompt}')")


def row(page: Page, prompt: str):
    return page.locator(".runs li", has_text=prompt)


def press(page: Page, prompt: str, name: str) -> None:
    row(page, prompt).get_by_role("button", name=f"{name}: {prompt}").click()


def until(page: Page, expected: list[str], state: str = "") -> None:
    page.wait_for_function(
        """([state, expected]) => {
            const rows = [...document.querySelectorAll(state ? `.runs li[data-state=${state}]` : '.runs li')];
            return rows.map((row) => row.querySelector('.what p').innerText).join() === expected.join();
        }""",
        arg=[state, expected],
    )


def test_three_runs_in_two_windows_and_over_a_restart(browser, family, tmp_path):
    port = free_port()
    with serving(family, tmp_path, port=port) as url:
        windows = Windows(url, browser)
        first, second = (windows(viewport={"width": 1280, "height": 800}) for _ in range(2))
        expect(first.locator(".runs")).to_have_count(0)
        for prompt in ("one", "two", "three"):
            ask(first, prompt, LONG)
        expect(button(first, "Add to queue")).to_be_enabled()
        second.reload()
        until(second, ["two", "three"], "queued")  # alone on a machine all windows share everything
        assert re.match(r"\d+\s%\s·\sone — Text2Video-Zero Studio", second.title())
        press(second, "three", "Up")
        until(second, ["three", "two"], "queued")
        expect(row(second, "three").get_by_role("button", name="Up")).to_be_disabled()
        until(first, ["three", "two"], "queued")
        second.get_by_label("What should the video show?").fill("half a sentence")
        press(second, "one", "Show")  # started in another window: seen and stopped here
        second.wait_for_selector(".stage[data-state=running]")
        assert second.get_by_label("What should the video show?").input_value() == "half a sentence"
        ask(second, "four", LONG)
        press(second, "four", "Remove")
        expect(row(second, "four")).to_have_count(0)
        press(second, "two", "Edit")
        expect(row(second, "two")).to_have_count(0)
        assert second.get_by_label("What should the video show?").input_value() == "two"
        button(second, "Run").click()
        until(second, ["three", "two"], "queued")
        for page in (first, second):
            page.reload()
            until(page, ["three", "two"], "queued")
        expect(row(first, "one").locator("img")).to_have_count(1)
    with serving(family, tmp_path, port=port):
        page = first.context.new_page()  # while the old ones find their server again by themselves
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url)
        until(page, ["one"], "interrupted")
        expect(row(page, "one")).to_contain_text("Was interrupted")
        until(page, ["three"], "running")  # drawn by itself, in order
        press(page, "two", "Remove")
        expect(row(page, "two")).to_have_count(0)
        press(page, "three", "Stop")
        until(page, ["three"], "stopped")
        press(page, "one", "Dismiss")
        expect(row(page, "one")).to_have_count(0)
        press(page, "three", "Use these settings")
        expect(page.get_by_label("What should the video show?")).to_have_value("three")
        unfold(page, "Advanced options")
        assert field(page, "Steps").input_value() == str(LONG[0])
        button(page, "Clear ended").click()
        expect(page.locator(".runs")).to_have_count(0)
        expect(button(page, "Run")).to_have_text("Run")


def test_title_and_notification_tell_the_end(browser, family, tmp_path):
    with serving(family, tmp_path) as url:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(f"({NOTIFIED})()")
        page.goto(url)
        page.wait_for_selector(".stage[data-state=idle]")
        ask(page, "one", SHORT)
        page.locator(".runs .tell-me").check()
        assert page.evaluate("localStorage.getItem('tell-me-when-done')") == "yes"
        page.evaluate("window.isHidden = true")
        until(page, ["one"], "done")
        expect(page).to_have_title("Done · one — Text2Video-Zero Studio")
        assert page.evaluate("window.told") == ["Done · one"]
        ask(page, "two", QUICK)
        page.evaluate("window.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")
        until(page, ["two", "one"], "done")
        assert page.evaluate("window.told").count("Done · one") == 1
        expect(page.locator(".runs .tell-me")).to_be_checked()
        context.close()


def test_the_keyboard_stays_on_its_button_while_the_list_changes(browser, family, tmp_path):
    with serving(family, tmp_path) as url:
        windows = Windows(url, browser)
        page = windows(viewport={"width": 1280, "height": 800})
        ask(page, "one", LONG)
        page.wait_for_selector(".runs li[data-state=running] .bar")
        stop = row(page, "one").get_by_role("button", name="Stop: one")
        stop.focus()
        begun = page.locator(".runs .bar").get_attribute("value")
        further = "(begun) => document.querySelector('.runs .bar')?.value > begun"
        page.wait_for_function(further, arg=float(begun))
        expect(stop).to_be_focused()
        page.keyboard.press("Enter")
        until(page, ["one"], "stopped")
        expect(page.locator(".stage .strip")).to_have_count(1)  # as far as it came
        windows.close()


def test_a_tab_goes_on_with_the_next_of_ones_runs_and_edit_says_what_it_does(browser, family, tmp_path):
    with serving(family, tmp_path) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 500})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url)
        page.wait_for_selector(".stage[data-state=idle]")
        for prompt, length in (("one", SHORT), ("two", LONG), ("three", LONG)):
            ask(page, prompt, length)
        press(page, "three", "Edit")
        expect(page.locator(".notes .note", has_text="taken out of the queue")).to_be_visible()
        expect(button(page, "Run")).to_be_in_viewport()
        until(page, ["two"], "running")
        page.wait_for_selector(".stage[data-state=running]")
        expect(button(page, "Stop").first).to_be_enabled()
        expect(page.locator(".caption:visible").first).to_contain_text("two")
        press(page, "one", "Show")  # and stays, while the other one is drawn
        expect(page.locator(".caption:visible").first).to_contain_text("one")
        page.wait_for_timeout(2500)
        expect(page.locator(".caption:visible").first).to_contain_text("one")
        expect(page.locator(".stage:visible").first).to_have_attribute("data-state", "done")
        press(page, "two", "Stop")
        page.close()

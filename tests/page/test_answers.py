"""What the page says when an answer fails, and what outlives a reload, and a server that starts anew."""

import pytest
from pages import PATIENCE_MS, button, field, needs_browser, serving, unfold
from playwright.sync_api import Page, Route, expect
from test_app import ask, prompt_box, stage


@pytest.fixture(scope="module")
def server(videos, family):
    with serving(family, videos) as url:
        yield url


def told(page: Page):
    return page.locator(".answers .note")


@needs_browser
def test_every_answer_that_fails_is_told_and_the_next_good_one_clears_it(open_page, square_clip):
    page = open_page()
    ask(page, "a red car", Steps=1, Frames=2)

    def failing(status: int):
        def answer(route: Route) -> None:
            if status:
                route.fulfill(status=status, body="<html>", content_type="text/html")
            else:
                route.abort()

        return answer

    for status, words in [
        (401, "You are signed out"),
        (404, "does not know this page any more"),
        (413, "too large for the server"),
        (500, "The server failed to answer this"),
        (502, "does not answer (502)"),
        (503, "does not answer (503)"),
        (0, "no connection to the server"),
    ]:
        page.route("**/gradio_api/**", failing(status))
        button(page, "Run").click()
        expect(told(page)).to_contain_text(words)
        expect(told(page)).to_have_count(1)
        page.unroute("**/gradio_api/**")
    page.wait_for_timeout(3000)  # Gradio builds the page anew after a lost connection
    expect(prompt_box(page)).to_have_value("a red car")
    button(page, "Run").click()
    stage(page, "done")
    expect(told(page)).to_have_count(0)
    expect(prompt_box(page)).to_have_value("a red car")

    page.get_by_role("tab", name="Edges", exact=True).click()
    page.route("**/gradio_api/upload*", failing(413))
    page.locator(".clip-tab:visible input[type=file]").set_input_files(square_clip)
    expect(told(page)).to_contain_text("too large for the server")


@needs_browser
def test_what_was_typed_outlives_a_reload_and_a_word_may_be_long(open_page):
    page = open_page()
    ask(page, "a blue boat", Steps=7, Frames=5, Seed="12")
    page.get_by_label("Frames follow the first frame").uncheck()
    page.get_by_label("Warp", exact=True).click()
    page.get_by_role("option", name="Whole cells: sharp, in small jumps").click()
    page.wait_for_function("sessionStorage.getItem('form-of-text-to-video').includes('whole-cell')")
    page.reload()
    expect(prompt_box(page)).to_have_value("a blue boat")
    unfold(page, "Advanced options")
    for label, value in (("Steps", "7"), ("Frames", "5"), ("Seed", "12")):
        expect(field(page, label)).to_have_value(value)
    expect(page.get_by_label("Frames follow the first frame")).not_to_be_checked()
    expect(page.get_by_label("Warp", exact=True)).to_have_value("Whole cells: sharp, in small jumps")

    note = page.locator(".notes .note").first
    page.locator(".notes").first.evaluate(
        "(notes, word) => { notes.innerHTML = `<div class=note data-kind=hint><p>${word}</p></div>`; }",
        "x" * 1900,
    )
    assert note.bounding_box()["height"] < 300


@needs_browser
def test_a_number_typed_beyond_a_sliders_ends_is_never_drawn_as_another(open_page):
    page = open_page()
    note = page.locator(".notes .note")
    for typed in ("0", "1001"):
        ask(page, "a grey cat", Steps=1)
        field(page, "Frames").fill(typed)
        button(page, "Run").click()
        expect(note).to_contain_text(f"Frames is {typed}; give a whole number from 1 to 1000.")
        expect(note).to_contain_text("under “Advanced options”")
        expect(field(page, "Frames")).to_have_value(typed)
    expect(page.locator(".stage[data-state=idle]")).to_be_visible()
    field(page, "Frames").fill("65")  # the slider ends at 64
    button(page, "Run").click()
    stage(page, "done")
    expect(page.locator(".caption").first).to_contain_text("65 frames")


@needs_browser
def test_a_duplicated_window_gets_a_run_of_its_own_and_a_deleted_video_is_told(open_page, videos):
    page = open_page()
    ask(page, "a green dog", Steps=1, Frames=2)
    button(page, "Run").click()
    stage(page, "done")
    page.reload()  # the same window has the run again
    stage(page, "done")
    with page.expect_popup() as opened:  # it has a copy of the session's storage, as a duplicated window has
        page.evaluate("window.open(location.href)")
    twin = opened.value
    expect(twin.get_by_label("What should the video show?")).to_have_value("a green dog", timeout=PATIENCE_MS)
    expect(twin.locator(".stage[data-state=idle]")).to_be_visible()
    twin.close()

    for path in videos.glob("a-green-dog*.mp4"):
        path.unlink()
    page.reload()
    expect(told(page)).to_contain_text("not among your videos here any more")


@needs_browser
def test_a_form_and_its_page_outlive_a_server_that_is_started_again(browser, family, tmp_path):
    with serving(family, tmp_path) as url:
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector(".stage[data-state=idle]")
        ask(page, "a red car", Steps=1, Frames=2)
        button(page, "Run").click()
        stage(page, "done")
        shown = page.locator(".stage video").get_attribute("src")
    button(page, "Run").click()
    expect(told(page)).to_contain_text("this page comes back by itself")
    assert told(page).count() == 1 and not page.locator(".toast-body:visible").count()
    prompt_box(page).fill("a blue boat")  # while the server is away
    field(page, "Width").fill("96")
    prompt_box(page).press("Enter")
    page.evaluate("window.isOld = true")
    with serving(family, tmp_path, port=int(url.rstrip("/").rpartition(":")[2])):
        page.wait_for_function("!window.isOld")  # Gradio loads the page again by itself
        expect(prompt_box(page)).to_have_value("a blue boat")
        page.wait_for_function(
            "JSON.parse(sessionStorage.getItem('form-of-text-to-video')).some((one) => one == 96)"
        )
        stage(page, "done")
        assert page.locator(".stage video").get_attribute("src") == shown
        expect(page.locator(".notes:visible [role=note]")).to_have_count(0)
        expect(told(page)).to_have_count(0)
        button(page, "Run").click()
        page.wait_for_selector(f".stage[data-state=done] video:not([src='{shown}'])")
        assert page.evaluate("sessionStorage.getItem('typed-of-text-to-video')") is None
        expect(told(page)).to_have_count(0)
    page.close()


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    button(page, "Sign in").click()


@needs_browser
def test_whoever_is_signed_out_by_a_restart_is_told_and_finds_the_form_as_it_was(browser, family, tmp_path):
    asks = ("--auth", "anna:secret")
    with serving(family, tmp_path, more=asks) as url:
        page = browser.new_page()
        page.goto(url)
        sign_in(page, "anna", "secret")
        page.wait_for_selector(".stage[data-state=idle]")
        ask(page, "a red car", Steps=1, Frames=2)
        page.wait_for_function("sessionStorage.getItem('form-of-text-to-video').includes('a red car')")
    with serving(family, tmp_path, port=int(url.rstrip("/").rpartition(":")[2]), more=asks):
        button(page, "Run").click()
        # Gradio may reload a page whose server came back before the answer is there: to the form
        out = told(page).filter(has_text="You are signed out").or_(page.get_by_label("Password"))
        expect(out.first).to_be_visible()
        page.reload()
        sign_in(page, "anna", "secret")
        expect(prompt_box(page)).to_have_value("a red car")
        button(page, "Run").click()
        stage(page, "done")
        expect(told(page)).to_have_count(0)
        page.close()

        page = browser.new_page()
        page.goto(url)
        said = page.get_by_role("alert")
        for number in range(5):
            sign_in(page, "anna", f"guess {number}")
            expect(said).to_have_text("This is not the right name and password. Try again.")
        sign_in(page, "anna", "secret")
        expect(said).to_contain_text("Too many tries to sign in; try again in")
        page.route("**/login", lambda route: route.fulfill(status=502, body="<html>"))
        sign_in(page, "anna", "secret")
        expect(said).to_contain_text("does not answer (502)")
        page.unroute("**/login")
    sign_in(page, "anna", "secret")
    expect(said).to_contain_text("no connection to the server")
    page.close()

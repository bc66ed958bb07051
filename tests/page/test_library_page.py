"""The library in a real browser: a video is found again, repeated, compared, deleted and brought back."""

import re
import time

import pytest
from pages import button, field, needs_browser, serving, unfold
from playwright.sync_api import Page, expect
from shelves import NOON_S, put, put_raw

from t2v.library.results import settings_dict
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings

pytestmark = needs_browser
WIDE = {"viewport": {"width": 1280, "height": 800}}
MANY = 150
NAMELESS = """() => {
    const parts = ['.library-tab', '.library-strip', '.library-dialog'];
    const kinds = ['button', 'a', 'input', 'select', 'img', 'video'];
    const all = parts.flatMap((part) => kinds.map((one) => `${part} ${one}`)).join(', ');
    const isNamed = (one) => one.getAttribute('aria-label') || one.getAttribute('alt') || one.innerText
        || [...(one.labels || [])].some((label) => label.innerText.trim()) || one.querySelector('img[alt]');
    return [...document.querySelectorAll(all)].filter((one) => !isNamed(one)).map((one) => one.outerHTML);
}"""


@pytest.fixture(scope="module")
def server(family, videos):
    (videos / "old").mkdir()
    for number in range(1, MANY):
        put(videos / "old" / f"{number:03}.mp4", f"old number {number}", NOON_S - number)
    settings = CannySettings("street.mp4", "a street at night", seed=9, num_frames=4, fps=8.0)
    put_raw(videos / "followed.mp4", settings_dict(settings), NOON_S + 10)
    with serving(family, videos) as url:
        yield url


@pytest.fixture
def page(open_page) -> Page:
    page = open_page(**WIDE)
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    yield page
    assert page.wrong == []


def library(page: Page) -> None:
    button(page, "All videos").click()
    page.wait_for_selector(".library-tab .video-card")


def cards(page: Page):
    return page.locator(".video-card")


def search_for(page: Page, words: str, count: int) -> None:
    page.get_by_label("Search").fill(words)
    expect(cards(page)).to_have_count(count)


def opened(page: Page, prompt: str):
    page.get_by_role("button", name=f"Open: {prompt}").first.click()
    return page.get_by_role("dialog", name=prompt)


def run(page: Page, prompt: str, **fields) -> None:
    unfold(page, "Advanced options")
    for label, value in {"Steps": 2, "Frames": 3, "Width": 64, "Height": 64, **fields}.items():
        field(page, label).fill(str(value))
    page.get_by_label("What should the video show?").fill(prompt)
    button(page, "Run").click()
    page.wait_for_selector(".stage[data-state=done]")


def test_a_run_is_found_again_used_again_deleted_and_brought_back(page, videos):
    run(page, "a <b>purple</b> whale", Seed=31)
    strip = page.locator(".library-strip img.thumb")
    expect(strip.first).to_have_attribute("alt", "Open: a <b>purple</b> whale")
    strip.first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.library-strip img.thumb').naturalWidth === 64")
    (file,) = videos.glob("*whale*.mp4")

    library(page)
    expect(page.locator(".library-line")).to_contain_text(f"{MANY + 1} videos, ")
    search_for(page, "WHALE purp", 1)
    expect(page.locator(".library-line")).to_have_text(f"1 of {MANY + 1} videos.")
    star = page.get_by_role("button", name="Star: a <b>purple</b> whale")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Search").fill("")
    page.get_by_label("Starred").check()
    expect(cards(page)).to_have_count(1)

    dialog = opened(page, "a <b>purple</b> whale")
    page.wait_for_function("document.querySelector('.library-dialog video')?.readyState >= 3")
    expect(dialog.locator(".settings-list").first).to_contain_text("Seed31")  # what is not as usual
    dialog.get_by_label("with its seed").check()
    dialog.get_by_role("button", name="Use these settings").click()
    expect(page.get_by_role("tab", name="Text to video")).to_have_attribute("aria-selected", "true")
    for label, value in {"Seed": "31", "Steps": "2", "Frames": "3", "Width": "64"}.items():
        expect(field(page, label)).to_have_value(value)
    expect(page.get_by_label("What should the video show?")).to_have_value("a <b>purple</b> whale")

    dialog = opened(page, "a <b>purple</b> whale")
    with page.expect_download() as waiting:
        dialog.get_by_role("link", name="Download").click()
    assert waiting.value.suggested_filename == file.name
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Open: a <b>purple</b> whale")).to_have_count(0)
    assert not file.exists()
    button(page, "Undo").click()
    expect(page.get_by_role("button", name="Open: a <b>purple</b> whale").first).to_be_visible()
    assert file.exists()


def test_settings_of_a_clip_fill_its_tab_and_say_that_the_clip_is_to_be_chosen(page):
    library(page)
    search_for(page, "street", 1)
    dialog = opened(page, "a street at night")
    dialog.get_by_role("button", name="Use these settings").click()
    expect(page.locator(".library-said")).to_contain_text("Its clip “street.mp4” has to be chosen again.")
    expect(page.get_by_role("tab", name="Edges")).to_have_attribute("aria-selected", "true")
    tab = page.locator(".clip-tab:visible")
    expect(tab.locator(".prompt textarea")).to_have_value("a street at night")
    expect(field(tab, "Seed")).to_have_value("")


def test_it_goes_on_from_the_last_frame(page):
    dialog = opened(page, "")
    dialog.get_by_role("button", name="Continue from the last frame").click()
    expect(page.locator(".library-said")).to_contain_text("Its last frame is the first of what you make now.")
    expect(page.locator("img.picture-shown")).to_have_count(1)


def test_again_with_a_new_seed_runs_and_is_followed(page):
    run(page, "a green owl", Seed=32)
    dialog = opened(page, "a green owl")
    dialog.get_by_role("button", name="Again with a new seed").click()
    page.wait_for_function("document.querySelector('[data-seed]:not([data-seed=\"32\"])') !== null")
    page.wait_for_selector(".stage[data-state=done] video")
    expect(page.get_by_role("button", name="Open: a green owl")).to_have_count(2)
    expect(field(page, "Seed")).to_have_value("")


def test_of_hundreds_only_those_in_view_are_on_the_page_and_all_can_be_reached(page):
    library(page)
    page.get_by_label("Search").fill("old number")
    expect(page.locator(".library-line")).to_contain_text(f"{MANY - 1} of ")
    seen: set[str] = set()
    for _ in range(40):
        names = page.locator(".video-card p").all_inner_texts()
        cut = "all => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.innerText)"
        assert page.locator(".video-card span").evaluate_all(cut) == []
        assert len(names) < 70
        seen |= set(names)
        page.mouse.wheel(0, 600)
        time.sleep(0.1)
    assert seen == {f"old number {number}" for number in range(1, MANY)}


def test_two_are_compared_in_step_and_what_differs_is_marked(page):
    library(page)
    search_for(page, "old number 12", 12)
    for number in (0, 1):
        cards(page).nth(number).hover()
        cards(page).nth(number).get_by_role("checkbox").check()
    button(page, "Compare").click()
    dialog = page.get_by_role("dialog", name="Compare 2 videos")
    rows = dialog.locator("tbody tr:visible")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Prompt")
    expect(rows.first).to_contain_text("differs")
    dialog.get_by_label("Only what differs").uncheck()
    assert rows.count() > 10
    page.wait_for_function(
        "() => { const all = [...document.querySelectorAll('.side-by-side video')];"
        " return all.length === 2 && all.every((one) => !one.paused && one.readyState >= 3); }"
    )
    dialog.get_by_role("button", name="Pause").click()
    page.get_by_label("Position").fill("0.5")
    times = page.evaluate(
        "[...document.querySelectorAll('.side-by-side video')].map((one) => one.currentTime)"
    )
    assert times[0] == times[1] == pytest.approx(0.25, abs=0.02)
    page.keyboard.press("Escape")
    button(page, "Clear").click()
    expect(page.get_by_role("button", name="Compare", exact=True)).to_have_count(0)


def test_whoever_compares_can_decide_and_sees_no_noise(page, videos):
    for number, motion in enumerate((-1.272727273, -1.2727272727272727)):
        told = settings_dict(TextToVideoSettings("two seeds of a duel", seed=number, num_frames=4, fps=8.0))
        told |= {"motion_x": motion, "model": f"a/model-{number}", "num_inference_steps": 20 + number}
        put_raw(videos / f"duel{number}.mp4", told, NOON_S + 20 + number)
    library(page)
    search_for(page, "duel", 2)
    for number in (0, 1):
        cards(page).nth(number).locator("button.open").click()
        page.get_by_role("dialog").get_by_role("button", name="Choose to compare").click()
        page.keyboard.press("Escape")
        expect(cards(page).nth(number).get_by_role("checkbox")).to_be_checked()
    bar = page.get_by_role("region", name="Chosen videos")
    page.get_by_role("tab", name="Text to video").click()
    expect(page.locator(".library-strip").get_by_role("region", name="Chosen videos")).to_have_css(
        "position", "static"
    )  # there it covers nothing of the form
    page.get_by_role("tab", name="Library").click()
    expect(bar).to_have_css("position", "fixed")

    bar.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog", name="Compare 2 videos")
    expect(dialog).to_be_visible()
    names = dialog.locator("tbody tr:visible th").all_inner_texts()
    assert [name.split(" ≠")[0] for name in names] == ["Model", "Seed", "Steps"]
    dialog.get_by_label("Only what differs").uncheck()
    same = dialog.locator("tr.same", has_text="Motion to the right")
    expect(same.locator("td")).to_have_text(["-1.27273", "-1.27273"])
    dialog.get_by_role("button", name="Star: Video 1").click()
    expect(dialog.get_by_role("button", name="Star: Video 1")).to_have_text("★ Starred")
    dialog.get_by_role("button", name="Delete: Video 2").click()
    expect(page.get_by_role("dialog", name="two seeds of a duel")).to_be_visible()
    assert len(list(videos.glob("duel*.mp4"))) == 1
    assert page.locator(".library-said button.small").is_disabled()  # a second press there undoes nothing
    button(page, "Undo").click()
    expect(page.get_by_role("dialog", name="Compare 2 videos")).to_be_visible()
    assert len(list(videos.glob("duel*.mp4"))) == 2
    page.set_viewport_size({"width": 390, "height": 844})
    row = page.locator("tr.differs", has_text="Seed")
    values = [row.locator("td").nth(number).bounding_box() for number in (0, 1)]
    head = row.locator("th").bounding_box()
    assert head["y"] < values[0]["y"] == values[1]["y"] and values[1]["x"] + values[1]["width"] <= 390
    page.keyboard.press("Escape")
    for file in videos.glob("duel*.mp4"):
        file.unlink()


def test_twins_have_the_same_settings_and_what_is_told_covers_nothing(page, videos):
    told = settings_dict(TextToVideoSettings("a twin", seed=1, num_frames=4, fps=8.0, t0=600))
    for number in (0, 1):
        put_raw(videos / f"twin{number}.mp4", told, NOON_S + 20 + number)
    library(page)
    page.get_by_label("Search").fill("zebu")
    expect(page.locator(".library-line")).to_have_text("No video has “zebu” in its prompt.")
    search_for(page, "twin", 2)
    cards(page).nth(0).locator("p").click()
    dialog = page.get_by_role("dialog", name="a twin")
    expect(dialog.locator(".settings-list").first).to_contain_text("T′: when the frames part")
    page.keyboard.press("Escape")
    for number in (0, 1):
        cards(page).nth(number).hover()
        cards(page).nth(number).get_by_role("checkbox").check()
    bar, said = page.get_by_role("region", name="Chosen videos"), page.locator(".library-said")
    for size in ({"width": 1280, "height": 800}, {"width": 390, "height": 844}):
        page.set_viewport_size(size)
        page.evaluate("window.t2vLibrary.say('Brought back 1 video.')")
        above, below = said.bounding_box(), bar.bounding_box()
        assert above["y"] + above["height"] <= below["y"]
        expect(said).to_have_css("pointer-events", "none")
        expect(said.get_by_role("button")).to_have_css("pointer-events", "auto")
    bar.get_by_role("button", name="Compare").click()
    compared = page.get_by_role("dialog", name="Compare 2 videos")
    expect(compared.get_by_text("Same settings.")).to_be_visible()
    page.keyboard.press("Escape")
    for file in videos.glob("twin*.mp4"):
        file.unlink()


def test_by_keyboard_alone_from_the_strip_to_the_next_video_and_back(page):
    first = page.locator(".library-strip .open").first
    first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator(".library-dialog[open]")
    expect(dialog).to_be_visible()
    seen = {dialog.locator(".facts-list").inner_text()}
    dialog.get_by_role("button", name="Older").focus()
    for _ in range(2):
        page.keyboard.press("Enter")
        for one in seen:
            expect(dialog.locator(".facts-list")).not_to_have_text(one, use_inner_text=True)
        seen.add(dialog.locator(".facts-list").inner_text())
    expect(dialog.get_by_role("button", name="Older")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.evaluate("document.activeElement.matches('.library-strip .open')")


def test_every_button_has_a_name_every_picture_words_and_every_field_a_label(page):
    library(page)
    dialog = opened(page, "old number 1")
    expect(dialog).to_be_visible()
    dialog.evaluate("one => one.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate(NAMELESS) == []


def test_who_wants_nothing_to_move_sees_stills(open_page):
    page = open_page(**WIDE, reduced_motion="reduce")
    page.wait_for_selector(".library-strip img.thumb[src]")
    still = re.compile(r"-still\.webp$")
    expect(page.locator(".library-strip img.thumb").first).to_have_attribute("src", still)
    button(page, "Play pictures").click()
    expect(page.locator(".library-strip img.thumb").first).not_to_have_attribute("src", still)


def test_a_file_that_is_dropped_into_the_folder_appears(page, videos):
    put(videos / "dropped.mp4", "dropped by hand", NOON_S + 10**7)
    expect(page.get_by_role("button", name="Open: dropped by hand")).to_be_visible()
    (videos / "dropped.mp4").unlink()
    expect(page.get_by_role("button", name="Open: dropped by hand")).to_have_count(0)


def test_a_clean_up_shows_what_goes_before_it_goes(page, videos):
    library(page)
    button(page, "Clean up …").click()
    page.get_by_label("Keep at most (MB)").fill("0")
    dialog = page.get_by_role("dialog", name="Clean up")
    expect(dialog.get_by_role("status")).to_contain_text("would go")
    expect(dialog.get_by_role("listitem").nth(100)).to_be_attached()
    dialog.get_by_role("button", name="Leave everything").click()
    assert len(list(videos.rglob("*.mp4"))) >= MANY


def test_where_one_has_to_sign_in_others_videos_are_not_there(family, tmp_path, browser):
    put(tmp_path / "theirs.mp4", "of somebody else")
    with serving(family, tmp_path, more=("--auth", "anna:secret")) as url:
        context = browser.new_context(**WIDE)
        page = context.new_page()
        page.goto(url)
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill("secret")
        page.keyboard.press("Enter")
        page.wait_for_selector(".stage[data-state=idle]")
        page.get_by_role("tab", name="Library").click()
        expect(page.locator(".library-line")).to_contain_text("No video yet.")
        address = f"{url}gradio_api/file={tmp_path / 'theirs.mp4'}"
        assert page.request.get(address).status == 404
        page.get_by_role("tab", name="Text to video").click()
        run(page, "a car of mine")
        expect(page.get_by_role("button", name="Open: a car of mine").first).to_be_visible()
        assert (tmp_path / "theirs.mp4").exists()
        context.close()

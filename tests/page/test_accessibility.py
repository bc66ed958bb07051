"""axe-core finds nothing serious in any state of the page, in light and in dark."""

from collections.abc import Iterator

import pytest
from clips import grey_steps
from pages import PLAYING, button, drop, field, needs_browser, unfold
from playwright.sync_api import Page, expect

from t2v.video.write import write_video

try:
    from axe_playwright_python.sync_playwright import Axe
except ImportError:  # an environment of before it was asked for
    Axe = None

pytestmark = [needs_browser, pytest.mark.skipif(Axe is None, reason="axe-core is not installed")]

SERIOUS = ("serious", "critical")
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(params=["light", "dark"])
def page(request, open_page) -> Iterator[Page]:
    return open_page(viewport=SIZES["desktop"], color_scheme=request.param)


def found(page: Page) -> list[str]:
    """Each serious finding: the rule, where, and what is wrong there."""
    page.wait_for_timeout(400)  # colours change by and by
    answer = Axe().run(page).response
    return [
        f"{one['id']} at {node['target']}: {node.get('failureSummary', '')}"
        for one in answer["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def ask(page: Page, prompt: str, **fields) -> None:
    for label, value in fields.items():
        field(page, label).fill(str(value))
    page.get_by_label("What should the video show?").fill(prompt)


def test_it_would_be_noticed(page):
    page.evaluate("document.querySelector('.prompt textarea').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('.top p').style.color = '#bbb8'")
    assert any("color-contrast" in one for one in found(page))


def test_the_empty_page_and_all_of_its_folds(page):
    assert found(page) == []
    for fold in ("Try before you make", "Start from a picture", "Draw the motion", "Advanced options"):
        unfold(page, fold)
    page.wait_for_selector(".motion-editor[data-ready] .me-thing option", state="attached")
    button(page, "Keys").click()
    page.locator(".motion-text textarea").fill("0: 0,0 | 7: 25%,0")
    expect(page.locator(".me-key")).to_have_count(2)
    assert found(page) == []
    page.get_by_label("Model", exact=True).click()
    page.wait_for_selector("[role=listbox]")
    assert found(page) == []
    page.keyboard.press("Escape")
    page.locator(".advanced .label-wrap").focus()
    page.keyboard.press("?")
    page.wait_for_selector("dialog.keys-dialog[open]")
    assert found(page) == []


def test_runs_from_refusal_to_result(page, tmp_path):
    unfold(page, "Advanced options")
    ask(page, "a zeppelin on a street", Width=100)
    button(page, "Run").click()
    expect(page.locator(".notes .note[data-kind=error]:visible")).to_contain_text("Width is 100")
    assert found(page) == []
    ask(page, "a zeppelin on a street", Width="", Steps=60)
    expect(page.locator(".notes .note[data-kind=hint]:visible")).to_contain_text("zeppelin")
    page.locator(".notes .note summary:visible").click()
    button(page, "Run").click()
    page.wait_for_selector(".stage .strip")
    ask(page, "a blue boat", Steps=1)
    button(page, "Run").click()
    expect(page.locator(".note[data-by=busy]")).to_contain_text("Added to the queue")
    assert found(page) == []
    button(page, "Stop").first.click()
    # the tab goes on with the next of one's runs, which may have ended already
    page.wait_for_selector(".stage[data-state=stopped], .stage[data-state=done]")
    assert found(page) == []
    button(page, "Run").click()
    page.wait_for_function(PLAYING)
    assert found(page) == []
    ask(page, "a blue boat", Steps=2)
    unfold(page, "Try before you make")
    button(page, "Variations").click()
    page.wait_for_selector(".save-stills")
    assert found(page) == []
    drop(page, write_video(tmp_path / "holiday.mp4", grey_steps(1), 4))
    expect(page.locator(".open-note .note")).to_contain_text("no settings to open")
    assert found(page) == []


def test_the_library_and_its_dialogs(page):
    unfold(page, "Advanced options")
    for prompt in ("a red car", "a blue boat"):
        before = (
            page.locator(".stage video").get_attribute("src") if page.locator(".stage video").count() else ""
        )
        ask(page, prompt, Steps=1, Frames=2)
        button(page, "Run").click()
        page.wait_for_selector(f'.stage video:not([src="{before}"])')
    page.get_by_role("tab", name="Library").click()
    cards = page.locator(".video-card")
    expect(cards.nth(1)).to_be_visible()
    assert found(page) == []
    cards.first.locator(".open").click()
    page.wait_for_selector(".library-dialog[open] .as-usual")
    page.locator(".library-dialog .as-usual summary").click()
    page.locator(".library-dialog .finish summary").click()
    assert found(page) == []
    page.keyboard.press("Escape")
    for number in (0, 1):
        cards.nth(number).hover()
        cards.nth(number).locator(".pick input").check()
    assert found(page) == []
    button(page, "Compare").click()
    page.wait_for_selector(".library-dialog[open] .side-by-side")
    assert found(page) == []
    page.keyboard.press("Escape")
    button(page, "Clean up …").click()
    expect(page.get_by_role("status").filter(has_text="No video has to go")).to_be_visible()
    page.get_by_label("Keep at most (MB)").fill("0")
    expect(page.locator(".library-dialog[open] .going li").first).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 240})  # so low that two videos have to be scrolled
    assert found(page) == []


@pytest.mark.parametrize("tab", ["Pose", "Edges", "Depth", "Instructions"])
def test_the_tabs_with_a_clip(page, tab):
    page.get_by_role("tab", name=tab, exact=True).click()
    page.locator(".clip-tab .run-row:visible").wait_for()
    assert found(page) == []
    page.locator(".clip-examples button:visible").first.click()
    page.locator(".pane[data-state=playing]:visible").first.wait_for()
    unfold(page, "Advanced options")
    assert found(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(open_page, scheme):
    phone = open_page(viewport=SIZES["phone"], has_touch=True, is_mobile=True, color_scheme=scheme)
    assert found(phone) == []
    unfold(phone, "Advanced options")
    assert found(phone) == []

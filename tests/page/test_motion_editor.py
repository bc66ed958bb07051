"""motion_editor: what is drawn becomes text, what is written is sketched, and both survive."""

import re

import numpy as np
import pytest
from pages import PLAYING, button, field, needs_browser, unfold
from playwright.sync_api import Page, expect

from t2v.diffusion.course_text import read_motion
from t2v.diffusion.courses import sampled
from t2v.page.motion_editor import of_motion_editor
from t2v.page.motion_editor.outlines import outlines_data
from t2v.tasks.painted import read_painted
from t2v.video.write import read_settings

TEXTS = (
    "0: 0,0 | 4: 40,-20 x2 90deg | 7: 80,0 x0.5",
    "50%: 10%,10% | 100%: 0,0 | ease | to and fro",
    "2: 20,5 | 3: -8,0 | to and fro",
    "line 0,0 30,0 30,10 0,10 x2 70deg | ease",
    "red car: line 12.5%,0 25%,50% | to and fro",
    "camera: 5: 0,0 x1.5",
)

pytestmark = needs_browser


@pytest.fixture
def page(open_page) -> Page:
    page = open_page(viewport={"width": 1280, "height": 1400})
    unfold(page, "Draw the motion")
    page.wait_for_selector(".motion-editor[data-ready] .me-thing option", state="attached")
    return page


def text_of(page: Page):
    return page.locator(".motion-text textarea")


def painted_of(page: Page) -> str:
    text = page.locator(".painted-text textarea, .painted-text input")
    expect(text).not_to_have_value("")  # it is written when the brush has been lifted
    return text.input_value()


def drag(page: Page, *points) -> None:
    """Draw with the mouse through points in shares of the editor's picture."""
    lines = page.locator(".me-lines")
    lines.scroll_into_view_if_needed()
    box = lines.bounding_box()
    spots = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*spots[0])
    page.mouse.down()
    for spot in spots[1:]:
        page.mouse.move(*spot, steps=6)
    page.mouse.up()


def course_of(page: Page, thing: str | None = None):
    return {part.thing: part.course for part in read_motion(text_of(page).input_value())}[thing]


def test_the_browser_reads_and_places_as_the_program_does(page):
    where = """([text, frames]) => {
        const [part] = window.motionText.read(text, 200, 100);
        return [...Array(frames).keys()].map((now) => window.motionText.at(part, now, frames, 2));
    }"""
    for text in TEXTS:
        (part,) = read_motion(text)
        for frames in (1, 2, 8):
            true = sampled(part.course, frames, 100, 200)
            seen = page.evaluate(where, [text, frames])
            assert np.allclose([[one["x"] * 200, one["y"] * 100] for one in seen], true.places, atol=1e-6), (
                text
            )
            assert np.allclose([one["size"] for one in seen], true.sizes)
            assert np.allclose(np.radians([one["turn"] for one in seen]), true.turns)
    for wrong in ("jump", "7: 1", "5: 1,1 | 3: 2,2", ": 3: 1,1", "150: nan,1"):
        assert page.evaluate("(text) => window.motionText.read(text, 200, 100)", wrong) is None


def test_a_line_that_is_drawn_becomes_text_and_one_that_is_written_is_drawn(page):
    drag(page, (0.3, 0.6), (0.5, 0.4), (0.7, 0.6))
    line = course_of(page)
    assert line.is_line and line.in_picture
    assert (line.keys[-1].x, line.keys[-1].y) == (pytest.approx(0.4, abs=0.01), pytest.approx(0, abs=0.01))
    assert min(key.y for key in line.keys) == pytest.approx(-0.2, abs=0.02)
    page.get_by_label("To and fro").check()
    assert course_of(page).loop and not course_of(page).ease
    text_of(page).fill("0: 0,0 | 7: 25%,0")
    expect(page.locator(".me-key")).to_have_count(2)
    expect(page.get_by_label("To and fro")).not_to_be_checked()
    text_of(page).fill("0: 0,0 | 7: ")
    expect(page.locator(".me-help")).to_contain_text("cannot be read")
    button(page, "Clear").click()
    expect(text_of(page)).to_have_value("")


def test_keys_are_set_moved_sized_and_removed(page):
    text_of(page).fill("line 0,0 10%,0 | ease")
    expect(page.locator(".me-ease")).to_be_checked()
    button(page, "Keys").click()
    drag(page, (0.75, 0.45), (0.8, 0.5))
    course = course_of(page)
    assert not course.is_line and [key.at for key in course.keys] == [0, 7] and course.ease
    assert (course.keys[1].x, course.keys[1].y) == (pytest.approx(0.3, abs=0.01), pytest.approx(0, abs=0.01))
    page.locator(".me-size").fill("1.5")
    page.locator(".me-frame").fill("4")
    page.locator(".me-turn").fill("20")
    course = course_of(page)
    assert [key.at for key in course.keys] == [0, 4, 7] and course.keys[2].size == 1.5
    assert course.keys[1].turn == 20 and 1 < course.keys[1].size < 1.5
    button(page, "Remove key").click()
    assert [key.at for key in course_of(page).keys] == [0, 7]


def test_a_subject_is_painted_and_then_it_is_what_moves(page):
    button(page, "Brush").click()
    drag(page, (0.3, 0.5), (0.6, 0.5))
    (mask,) = read_painted(painted_of(page))
    assert mask.shape == (64, 64) and mask[32, 20:38].all() and not mask[:24].any()
    expect(page.get_by_label("The subject")).to_be_checked()
    button(page, "Eraser").click()
    drag(page, (0.3, 0.5), (0.4, 0.5))
    (less,) = read_painted(painted_of(page))
    assert not less[32, 20:24].any() and less[32, 32:38].all()
    again = page.evaluate(
        "(text) => window.motionText.writeMask(window.motionText.readMask(text))", painted_of(page)
    )
    assert again == painted_of(page)


def test_nothing_moves_under_somebody_who_draws(page):
    lines = page.locator(".me-lines")
    lines.scroll_into_view_if_needed()
    box = lines.bounding_box()
    text_of(page).fill("line 0,0 10%,0")
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    before = lines.bounding_box()
    page.wait_for_timeout(1500)
    assert lines.bounding_box() == before
    page.mouse.up()
    expect(page.get_by_role("button", name="Take out a drawn motion")).to_be_visible()


def test_another_subject_has_a_course_and_a_mask_of_its_own(page):
    page.get_by_label("The subject").check()
    drag(page, (0.3, 0.6), (0.5, 0.6))
    expect(page.get_by_role("button", name="Take out a drawn motion")).to_be_visible()  # it moves the editor
    page.get_by_label("Another subject").fill("blue ball")
    button(page, "Add").click()
    drag(page, (0.7, 0.3), (0.7, 0.6))
    button(page, "Brush").click()
    drag(page, (0.7, 0.3), (0.72, 0.3))
    assert course_of(page, "blue ball").keys[-1].y == pytest.approx(0.3, abs=0.01)
    assert course_of(page).keys[-1].x == pytest.approx(0.2, abs=0.01)
    painted = page.locator(".painted-text textarea, .painted-text input")
    expect(painted).to_have_value(re.compile(";"))  # one for each of the two
    nothing, ball = read_painted(painted_of(page))
    assert nothing is None and ball[19, 45]
    page.get_by_label("What the drawing is of").select_option("")
    button(page, "Clear").click()
    assert (
        text_of(page).input_value().startswith("blue ball: line")
        and read_painted(painted_of(page))[0] is not None
    )


def test_the_sketch_moves_unless_people_want_no_motion(page, open_page):
    text_of(page).fill("0: 0,0 | 7: 40%,0")
    mover = ".motion-editor .me-mover"
    before = page.locator(mover).get_attribute("transform")
    page.wait_for_function(f"document.querySelector('{mover}').getAttribute('transform') != '{before}'")
    calm = open_page(reduced_motion="reduce")
    unfold(calm, "Draw the motion")
    expect(button(calm, "Play")).to_have_attribute("aria-pressed", "false")


def test_a_drawn_motion_is_run_kept_and_shown_on_its_first_frame(page, videos):
    page.get_by_label("What should the video show?").fill("a red car on the street")
    button(page, "Brush").click()
    drag(page, (0.3, 0.7), (0.6, 0.7))
    button(page, "Path").click()
    drag(page, (0.3, 0.7), (0.5, 0.7))
    unfold(page, "Advanced options")
    for label, value in (("Steps", 3), ("Frames", 3), ("Seed", 7)):
        field(page, label).fill(str(value))
    text, painted = text_of(page).input_value(), painted_of(page)
    button(page, "Run").click()
    page.wait_for_function(PLAYING)
    page.wait_for_function("document.querySelector('.me-back').width == 256")
    expect(page.locator(".me-found")).to_have_count(1)
    page.get_by_label("Outline").uncheck()
    expect(page.locator(".me-found")).to_have_count(0)
    (file,) = videos.glob("a-red-car*.mp4")
    settings = read_settings(file)
    assert (settings["motion"], settings["painted"], settings["move"]) == (text, painted, "subject")
    page.reload()
    unfold(page, "Draw the motion")
    expect(text_of(page)).to_have_value(text)
    expect(page.locator(".me-way")).to_have_count(1)
    assert painted_of(page) == painted


def test_its_files_are_there_and_outlines_are_told_in_shares():
    style, scripts = of_motion_editor()
    assert style.exists() and all(script.read_text().startswith("() => {") for script in scripts)
    one = np.array([[[0.25, 0.5], [1 / 3, 0]], [[0, 0], [0, 0]]])
    assert outlines_data((one,)) == ' data-outlines="[[[0.25,0.5],[0.333,0.0]]]"' and outlines_data(()) == ""


def test_a_path_keeps_the_seed_of_the_picture_that_it_was_drawn_on(page):
    page.get_by_label("What should the video show?").fill("a red car on a street")
    unfold(page, "Advanced options")
    field(page, "Steps").fill("2")
    drag(page, (0.3, 0.6), (0.7, 0.6))
    expect(field(page, "Seed")).to_have_value("")  # there is no picture yet
    button(page, "Clear").click()
    button(page, "First frame").click()
    page.wait_for_selector(".still img")
    expect(page.locator(".facts [data-seed]")).to_be_visible()
    seed = page.locator(".facts [data-seed]").inner_text()
    page.wait_for_function("document.querySelector('.me-back').width === 256")  # which is what is drawn on
    expect(page.locator(".me-help")).not_to_contain_text("another prompt")
    drag(page, (0.3, 0.6), (0.7, 0.6))
    expect(field(page, "Seed")).to_have_value(seed)
    expect(page.locator(".me-kept")).to_have_text(
        f"Seed {seed} is kept, so that the video is of this picture."
    )
    page.get_by_label("What should the video show?").fill("a house at night")
    expect(page.locator(".me-help")).to_contain_text("The picture is of another prompt; First frame shows")


def test_a_subject_that_a_first_frame_has_found_is_what_is_sketched(page):
    page.get_by_label("What should the video show?").fill("a red car on a street")
    page.get_by_label("The subject").check()
    expect(page.locator(".me-help")).to_contain_text("The box is a guess")  # before anything is drawn
    guess = page.locator(".me-mover").get_attribute("points")
    unfold(page, "Advanced options")
    field(page, "Steps").fill("6")
    button(page, "First frame").click()
    page.wait_for_selector(".still[data-outlines]")
    expect(page.locator(".me-help")).not_to_contain_text("guess")
    expect(page.locator(".me-mover")).not_to_have_attribute("points", guess)
    expect(page.locator(".me-found")).to_have_count(1)

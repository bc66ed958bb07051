"""The whole app: a server of its own, a real browser, the bundled model, and programs at its endpoint."""

import json
import re
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from pages import PLAYING, Windows, button, fetched, field, needs_browser, serving, unfold
from playwright.sync_api import Page, expect

from t2v.video.video import read_video
from t2v.video.write import read_settings

MODEL = "miniature"
ENDPOINT = "/text_to_video"
STEPS = "num_inference_steps"
LONG = 150  # steps of a run that is meant to be found under way


@pytest.fixture(scope="module")
def server(videos):
    with serving(MODEL, videos) as url:
        yield url


@pytest.fixture
def page(open_page) -> Page:
    return open_page(viewport={"width": 1280, "height": 800})


def prompt_box(page: Page):
    return page.get_by_label("What should the video show?")


def ask(page: Page, prompt: str, **fields) -> None:
    """Fills the form; fields of the advanced options by their labels."""
    if fields and not field(page, "Steps").is_visible():
        unfold(page, "Advanced options")
    for label, value in fields.items():
        field(page, label).fill(str(value))
    prompt_box(page).fill(prompt)


def stage(page: Page, state: str) -> None:
    page.wait_for_selector(f".stage[data-state={state}]")


def used_seed(page: Page) -> int:
    return int(page.locator("[data-seed]").inner_text())


def test_the_terminal_shows_our_lines_and_the_address_and_no_librarys(server, videos):
    until = time.monotonic() + 60
    lines = []
    while not ("Model ready" in " ".join(lines) and server.rstrip("/") in " ".join(lines)):
        assert time.monotonic() < until, f"no address or no model in {lines}"
        time.sleep(0.1)
        lines = (videos / "log.txt").read_text().splitlines()
    ours = re.compile(r"\* |\d{4}-\d\d-\d\d .* (INFO|WARNING) ")
    assert [line for line in lines if line and not ours.match(line)] == []


@needs_browser
def test_a_sentence_becomes_a_playing_video_and_nothing_leaves_the_machine(open_page, server, videos):
    page = open_page(viewport={"width": 1280, "height": 800})
    elsewhere = []
    page.on("request", lambda request: elsewhere.append(request.url))
    page.reload()
    page.wait_for_selector(".stage[data-state=idle]")
    ask(page, "a red car on a street", Steps=50)  # the usual ones are over before a look at them
    place = page.locator(".stage").bounding_box()

    prompt_box(page).press("Enter")
    strip = page.wait_for_selector(".stage .strip")
    assert strip.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    expect(button(page, "Add to queue")).to_be_enabled()
    expect(page.locator(".status p")).to_contain_text("Step")
    expect(page.locator(".status p")).to_contain_text("left")

    page.wait_for_function(PLAYING)
    before = page.evaluate("document.querySelector('.stage video').currentTime")
    page.wait_for_function(f"document.querySelector('.stage video').currentTime != {before}")
    assert page.evaluate("document.querySelector('.stage video').loop")
    assert page.locator(".stage").bounding_box() == place
    expect(button(page, "Run")).to_be_enabled()
    expect(button(page, "Stop")).to_be_disabled()
    assert page.locator(".note").count() == 0

    path = fetched(page, videos)
    assert read_settings(path)["seed"] == used_seed(page)
    assert read_video(path).frames.shape == (8, 256, 256, 3)
    strangers = [url for url in elsewhere if not url.startswith((server, "data:", "blob:"))]
    assert strangers == []


@needs_browser
def test_the_seed_is_random_and_can_be_used_again(page, videos):
    clips, seeds, shown = [], [], ""
    for again in (False, False, True):
        ask(page, "a blue boat", Steps=2, Frames=2)
        if again:
            button(page, "Use this seed").click()
            expect(field(page, "Seed")).to_have_value(str(seeds[-1]))
        button(page, "Run").click()
        page.wait_for_selector(f'.stage video:not([src="{shown}"])')
        shown = page.locator(".stage video").get_attribute("src")
        clips.append(read_video(fetched(page, videos)).frames)
        seeds.append(used_seed(page))
    assert seeds[0] != seeds[1] == seeds[2]
    assert not np.array_equal(clips[0], clips[1])
    assert np.array_equal(clips[1], clips[2])


@needs_browser
def test_stop_ends_the_run_and_the_next_one_works(page):
    ask(page, "a red car on a street", Steps=LONG)
    button(page, "Run").click()
    page.wait_for_selector(".stage .strip")
    button(page, "Stop").click()
    stage(page, "stopped")
    expect(page.locator(".status p")).to_contain_text("Stopped after step")
    ask(page, "a red car on a street", Steps=1, Frames=2)
    button(page, "Run").click()
    page.wait_for_function(PLAYING)


@needs_browser
def test_a_page_reloaded_in_the_middle_finds_its_run_and_its_form_again(page):
    ask(page, "a blue boat", Steps=LONG)
    button(page, "Run").click()
    page.wait_for_selector(".stage .strip")
    seed = used_seed(page)
    page.reload()
    stage(page, "running")
    assert used_seed(page) == seed
    expect(prompt_box(page)).to_have_value("a blue boat")
    unfold(page, "Advanced options")
    expect(field(page, "Steps")).to_have_value(str(LONG))
    button(page, "Stop").click()
    stage(page, "stopped")


@needs_browser
def test_a_run_that_the_server_has_forgotten_is_told_and_the_page_is_usable(page):
    page.evaluate("sessionStorage.setItem('run-of-text-to-video', '0123456789')")
    page.reload()
    expect(page.locator(".note[data-kind=hint]")).to_contain_text("not known any more")
    expect(button(page, "Run")).to_be_enabled()


@needs_browser
def test_two_windows_take_turns_and_stop_only_their_own(open_page):
    first, second = open_page(), open_page()
    ask(first, "a red car on a street", Steps=LONG)
    button(first, "Run").click()
    first.wait_for_selector(".stage .strip")
    ask(second, "a blue boat", Steps=2, Frames=2)
    button(second, "Run").click()
    expect(second.locator(".status p")).to_have_text("In the queue: 1 of your runs comes first.")
    stage(first, "running")
    button(first, "Stop").click()
    drawn = first.locator(".runs li[data-state=running]", has_text="a red car on a street")
    expect(drawn).to_have_count(0)  # the stage goes on with the next of one's runs
    second.wait_for_function(PLAYING)
    assert "blue-boat" in second.locator(".stage video").get_attribute("src")


@needs_browser
def test_errors_stand_in_the_page(page):
    error = page.locator(".note[data-kind=error]")
    ask(page, " ")
    button(page, "Run").click()
    expect(error).to_have_text("Prompt is empty; write what the video should show.")
    ask(page, "a red car", Width=100)
    button(page, "Run").click()
    expect(error).to_contain_text("Width is 100; give a multiple of 8 from 64 to 2048.")
    ask(page, "a red car", Width="")
    expect(error).to_have_count(0)  # gone with its cause
    ask(page, "a red car", Guidance="much")
    button(page, "Run").click()
    expect(error).to_contain_text("Guidance is 'much'; give a number")
    ask(page, "a red car", Guidance="")
    page.get_by_label("Model", exact=True).fill("no-one/no-model")
    page.get_by_label("Model", exact=True).press("Enter")
    button(page, "Run").click()
    stage(page, "failed")
    expect(error).to_contain_text("no-one/no-model")
    button(page, "Run").click()
    expect(error).to_have_count(1)
    for colour in (
        "blue",
        "green",
        "pink",
    ):  # the second run may fail after the first change, and say so again
        prompt_box(page).fill(f"a {colour} car")
        page.wait_for_timeout(2000)
    expect(error).to_have_count(0)


@needs_browser
def test_words_that_the_miniature_does_not_know_are_named(page):
    ask(page, "a zeppelin on a street", Steps=1, Frames=2)
    button(page, "Run").click()
    note = page.locator(".note[data-kind=hint]")
    expect(note).to_contain_text("“zeppelin”")
    expect(note).not_to_contain_text("“street”")
    expect(note).to_contain_text("car")
    expect(note).to_contain_text("Stable Diffusion")
    stage(page, "done")
    expect(note).to_be_visible()


@needs_browser
def test_examples_fill_the_form_and_a_phone_needs_no_sideways_scrolling(open_page):
    phone = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    example = phone.locator("#prompt-examples button").first
    example.click()
    expect(prompt_box(phone)).to_have_value(example.inner_text().strip())
    unfold(phone, "Advanced options")
    expect(field(phone, "Steps")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.fixture(scope="module")
def client(server) -> Client:
    return Client(server, verbose=False)


def test_the_browser_is_told_to_load_nothing_from_elsewhere(server):
    with urllib.request.urlopen(server, timeout=30) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self' ")


def test_programs_get_their_file(client):
    path = client.predict(
        "a red car on a street", model=MODEL, seed=0, num_frames=2, num_inference_steps=1, api_name=ENDPOINT
    )
    assert read_video(path).frames.shape == (2, 256, 256, 3)
    settings = read_settings(path)
    assert (settings["prompt"], settings["seed"], settings["num_frames"]) == ("a red car on a street", 0, 2)


@pytest.mark.parametrize(
    ("sentence", "values"),
    [
        ("prompt has 1000000 characters", {"prompt": "x" * 1_000_000}),
        ("prompt is \\['a'\\]; give a text", {"prompt": ["a"]}),
        ("fps is 1e\\+308; give a number", {"fps": 1e308}),
        ("num_frames is '8'; give a whole number", {"num_frames": "8"}),
        ("num_frames is 1000000", {"num_frames": 1_000_000}),
        ("width is 100; give a multiple of 8", {"width": 100}),
        ("guidance_scale is True; give a number", {"guidance_scale": True}),
        ("motion_field is 'yes'; give true or false", {"motion_field": "yes"}),
        ("scheduler is .*; choose one of ddim", {"scheduler": {"a": 1}}),
        ("num_frames x width x height", {"num_frames": 1000, "width": 2048, "height": 2048, STEPS: 9}),
    ],
)
def test_what_the_page_would_not_allow_is_refused_all_the_same(client, sentence, values):
    with pytest.raises(AppError, match=sentence):
        client.predict(**{"prompt": "a red car", **values}, api_name=ENDPOINT)


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_numbers_that_json_does_not_have_are_refused(server, client, number):
    endpoint = client.view_api(return_format="dict")["named_endpoints"][ENDPOINT]
    names = [parameter["parameter_name"] for parameter in endpoint["parameters"]]
    values = ", ".join({"prompt": '"a red car"', "fps": number}.get(name, "null") for name in names)
    call = f"{server}gradio_api/call/text_to_video"
    body = f'{{"data": [{values}]}}'.encode()
    request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(request, timeout=30)
    sentence = json.load(answer.value)["detail"]
    assert answer.value.code == 400 and "fps is" in sentence and "give a number from" in sentence


@needs_browser
def test_the_end_of_the_app_ends_its_run_and_nothing_else_is_said(browser, tmp_path):
    with serving(MODEL, tmp_path) as url:
        page = Windows(url, browser)()
        ask(page, "a red car", Steps=LONG)
        button(page, "Run").click()
        stage(page, "running")
    log = (tmp_path / "log.txt").read_text()
    page.context.close()
    assert re.search(r" INFO t2v.jobs.queue: Run \w+ stopped after [\d.]+ s\n.* Ended\.\n$", log), log
    assert list(tmp_path.glob("*.mp4")) == []

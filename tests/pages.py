"""The app as people meet it: a server of its own, a real browser, and the parts of its page."""

import base64
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_MS = 60_000
PLAYING = """() => {
    const video = document.querySelector('.stage video');
    return video && video.readyState >= 3 && !video.paused;
}"""

DROP = """([name, data, on]) => {
    const files = new DataTransfer();
    files.items.add(new File([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], name));
    for (const kind of ['dragenter', 'dragover', 'drop']) {
        const told = { bubbles: true, cancelable: true, dataTransfer: files };
        document.querySelector(on).dispatchEvent(new DragEvent(kind, told));
    }
}"""

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@contextlib.contextmanager
def serving(
    model: str,
    videos: Path,
    folder: Path = ROOT,
    file: str = "app.py",
    port: int | None = None,
    more: tuple[str, ...] = (),
    hub: str | None = None,
) -> Iterator[str]:
    """The address of the app, started as people start it, offline; folder: of which checkout; more: flags.

    hub: the address of one that answers.
    """
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    command = [sys.executable, file, "--port", str(port), "--model", model, "--output", str(videos), *more]
    if "--models" not in more:
        command += ["--models", str(videos.with_name(f"{videos.name}-models"))]
    log = (videos / "log.txt").open("w")
    # uploads of a test go where the test's own files are
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "GRADIO_TEMP_DIR": str(videos / "uploads")}
    if hub is not None:
        environment |= {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub, "HF_HOME": str(videos / "hub")}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(1800):  # a busy machine takes more than a minute
            assert process.poll() is None, (videos / "log.txt").read_text()
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(60)
        log.close()


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


class Windows:
    """Opens pages, each in a browser session of its own, and leaves no run behind."""

    def __init__(self, server: str, browser: Browser):
        self._server, self._browser = server, browser
        self._contexts = []

    def __call__(self, **options) -> Page:
        self._contexts.append(self._browser.new_context(**options))
        page = self._contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(self._server)
        page.wait_for_selector(".stage[data-state=idle]")
        return page

    def close(self) -> None:
        for context in self._contexts:
            for page in context.pages:
                stop = page.locator(".run-row button.stop:visible")
                if stop.count() and stop.is_enabled():  # what outlives its test keeps others waiting
                    stop.click()
                    expect(stop).to_be_disabled(timeout=PATIENCE_MS)
            context.close()


def button(page: Page, name: str):
    """A button by its name; the one that runs, whatever stands on it while runs are under way."""
    if name == "Run":
        return page.get_by_role("button", name=re.compile("^(Run|Add to queue)$"))
    return page.get_by_role("button", name=name, exact=True)


def field(page: Page, label: str):
    """A field by its label; Gradio puts the hint into the label element too, and names sliders its way."""
    slider = page.get_by_label(f"number input for {label}", exact=True)
    if slider.count():
        return slider
    whole = getattr(page, "page", page)  # of a part of a page
    return page.locator("label", has=whole.get_by_text(label, exact=True)).locator("input, textarea")


# Gradio fills in what a fold holds one frame after it was unfolded: what was typed before that is gone
FILLED_IN = """() => new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
})"""


def unfold(place: Page | Locator, name: str) -> None:
    """Opens or closes a fold of the form, and waits until its fields can be filled in."""
    place.get_by_text(name).locator("visible=true").first.click()
    getattr(place, "page", place).evaluate(FILLED_IN)


def drop(page: Page, path: Path, on: str = "body") -> None:
    """Lets go of a file above a part of the page, as with a mouse."""
    data = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(DROP, [path.name, data, on])


def fetched(page: Page, videos: Path) -> Path:
    """The video as the page's download link gives it."""
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download video").click()
    target = videos / f"fetched-{waiting.value.suggested_filename}"
    waiting.value.save_as(target)
    return target


def opened(page: Page, name: str) -> Locator:
    """The part of the page that is the tab of a task with a clip."""
    page.get_by_role("tab", name=name, exact=True).click()
    return page.locator(".clip-tab:visible")


def upload(tab: Locator, file: str) -> None:
    """Choose a clip on such a tab."""
    tab.locator("input[type=file]").set_input_files(file)

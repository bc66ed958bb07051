"""Takes docs/page.png, the README's picture of the page with a finished video: ``python docs/page.py``.

Serves the app on a free port, runs a prompt in a headless Chromium and ends the app again. Needs what the
browser tests need: playwright, and a Chromium on the path.
"""

import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "page.png"
PROMPT, SEED = "a red car on a street", 7
WINDOW = {"width": 1280, "height": 800}
PATIENCE_S = 120  # for the app to start, and for the run
SHOWN_AT_S = 1.2  # of the video: the car has moved, and is whole


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The app's address, while it is served; its videos go with it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "app.py", "--port", str(port), "--output", folder]
        app = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "HF_HUB_OFFLINE": "1"})
        try:
            wait_for(app, address)
            yield address
        finally:
            app.send_signal(signal.SIGTERM)
            app.wait(PATIENCE_S)


def wait_for(app: subprocess.Popen, address: str) -> None:
    """Until the address answers; RuntimeError where the app ends before, or takes too long."""
    until = time.monotonic() + PATIENCE_S
    while app.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the app did not start; python app.py says why")


def run(page: Page, address: str) -> None:
    """Run the prompt, wait until its video plays, and hold it still at a moment that is always the same."""
    page.goto(address)
    page.get_by_label("What should the video show?").first.fill(PROMPT)
    page.get_by_label("Seed").first.fill(str(SEED))
    page.get_by_role("button", name="Run").first.click()
    video = page.locator('.stage[data-state="done"] video').first
    video.wait_for(timeout=1000 * PATIENCE_S)
    page.wait_for_function("() => document.querySelector('.stage video').currentTime > 0")
    video.evaluate(
        """(video, at) => new Promise((done) => {
            video.pause(); video.controls = false; video.onseeked = done; video.currentTime = at; })""",
        SHOWN_AT_S,
    )
    page.mouse.move(0, 0)
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
    page.wait_for_timeout(500)  # for the last things that fade


def main() -> None:
    """Serve, run, take the picture, write it."""
    flags = ["--no-sandbox", "--disable-gpu"]
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page(viewport=WINDOW)
        run(page, address)
        picture = page.screenshot()
        browser.close()
    Image.open(io.BytesIO(picture)).convert("RGB").save(TARGET, optimize=True)


if __name__ == "__main__":
    main()

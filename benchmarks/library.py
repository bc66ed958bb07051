"""The library with thousands of videos: the first look, searching, and the page in a browser.

python -m benchmarks.library [--videos 2000]: files as runs leave them, in a temporary folder; needs Chromium.
"""

import argparse
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from t2v.library.index import INDEX, Library
from t2v.library.look_inside import videos_in
from t2v.library.results import settings_dict
from t2v.library.search import Query, overview, search
from t2v.library.thumbs import Thumbs
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.write import write_video

WORDS = (
    *("red", "blue", "green", "yellow", "pink", "car", "boat", "dog", "cat", "horse", "rocket", "house"),
    *("street", "sea", "snow", "night", "beach", "forest"),
)
SEARCHES = ("red", "a blue boat at night", "ocket", "nothing fits this")
MB = 2**20
ROOT = Path(__file__).resolve().parent.parent


def make(folder: Path, count: int) -> None:
    """So many videos of 8 frames of 256x256, with prompts and bytes of their own."""
    chance = random.Random(0)
    frames = np.zeros((8, 256, 256, 3), np.uint8)
    for number in range(8):
        frames[number, 80:160, 16 * number : 16 * number + 80] = 200
    first = write_video(folder / "0.mp4", frames, 8, _settings("0", 0)).read_bytes()
    for number in range(1, count):
        prompt = f"a {' '.join(chance.sample(WORDS, 6))} {number}"
        # the same pictures under other settings of the same length: boxes keep their sizes
        data = first.replace(_padded("0"), _padded(prompt)).replace(
            b'"seed": 1000000', b'"seed": %d' % (10**6 + number)
        )
        (folder / f"{number}.mp4").write_bytes(data)


def _padded(prompt: str) -> bytes:
    return prompt.ljust(80).encode("ascii")


def _settings(prompt: str, number: int) -> dict[str, object]:
    asked = TextToVideoSettings(_padded(prompt).decode("ascii"), seed=10**6 + number, num_frames=8, fps=8.0)
    return settings_dict(asked)


def took_ms(work: Callable[[], object], times: int = 20) -> float:
    """The middle of some runs, in milliseconds."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - started))
    return statistics.median(found)


def measure_index(folder: Path) -> None:
    library = Library(folder)
    started = time.perf_counter()
    library.scan()
    print(f"first scan: {time.perf_counter() - started:.1f} s")
    print(f"scan where nothing changed: {took_ms(library.scan, 5):.0f} ms")
    for words in SEARCHES:
        look = partial(search, library, Query(words=words))
        print(f"search {words!r}: {took_ms(look):.1f} ms, {look().total} found")
    print(f"last page of all: {took_ms(lambda: search(library, Query(), 1900)):.1f} ms")
    print(f"overview: {took_ms(lambda: overview(library)):.1f} ms")
    thumbs, entry = Thumbs(library), search(library, Query()).videos[0]
    print(f"one thumbnail: {took_ms(lambda: thumbs.make(entry), 5):.0f} ms", end=", ")
    print(f"{thumbs.path(entry.fingerprint).stat().st_size / 1000:.0f} kB")
    library.close()
    size = sum(
        (folder / (INDEX + ending)).stat().st_size
        for ending in ("", "-wal")
        if (folder / (INDEX + ending)).exists()
    )
    print(f"index: {size / MB:.1f} MB")


@contextmanager
def serving(folder: Path, program: Path = ROOT) -> Iterator[str]:
    """The app of a checkout, its videos in ``folder``: where it answers."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--port", str(port), "--output", str(folder)]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=program)
        url = f"http://127.0.0.1:{port}/"
        try:
            while process.poll() is None:
                try:
                    urllib.request.urlopen(url, timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def browsing() -> Iterator[Page]:
    """A new page of 1280x800 in Chromium without a window."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page(viewport={"width": 1280, "height": 800})
        browser.close()


def memory(page: Page) -> str:
    """What the page takes once its rubbish is gone: scripts, elements, and on Linux its whole process."""
    client = page.context.new_cdp_session(page)
    client.send("HeapProfiler.collectGarbage")
    used = client.send("Runtime.getHeapUsage")["usedSize"] / MB
    elements = page.evaluate("document.querySelectorAll('*').length")
    assert page.context.browser is not None  # it was opened here
    about = page.context.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    kilobytes = []
    for process in about["processInfo"]:
        status = Path(f"/proc/{process['id']}/status")
        if process["type"] == "renderer" and status.exists():
            found = re.search(r"^VmRSS:\s+(\d+)", status.read_text(), re.MULTILINE)
            kilobytes.append(0 if found is None else int(found[1]))
    return f"{used:.0f} MB of scripts, {elements} elements, {max(kilobytes, default=0) / 1024:.0f} MB in all"


def measure_page(folder: Path, count: int) -> None:
    with serving(folder) as url, browsing() as page:
        for number in range(6):
            started = time.perf_counter()
            page.goto(url)
            page.wait_for_selector(".stage[data-state=idle]")
            form_s = time.perf_counter() - started
            page.wait_for_selector(".library-strip .open")
            strip_s = time.perf_counter() - started
            print(
                f"visit {number + 1}: the form is there after {form_s:.2f} s, the strip after {strip_s:.2f} s"
            )
        started = time.perf_counter()
        page.get_by_role("button", name="All videos").click()
        page.wait_for_selector(".video-card")
        print(f"tab Library: videos there after {time.perf_counter() - started:.2f} s")
        started = time.perf_counter()
        page.get_by_label("Search").fill("rocket")
        page.wait_for_function(
            f"/ of {count:,} videos/.test(document.querySelector('.library-line').textContent)"
        )
        print(f"search as typed: told after {time.perf_counter() - started:.2f} s")
        page.get_by_label("Search").fill("")
        page.wait_for_function(
            f"/^{count:,} videos/.test(document.querySelector('.library-line').textContent)"
        )
        time.sleep(3)
        print(f"before scrolling: {memory(page)}")
        for _ in range(2):
            _scroll(page)
            print(f"scrolled through all: {memory(page)}")


def _scroll(page: Page) -> None:
    """From top to bottom, a window at a time, and how long the frames took meanwhile."""
    gaps = page.evaluate("""async () => {
        const gaps = [];
        let last = performance.now();
        let isOn = true;
        const tick = (now) => { gaps.push(now - last); last = now; if (isOn) requestAnimationFrame(tick); };
        requestAnimationFrame(tick);
        const end = document.documentElement.scrollHeight;
        for (let top = 0; top < end; top += 160) {
            scrollTo(0, top);
            await new Promise((done) => setTimeout(done, 16));
        }
        isOn = false;
        return gaps.sort((a, b) => a - b);
    }""")
    middle, late = gaps[len(gaps) // 2], gaps[int(len(gaps) * 0.95)]
    print(f"scrolling: a frame each {middle:.0f} ms, 95 % within {late:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=2000)
    parser.add_argument("--no-page", action="store_true", help="the index alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make(folder, options.videos)
        assert sum(1 for _ in videos_in(folder)) == options.videos
        measure_index(folder)
        if not options.no_page:
            measure_page(folder, options.videos)


if __name__ == "__main__":
    main()

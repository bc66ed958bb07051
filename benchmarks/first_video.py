"""The first video: ``python -m benchmarks.first_video [--beside FOLDER] [--runs 5] [--model NAME]``.

How long the bundled model takes from the command to the file, and in the page from the first click to a video
that plays. FOLDER is another checkout, as of an older commit: both take turns in one run, as cores are noisy.
"""

import argparse
import logging
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.library import ROOT, browsing, serving

log = logging.getLogger(__name__)

PROMPT, SEED = "a red car on a street", 7
MOST_S = 300
READS_MS = 5000  # somebody reads and chooses; what the app gets ready meanwhile is ready
RUN = re.compile("^(Run|Generate)")
PLAYS = "() => [...document.querySelectorAll('video')].some((v) => v.readyState > 2 && v.currentTime > 0)"


def whole_process(program: Path, folder: Path, model: str | None) -> float:
    """Seconds from the command to the file."""
    given = ["text-to-video", PROMPT, "--seed", str(SEED), "--output", str(folder / "first.mp4")]
    named = [] if model is None else ["--model", model]
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "generate.py", *given, *named], cwd=program, check=True, capture_output=True
    )
    seconds = time.perf_counter() - began
    (folder / "first.mp4").unlink()
    return seconds


def click_to_playing(program: Path, folder: Path, model: str | None) -> float:
    """Seconds from the first click of a page just opened, in an app just started, to a video that plays."""
    with serving(folder, program) as url, browsing() as page:
        page.goto(url)
        run = page.get_by_role("button", name=RUN).first
        run.wait_for()
        if model is not None:
            _choose(page, model)
        page.get_by_role("textbox").first.fill(PROMPT)
        page.wait_for_timeout(READS_MS)
        began = time.perf_counter()
        run.click()
        page.wait_for_function(PLAYS, timeout=1000 * MOST_S)
        return time.perf_counter() - began


def _choose(page: Page, model: str) -> None:
    box = page.get_by_label("Model").first
    box.fill(model)
    box.press("Enter")


def told(name: str, seconds: dict[Path, list[float]]) -> str:
    """A line: all runs, the middle, and how much faster the first checkout is than each."""
    middles = {program: statistics.median(found) for program, found in seconds.items()}
    first = next(iter(middles.values()))
    lines = [
        f"{name}, {program.name}: {', '.join(f'{s:.2f}' for s in found)} s; median {middles[program]:.2f}, "
        f"{middles[program] / first:.2f} times the first's"
        for program, found in seconds.items()
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, action="append", default=[], help="another checkout")
    parser.add_argument("--runs", type=int, default=5, help="of each (5)")
    parser.add_argument("--model", default=None, help="of this checkout's runs; the default one's else")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    programs = [ROOT, *(folder.resolve() for folder in options.beside)]
    for name, measure in (("whole process", whole_process), ("click to playing", click_to_playing)):
        seconds: dict[Path, list[float]] = {program: [] for program in programs}
        for _ in range(options.runs):
            for program in programs:
                with tempfile.TemporaryDirectory() as place:
                    model = options.model if program == ROOT else None
                    seconds[program].append(measure(program, Path(place), model))
                log.info("%s, %s: %.2f s", name, program.name, seconds[program][-1])
        print(told(name, seconds))


if __name__ == "__main__":
    main()

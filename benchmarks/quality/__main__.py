"""``python -m benchmarks.quality [--prompts N] [--only PART ...] [--variants NAME ...]``

Draws held-out prompts with a path, and examples that follow clips, measures them, and puts tables and
pictures into QUALITY.md. ``--clip C --results R ...`` prints the figures of finished videos that follow C.
"""

import argparse
import logging
import sys
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.motion import machine, write
from benchmarks.quality import guided
from benchmarks.quality.asks import MOST, QUESTIONS, Question, asks
from benchmarks.quality.draw import Artist, answer
from benchmarks.quality.judges import Watchers, watchers
from benchmarks.quality.page import guided_section, section, write_section
from benchmarks.quality.tables import sheet, table
from benchmarks.quality.variants import VARIANTS, chosen
from t2v.checks import counted
from t2v.engine.engine import Engine

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent.parent
GUIDED = "guided"
PARTS = (*(question.key for question in QUESTIONS), GUIDED)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    tables = (*VARIANTS.values(), guided.VARIANTS)
    names = list(dict.fromkeys(name for known in tables for name in known))
    about = (__doc__ or "").split("\n\n")[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=about)
    add = parser.add_argument
    add(
        "--prompts",
        type=int,
        default=4,
        choices=range(1, MOST + 1),
        metavar=f"1..{MOST}",
        help="how many (4)",
    )
    add("--only", nargs="+", default=PARTS, choices=PARTS, help="parts; the others' sections stay")
    add("--variants", nargs="+", default=names, choices=names, help="rows that are drawn; all by default")
    add("--cases", type=int, default=len(guided.CASES), help="how many clips are followed")
    add("--frames", type=int, default=8, help="of every video (8)")
    add("--steps", type=int, default=None, help="the model's own by default")
    add("--model", default="miniature", help="miniature, or a folder or hub id")
    add("--clip-model", default=None, help="for text and frames, such as openai/clip-vit-large-patch14")
    add("--dino", default=None, help="for the subject's consistency, such as facebook/dino-vitb16")
    add("--output", type=Path, default=FOLDER, help="folder of QUALITY.md and its pictures")
    add("--sheets", type=Path, default=None, help="a folder for a picture of every prompt's clips")
    add("--clip", type=Path, default=None, help="the clip that finished videos follow")
    add("--results", type=Path, nargs="+", default=[], help="those videos")
    options = parser.parse_args(arguments)
    if (options.clip is None) != (not options.results):
        parser.error("--clip and --results belong together: the clip, and the videos that follow it")
    return options


@dataclass
class Bench:
    """What the parts share."""

    options: argparse.Namespace
    model: Engine

    @property
    def base(self) -> dict[str, Any]:
        given = self.options
        return {"model": given.model, "num_frames": given.frames, "num_inference_steps": given.steps}

    @property
    def told(self) -> str:
        """When and with what."""
        given = self.options
        steps = "" if given.steps is None else f", {counted(given.steps, 'step')}"
        frames = counted(given.frames, "frame")
        return f"{date.today().isoformat()}. {machine()}. Model {given.model}, {frames}{steps}"

    @cached_property
    def watchers(self) -> Watchers:
        return watchers(self.options.clip_model, self.options.dino)

    @cached_property
    def artist(self) -> Artist:
        return Artist(self.model, self.base)

    def draw(self, question: Question) -> None:
        """The section of a question, where one of its variants is asked for."""
        variants = chosen(VARIANTS[question.key], self.options.variants)
        if not variants:
            return
        asked = asks(self.options.prompts)

        def keep(number: int, clips: dict[str, np.ndarray]) -> None:
            if self.options.sheets is not None:
                self.options.sheets.mkdir(parents=True, exist_ok=True)
                write(self.options.sheets / f"{question.key}-{number:02}.jpg", sheet(clips))

        results = answer(question, asked, variants, self.artist, self.watchers, keep)
        picture = f"quality-{question.key}.jpg"
        made_by = f"{self.told}; {counted(len(asked), 'held-out prompt')}. {self.watchers.named}."
        self.save(picture, sheet(results.clips), question.title, section(results, made_by, picture))

    def follow(self) -> None:
        """The section of videos that follow clips."""
        variants = [name for name in guided.VARIANTS if name in self.options.variants]
        if not variants:
            return
        cases = guided.CASES[: self.options.cases]
        clips = [guided.case_rows(self.model, case, self.base, variants) for case in cases]
        titles = [f"{case.file}, {case.task}: {case.prompt}" for case in cases]
        tables = list(zip(titles, map(guided.measured, clips), strict=True))
        picture = f"quality-{GUIDED}.jpg"
        text = guided_section(tables, f"{self.told}.", picture)
        self.save(picture, sheet(clips[0]), "Following a clip", text)

    def save(self, picture: str, data: bytes, title: str, text: str) -> None:
        self.options.output.mkdir(parents=True, exist_ok=True)
        write(self.options.output / picture, data)
        write_section(self.options.output / "QUALITY.md", title, text)
        log.info("%s is written to %s", title, self.options.output / "QUALITY.md")


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, draw, measure, write."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    if options.clip is not None:
        print(table(guided.measured(guided.file_rows(options.clip, options.results)), guided.COLUMNS))
        return 0
    bench = Bench(options, Engine())
    for question in QUESTIONS:
        if question.key in options.only:
            bench.draw(question)
    if GUIDED in options.only:
        bench.follow()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

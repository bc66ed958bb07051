"""``generate.py batch JOBS.jsonl``: many runs from a file, one JSON object of settings a line.

The object is what a video carries: "task" and the fields of its settings; "output" says where the video goes.
All lines are checked before the first is drawn. A line whose output is there already is skipped, so that a
batch that was stopped goes on where it was.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2v.checks import InputError, counted
from t2v.commands.options import FURTHER, MODELS_HINT, fields_of_options
from t2v.commands.order import Order, use_models
from t2v.commands.outcome import Outcome
from t2v.devices import check_device, check_dtype
from t2v.engine.check_weights import check_weights
from t2v.library.results import check_target
from t2v.program import Parser
from t2v.tasks import Settings, read_json, settings_in
from t2v.tasks.clip import ClipSettings

OUTPUT = "output"
Draw = Callable[[Order], dict[str, Any]]  # what a run is, and what --json tells of it


@dataclass(frozen=True)
class Hands:
    """What draws. start: loads it, for a device and a precision. explain: an error in one sentence."""

    start: Callable[[str | None, str | None], Draw]
    explain: Callable[[Exception], str]


@dataclass(frozen=True)
class Line:
    """One line: its number, counted from 1, and the run that it asks for."""

    number: int
    settings: Settings
    output: Path | None

    @property
    def is_done(self) -> bool:
        return self.output is not None and self.output.exists()


@dataclass
class Tally:
    """What became of the lines."""

    made: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    is_stopped: bool = False

    def outcome(self, lines: int, seconds: float, as_json: bool) -> Outcome:
        """What is told at the end of so many lines."""
        counts = {name: len(getattr(self, name)) for name in ("made", "skipped", "failed")}
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        left = lines - sum(counts.values())
        told += f", {left} not made" if left else ""
        how = "Stopped" if self.is_stopped else "Done"
        sentence = f"{how}: of {counted(lines, 'line')} {told}, in {seconds:.1f} s."
        report = {**vars(self), "lines": lines, "seconds": round(seconds, 3)}
        del report["is_stopped"]
        return Outcome(report, sentence, as_json, 130 if self.is_stopped else 1 if self.failed else 0)


def batch(argv: list[str], prog: str, hands: Hands) -> Outcome:
    """Draw all lines, or with --dry-run only check them; InputError where one of them cannot be run."""
    began = time.perf_counter()
    asked = _parser(prog).parse_args(argv)
    use_models(argv, prog)
    if asked.device is not None:
        check_device(asked.device)
    if asked.dtype is not None:
        check_dtype(asked.dtype)
    lines, wrong = read_jobs(Path(asked.jobs))
    for number, sentence in wrong:
        _say(f"line {number}: {sentence}")
    if wrong:
        told = f"{counted(len(wrong), 'line')} of {asked.jobs} cannot be run, so nothing was drawn"
        raise InputError(f"{told}; mend what is told above.")
    tally = Tally()
    _skip(lines, tally)
    left = [line for line in lines if not line.is_done]
    if asked.dry_run:
        told = f"{len(left)} to make, {len(tally.skipped)} there already"
        report = {"lines": len(lines), "to_make": [line.number for line in left], "skipped": tally.skipped}
        return Outcome(report, f"All {counted(len(lines), 'line')} can be run: {told}.", asked.json)
    if left:
        _run(left, tally, hands, asked)
    return tally.outcome(len(lines), time.perf_counter() - began, asked.json)


def read_jobs(path: Path) -> tuple[list[Line], list[tuple[int, str]]]:
    """The lines that can be run, and of each of the others its number and what is wrong with it.

    InputError where the file cannot be read or holds no line.
    """
    try:
        texts = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise InputError(f"{path} cannot be read ({why}); give a file with a JSON object a line.") from error
    lines: list[Line] = []
    wrong: list[tuple[int, str]] = []
    taken: dict[Path, int] = {}
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            line = _line(number, text, path.parent)
            if line.output is not None:
                before = taken.setdefault(line.output.resolve(), number)
                if before != number:
                    raise InputError(f"output is {line.output}, as of line {before}; give another.")
            lines.append(line)
        except InputError as error:
            wrong.append((number, str(error)))
    if not lines and not wrong:
        raise InputError(f"{path} is empty; give a JSON object of settings a line.")
    return lines, wrong


def _line(number: int, text: str, folder: Path) -> Line:
    told = read_json(text)
    output = told.pop(OUTPUT, None)
    if output is not None and not isinstance(output, str):
        raise InputError(f"output is {str(output)[:60]}; give the name of a file.")
    options = fields_of_options()
    for name in told.keys() & options.keys() - set(options.values()):
        raise InputError(f"settings name {name}, which is unknown here, did you mean '{options[name]}'?")
    settings = settings_in(told, folder)
    settings.check()
    target = None if output is None else check_target(output, settings)
    check_weights(settings)
    if isinstance(settings, ClipSettings):
        settings.open().check()
    return Line(number, settings, target)


def _skip(lines: list[Line], tally: Tally) -> None:
    for line in lines:
        if line.is_done:
            _say(f"line {line.number}: {line.output} is there already; skipped.")
            tally.skipped.append({"line": line.number, "output": str(line.output)})


def _run(lines: list[Line], tally: Tally, hands: Hands, asked: argparse.Namespace) -> None:
    """Each line after the other; one that fails is told, and the next begins."""
    try:
        draw = hands.start(asked.device, asked.dtype)
        for place, line in enumerate(lines, start=1):
            prompt = " ".join(line.settings.prompt.split())[:60]
            _say(f"line {line.number} ({place} of {len(lines)}): {prompt}")
            order = Order(line.settings, line.output, None, None, False, asked.with_settings)
            try:
                tally.made.append({"line": line.number, **draw(order)})
            except Exception as error:
                sentence = hands.explain(error)
                _say(f"line {line.number}: {sentence}")
                tally.failed.append({"line": line.number, "error": sentence})
    except KeyboardInterrupt:
        tally.is_stopped = True


def _parser(prog: str) -> Parser:
    about = f"{FURTHER['batch'].capitalize()}."
    parser = Parser(prog=f"{prog} batch", description=about, allow_abbrev=False)
    hint = 'a JSON object of settings a line, with "task" and perhaps "output"; as videos carry it'
    parser.add_argument("jobs", metavar="JOBS.jsonl", help=hint)
    parser.add_argument(
        "--dry-run", action="store_true", help="check all lines, tell what is wrong, draw none"
    )
    hint = "leave the settings out of the files"
    parser.add_argument("--no-settings", dest="with_settings", action="store_false", help=hint)
    parser.add_argument("--device", help="cpu, cuda, cuda:N or mps (default: the best there is)")
    parser.add_argument("--dtype", help="precision of lines that name none: float32, float16 or bfloat16")
    parser.add_argument("--models", type=Path, metavar="DIR", help=MODELS_HINT)
    parser.add_argument("--json", action="store_true", help="print the report as one line of JSON on stdout")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

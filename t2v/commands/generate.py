"""The command line: ``python generate.py text-to-video "a red car on a street" -o car.mp4``.

Exit status: 0 done, 1 the machine could not do it, 2 bad input, 130 stopped by Ctrl-C; all but 0 come with
one sentence on stderr, whatever happened: a traceback goes to a file that the sentence names, or to the
logger's debug level where the sentence says all. Everything heavy is imported only after the arguments are
checked, so help and refusals come at once.
"""

import contextlib
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from t2v.bar import Bar
from t2v.checks import InputError, counted
from t2v.commands import batch, finish, models
from t2v.commands.options import in_options
from t2v.commands.order import PROG, Order, read_order
from t2v.commands.outcome import Outcome
from t2v.commands.start import STOPPED
from t2v.commands.tries import Sheet, draw_sheet
from t2v.commands.tries import sentence as _tried
from t2v.failures import OutOfMemory, is_out_of_memory, own_fault
from t2v.libraries import loading_libraries, only_for_drawing
from t2v.library.continuing import joined, joined_count
from t2v.library.results import OUTPUTS, new_output_path, write_result
from t2v.library.space import check_space
from t2v.program import prepare_environment, show_downloads_only
from t2v.tasks import Resolved
from t2v.tasks.clip import ResolvedClip
from t2v.video.formats import FORMATS
from t2v.video.write import check_output, replacing, write_video

logger = logging.getLogger(__name__)

OUT_OF_MEMORY = "This run needs more memory than there is; lower --chunk-size or the size."


@dataclass
class Clock:
    """Seconds spent in each part of a run, and all together since ``began``."""

    began: float = field(default_factory=time.perf_counter)
    parts: dict[str, float] = field(default_factory=dict)
    lap_began: float | None = None

    def lap(self, part: str) -> None:
        """Book the time since the last lap (at first: since ``began``) to ``part``."""
        now = time.perf_counter()
        since = self.began if self.lap_began is None else self.lap_began
        self.parts[part] = self.parts.get(part, 0.0) + now - since
        self.lap_began = now

    def total(self) -> float:
        """Seconds since ``began``, to the millisecond."""
        return round(time.perf_counter() - self.began, 3)


def main(argv: list[str] | None = None, prog: str = PROG) -> int:
    """Run one command and return its exit status. argv: the arguments, by default those of the process."""
    clock = Clock()
    try:
        _log_errors_only()
        outcome = _run_command(sys.argv[1:] if argv is None else argv, prog, clock)
    except KeyboardInterrupt:
        return _complain(STOPPED, 130)
    except Exception as error:
        logger.debug("the run failed", exc_info=True)
        return _complain(*_explain(error))
    told = _tell(json.dumps(outcome.report) if outcome.as_json else outcome.sentence)
    return max(told, outcome.status)


def _run_command(argv: list[str], prog: str, clock: Clock) -> Outcome:
    """The command that the first argument names; without one it is a run, as ``--like`` can tell its task."""
    if argv[:1] == ["finish"]:
        return finish.finish(argv[1:], prog)
    if argv[:1] == ["models"]:
        return models.models(argv[1:], prog)
    if argv[:1] == ["batch"]:
        return batch.batch(argv[1:], prog, batch.Hands(_drawing, lambda error: _explain(error, str)[0]))
    order = read_order(argv, prog)
    if isinstance(order, Sheet):
        report = run_sheet(order, clock)
        return Outcome(report, _tried(report), order.as_json)
    report = run(order, clock)
    return Outcome(report, _sentence(report), order.as_json)


def run_sheet(sheet: Sheet, clock: Clock) -> dict[str, Any]:
    """Draw the pictures that are to be tried, and return what ``--json`` prints."""
    engine = _engine(sheet.device)
    _print_notes(engine.prompt_notes(sheet.settings))
    with Bar(is_shown=True) as bar:
        report = draw_sheet(engine, sheet, bar.show)
    return {**report, "seconds": clock.total()}


def run(order: Order, clock: Clock) -> dict[str, Any]:
    """Draw and write the video, and return what ``--json`` prints."""
    engine = _engine(order.device)
    clock.lap("start")
    return draw(engine, order, clock)


def _drawing(device: str | None, dtype: str | None) -> Callable[[Order], dict[str, Any]]:
    """What draws one order after the other, with the weights of the last one kept in memory."""
    engine = _engine(device, dtype)
    return lambda order: draw(engine, order, Clock())


def _engine(device: str | None, dtype: str | None = None) -> Any:
    _say_for_now("Loading ...")
    prepare_environment()
    with loading_libraries(), only_for_drawing():
        from t2v.engine.engine import Engine

        show_downloads_only()
    return Engine(device=device, dtype=dtype)


def draw(engine: Any, order: Order, clock: Clock) -> dict[str, Any]:
    """The same on an engine that is there."""
    resolved = engine.resolve(order.settings)
    clock.lap("load")
    noted = _print_notes(engine.prompt_notes(resolved.asked))
    output = order.output
    if output is None:
        OUTPUTS.mkdir(exist_ok=True)
        output = check_output(new_output_path(OUTPUTS, resolved))
    folder = output.resolve().parent
    (width, height), takes = resolved.size, FORMATS[output.suffix.lower()].bytes_per_pixel
    check_space(folder, resolved.num_frames, width, height, f"the folder '{folder}'", takes)
    from t2v.memory.compiled import COMPILING, told_of_compiling

    with contextlib.ExitStack() as kept, Bar(is_shown=True) as bar:
        kept.enter_context(told_of_compiling(partial(bar.wait, COMPILING)))
        drawing = Drawing(engine, resolved, order, clock, bar, kept)
        frames, count = drawing.frames(), resolved.num_frames
        if order.continues is not None and order.continues.is_joined:
            frames = joined(order.continues.video, resolved, frames)
            count = joined_count(order.continues.video, resolved)
        write_result(output, resolved, frames, order.with_settings)
    clock.lap("write")
    _print_notes([note for note in engine.prompt_notes(resolved.asked) if note not in noted])
    report = {
        "output": str(output),
        "seed": resolved.seed,
        "frames": count,
        "width": resolved.size[0],
        "height": resolved.size[1],
        "fps": float(resolved.fps),
        "seconds": clock.total(),
        "parts": {name: round(value, 3) for name, value in clock.parts.items()},
        "model": resolved.asked.model,
        "dtype": resolved.dtype,
    }
    return report | ({"control": drawing.saved} if drawing.saved else {})


@dataclass
class Drawing:
    """The video's frames one by one; the bar, the clock and the files of --save-control follow them.

    kept: where those files wait for the video, without which they go again.
    """

    engine: Any
    resolved: Resolved[Any]
    order: Order
    clock: Clock
    bar: Bar
    kept: contextlib.ExitStack
    saved: list[str] = field(default_factory=list)

    def frames(self) -> Iterator[np.ndarray]:
        """uint8 RGB (h, w, 3); waiting for one is booked to decode, the time until the next to write."""
        if isinstance(self.resolved, ResolvedClip):
            _say_for_now("Looking at the clip ...")
        for frame in self.engine.frames(self.resolved, self._on_step, self._on_seen):
            self.clock.lap("decode")
            yield frame
            self.clock.lap("write")

    def _on_step(self, step: Any) -> None:
        self.clock.lap("denoise")
        self.bar.show(step)

    def _on_seen(self, name: str, frames: np.ndarray) -> None:
        path = self.order.seen_path(name)
        if path is not None:
            write_video(self.kept.enter_context(replacing(path)), frames, self.resolved.fps)
            self.saved.append(str(path))
        self.clock.lap("look")


def _say_for_now(text: str) -> None:
    """For a person at a terminal: a line that the next one, which is longer, covers."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(text, end="\r", file=sys.stderr, flush=True)


def _print_notes(notes: Sequence[Any]) -> Sequence[Any]:
    for note in notes:
        print(f"Note: {note.text}", file=sys.stderr)
    return notes


def _sentence(report: dict[str, Any]) -> str:
    return (
        f"Wrote {report['output']}: {counted(report['frames'], 'frame')} of "
        f"{report['width']}x{report['height']} at {report['fps']:g} per second, seed {report['seed']}, "
        f"in {report['seconds']:.1f} s."
    )


def _explain(error: Exception, as_option: Callable[[str], str] = in_options) -> tuple[str, int]:
    """The sentence for an error, and the exit status. as_option: puts options in place of fields' names."""
    if is_out_of_memory(error):
        return str(error) if isinstance(error, OutOfMemory) else OUT_OF_MEMORY, 1
    if isinstance(error, InputError):
        return as_option(str(error)), 2
    if isinstance(error, OSError):
        return f"The video could not be made: {str(error).rstrip('.')}.", 1
    return own_fault(error), 1


def _tell(text: str) -> int:
    """Print what the run came to; the exit status. Who reads it may be gone, and know few letters."""
    try:
        print(text, flush=True)
    except UnicodeEncodeError:
        print(text.encode("ascii", "backslashreplace").decode(), flush=True)
    except OSError as error:
        sys.stdout = None  # or Python would complain of it too, at its end
        if isinstance(error, BrokenPipeError) and "\n" in text:
            return 0  # of a list, as in ``| head``, its reader has had enough
        return _complain(f"{text} This could not be told on stdout: {error}.", 1)
    return 0


def _complain(sentence: str, status: int) -> int:
    print(" ".join(sentence.split()), file=sys.stderr)
    return status


def _log_errors_only() -> None:
    """Nothing but our bar and sentences on stderr."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    logging.getLogger("t2v.library").setLevel(logging.WARNING)  # a sound that is lost is worth a line
    warnings.simplefilter("ignore")

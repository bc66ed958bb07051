"""The command line: ``python generate.py text-to-video "a red car on a street" -o car.mp4``.

Exit status: 0 done, 1 the machine could not do it, 2 bad input, 130 stopped by Ctrl-C; all but 0 come with
one sentence on stderr. Everything heavy is imported only after the arguments are checked, so help and
refusals come at once.
"""

import argparse
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from tqdm import tqdm

from checks import InputError
from utils import check_output, write_video

OUTPUTS = Path("outputs")
# field of a task's Settings -> its option and what it means; defaults and limits come from the Settings
OPTIONS = {
    "prompt": ("prompt", "what the video should show, in quotes"),
    "negative_prompt": ("--negative-prompt", "what it should not show"),
    "model": ("--model", "miniature (bundled), a hub id (owner/name), or a folder in diffusers' format"),
    "seed": ("--seed", "the same seed and options give the same video"),
    "num_frames": ("--num-frames", "number of frames"),
    "width": ("--width", "pixels, a multiple of 8"),
    "height": ("--height", "pixels, a multiple of 8"),
    "fps": ("--fps", "frames per second of the file"),
    "num_inference_steps": ("--steps", "denoising steps; more are slower and often finer"),
    "guidance_scale": ("--guidance", "how closely the prompt is followed; 1 or less turns guidance off"),
    "motion_x": ("--motion-x", "movement to the right, in pixels per frame"),
    "motion_y": ("--motion-y", "movement downwards, in pixels per frame"),
    "t0": ("--t0", "the paper's T', the time at which frames are moved; not larger than --t1"),
    "t1": ("--t1", "the paper's T, up to which they are noised again; further from --t0 is freer"),
    "chunk_size": ("--chunk-size", "frames computed at once, 0 for all; less memory, the same picture"),
    "scheduler": ("--scheduler", "the sampler"),
    "warp": ("--warp", "how latents are moved"),
    "cross_frame_attention": ("--no-cross-frame-attention", "let every frame attend to itself (ablation)"),
    "motion_field": ("--no-motion", "do not move the first frame's latents (ablation)"),
}
UNSET = {"seed": "drawn at random and shown"}


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are one sentence, as everywhere in this program."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ").rstrip(".")
        raise InputError(f"{message}; {self.prog} --help lists what is allowed.")


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


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status. argv: the arguments, by default those of the process."""
    clock = Clock()
    try:
        _quiet_libraries()
        arguments = build_parser().parse_args(argv)
        settings, output = checked(arguments)
        report = run(settings, output, arguments, clock)
    except InputError as error:
        return _complain(_in_options(str(error)), 2)
    except KeyboardInterrupt:
        return _complain("Stopped; nothing was written.", 130)
    except MemoryError:
        return _complain("This run needs more memory than there is; lower --chunk-size or the size.", 1)
    except OSError as error:
        return _complain(f"The video could not be made: {error}.", 1)
    print(json.dumps(report) if arguments.json else _sentence(report), flush=True)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """One subcommand for every task in TASKS."""
    from tasks import TASKS

    parser = Parser(prog="generate.py", description="Make a short video.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for name, settings_class in TASKS.items():
        about = f"{name.replace('-', ' ')}; generate.py {name} --help lists its options"
        command = commands.add_parser(name, help=about, allow_abbrev=False)
        command.set_defaults(settings_class=settings_class)
        for each in fields(settings_class):
            _add_option(command, each.name, each.default)
        _add_run_options(command)
    return parser


def checked(arguments: argparse.Namespace) -> tuple[Any, Path | None]:
    """The task's Settings and the output path of the arguments; InputError for anything out of range."""
    settings_class = arguments.settings_class
    settings = settings_class(**{each.name: getattr(arguments, each.name) for each in fields(settings_class)})
    settings.check()
    return settings, None if arguments.output is None else check_output(arguments.output)


def run(settings: Any, output: Path | None, arguments: argparse.Namespace, clock: Clock) -> dict:
    """Draw and write the video, and return what ``--json`` prints."""
    if sys.stderr.isatty():
        print("Loading ...", end="\r", file=sys.stderr, flush=True)  # the next line is longer and covers it
    from torch import OutOfMemoryError

    from model import Model, new_output_path, settings_dict

    _quiet_loading()
    clock.lap("start")
    model = Model(device=arguments.device, dtype=arguments.dtype)
    settings = model.resolve(settings)
    clock.lap("load")
    unknown = model.unknown_words(settings.model, settings.prompt)
    if unknown:
        print(f"Note: {settings.model} does not know {', '.join(unknown)}.", file=sys.stderr)
    if output is None:
        OUTPUTS.mkdir(exist_ok=True)
        output = check_output(new_output_path(OUTPUTS, settings))
    bar_format = "{desc} {percentage:3.0f}%|{bar:30}| {elapsed}<{remaining}"
    try:
        with tqdm(total=1.0, desc="first step", bar_format=bar_format, file=sys.stderr) as bar:
            frames = _timed(_frames(model, settings, bar, clock), clock)
            write_video(output, frames, settings.fps, settings_dict(settings))
    except OutOfMemoryError as error:
        raise MemoryError from error
    clock.lap("write")
    return {
        "output": str(output),
        "seed": settings.seed,
        "frames": settings.num_frames,
        "width": settings.width,
        "height": settings.height,
        "fps": float(settings.fps),
        "seconds": clock.total(),
        "parts": {name: round(value, 3) for name, value in clock.parts.items()},
        "model": settings.model,
    }


def _frames(model: Any, settings: Any, bar: tqdm, clock: Clock) -> Iterator[np.ndarray]:
    """The video's frames, the bar and the clock kept up to date by every step."""

    def on_step(step: Any) -> None:
        clock.lap("denoise")
        bar.set_description_str(f"{step.label}, step {step.done}/{step.total}", refresh=False)
        bar.update(step.fraction - bar.n)

    yield from model.frames(settings, on_step)


def _timed(frames: Iterator[np.ndarray], clock: Clock) -> Iterator[np.ndarray]:
    """The frames; waiting for one is booked to decode, the time until the next is asked for to write."""
    for frame in frames:
        clock.lap("decode")
        yield frame
        clock.lap("write")


def _add_option(command: argparse.ArgumentParser, name: str, default: Any) -> None:
    """The option of one Settings field: its limits and choices looked up where the task keeps them."""
    from tasks.text_to_video import LIMITS, SCHEDULERS, WARPS

    flag, hint = OPTIONS[name]
    if default is MISSING:
        command.add_argument(name, help=hint)
    elif isinstance(default, bool):
        command.add_argument(flag, dest=name, action="store_false" if default else "store_true", help=hint)
    elif name in LIMITS:
        low, high = LIMITS[name]
        shown = UNSET.get(name, "what suits the model") if default is None else f"{default:g}"
        hint = f"{hint}; {low:g} to {high:.10g} (default: {shown})"
        command.add_argument(flag, dest=name, type=_number, default=default, metavar="N", help=hint)
    else:
        choices = {"scheduler": SCHEDULERS, "warp": WARPS}.get(name)
        hint += "" if choices is None else f": {', '.join(choices)}"
        hint += f" (default: {default})" if default else ""
        command.add_argument(flag, dest=name, default=default, metavar="TEXT", help=hint)


def _add_run_options(command: argparse.ArgumentParser) -> None:
    """What every task has, whatever its settings."""
    where = "the file to write (default: a new one in outputs/)"
    command.add_argument("-o", "--output", metavar="FILE.mp4", help=where)
    command.add_argument("--device", help="cpu, cuda, cuda:N or mps (default: the best there is)")
    command.add_argument("--dtype", help="float32, float16 or bfloat16 (default: what suits the device)")
    command.add_argument("--json", action="store_true", help="print the result as one line of JSON on stdout")


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number") from None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _in_options(sentence: str) -> str:
    """A refusal names a Settings field first; people here know it as an option."""
    first, _, rest = sentence.partition(" ")
    option = OPTIONS.get(first, (first,))[0]
    return f"{option} {rest}" if option.startswith("--") and not option.startswith("--no-") else sentence


def _sentence(report: dict) -> str:
    return (
        f"Wrote {report['output']}: {report['frames']} frames of {report['width']}x{report['height']} at "
        f"{report['fps']:g} per second, seed {report['seed']}, in {report['seconds']:.1f} s."
    )


def _complain(sentence: str, status: int) -> int:
    print(" ".join(sentence.split()), file=sys.stderr)
    return status


def _quiet_libraries() -> None:
    """Nothing but our bar and sentences on stderr, and nothing said to anyone else."""
    for name in ("TRANSFORMERS_VERBOSITY", "DIFFUSERS_VERBOSITY"):
        os.environ.setdefault(name, "error")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    logging.basicConfig(level=logging.ERROR)
    warnings.simplefilter("ignore")


def _quiet_loading() -> None:
    """No bars for reading a local file; those of the hub's downloads stay, as they can take minutes."""
    import huggingface_hub.utils
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    huggingface_hub.utils.enable_progress_bars()


if __name__ == "__main__":
    sys.exit(main())

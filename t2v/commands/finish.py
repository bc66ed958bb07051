"""``generate.py finish FILE``: more frames a second, or a larger picture, for a video that is there."""

import argparse
import time
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from t2v.checks import InputError, check_choice, counted
from t2v.commands.options import FURTHER
from t2v.commands.outcome import Outcome
from t2v.devices import check_device
from t2v.finishing.finish import WAYS, Finish, Finished, finish_video, new_name
from t2v.program import Parser, prepare_environment
from t2v.video.formats import FORMATS, PNG

KINDS = [ending.removeprefix(".") for ending in FORMATS if ending != PNG]


def finish(argv: list[str], prog: str) -> Outcome:
    """Do what the arguments ask for; InputError in the options' words."""
    began = time.perf_counter()
    asked = _parser(prog).parse_args(argv)
    wanted = Finish(asked.upscale, asked.fps, asked.way)
    try:
        wanted.check()
    except InputError as error:
        raise InputError(_in_options(str(error))) from None
    video, output = Path(asked.video), _output(asked)
    if asked.upscale == 1 and asked.fps is None and output is None:
        raise InputError("nothing is asked for; give --upscale, --fps, --format or --output.")
    if asked.device is not None:
        check_device(asked.device)
    prepare_environment()
    try:
        with tqdm(disable=None, leave=False, unit="frame", desc="finishing") as bar:
            made = finish_video(
                video,
                wanted,
                output,
                on_frame=lambda done, total: _show(bar, done, total),
                with_settings=asked.with_settings,
                device="cpu" if asked.device is None else asked.device,
            )
    except InputError as error:
        raise InputError(_in_options(str(error))) from None
    seconds = round(time.perf_counter() - began, 3)
    report = {**asdict(made), "output": str(made.path), "frames": made.num_frames, "seconds": seconds}
    for name in ("path", "num_frames"):
        del report[name]
    return Outcome(report, _sentence(made, seconds), asked.json)


def _parser(prog: str) -> Parser:
    about = f"{FURTHER['finish'].capitalize()}."
    parser = Parser(prog=f"{prog} finish", description=about, allow_abbrev=False)
    parser.add_argument("video", metavar="FILE", help="the video: mp4, webm, gif or webp")
    hint = "so many times as wide and high"
    parser.add_argument("--upscale", type=int, default=1, metavar="2|4", help=hint)
    hint = "the new rate; frames in between are made by motion (default: the video's own)"
    parser.add_argument("--fps", type=float, metavar="N", help=hint)
    hint = "how frames grow: the bundled finisher, for flat cartoon pictures, or Lanczos' filter "
    hint += "(default: the finisher where the miniature drew the video)"
    parser.add_argument("--with", dest="way", metavar="|".join(WAYS), help=hint)
    hint = f"the kind of the new file, beside the video: {', '.join(KINDS)} (default: the video's own)"
    parser.add_argument("--format", metavar="KIND", help=hint)
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write, in place of --format")
    hint = "leave the settings out of the new file"
    parser.add_argument("--no-settings", dest="with_settings", action="store_false", help=hint)
    parser.add_argument("--device", help="where the finisher runs: cpu, cuda, cuda:N or mps (default: cpu)")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON on stdout")
    return parser


def _output(asked: argparse.Namespace) -> Path | None:
    """The file that is asked for; None: a new name, of the video's own kind."""
    if asked.output is not None:
        if asked.format is not None:
            raise InputError("--format and --output are both given; leave one out.")
        return Path(asked.output)
    if asked.format is None:
        return None
    check_choice("--format", asked.format, KINDS)
    return new_name(Path(asked.video), Finish(asked.upscale, asked.fps), f".{asked.format}")


def _show(bar: "tqdm[None]", done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)


def _in_options(sentence: str) -> str:
    first, space, rest = sentence.partition(" ")
    named = {"upscale": "--upscale", "fps": "--fps", "way": "--with", "output": "--output"}
    return f"{named.get(first, first)}{space}{rest}"


def _sentence(made: Finished, seconds: float) -> str:
    grown = "" if made.way is None else f", made larger by the {made.way}"
    grown = grown.replace("the lanczos", "Lanczos' filter")
    return (
        f"Wrote {made.path}: {counted(made.num_frames, 'frame')} of {made.width}x{made.height} at "
        f"{made.fps:g} per second{grown}, in {seconds:.1f} s."
    )

"""Pictures before a video: ``generate.py variations "a red car" -n 9 -o grid.png``, and ``sweep``.

    generate.py sweep "a red car" --over guidance_scale=3,5,7 -o grid.png

The options are those of text-to-video, all of which the video takes that is made of a picture afterwards.
"""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from t2v.checks import InputError, check_int, counted
from t2v.library.results import OUTPUTS, new_output_path, settings_dict
from t2v.tasks import Settings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.tries import Tries, check_field, read_values, sweep, variations

COMMANDS = {
    "variations": "pictures of other seeds, each the first frame of its video",
    "sweep": "pictures of one setting over several values",
}
KIND = TextToVideoSettings
LABEL_PX, GAP_PX, MOST_SIDE_PX = 30, 8, 512


def add_own_options(command: argparse.ArgumentParser, name: str) -> None:
    """Those that text-to-video does not have."""
    group = command.add_argument_group("the pictures")
    if name == "variations":
        group.add_argument(
            "-n", "--count", type=int, default=4, metavar="N", help="how many; 1 to 16 (default: 4)"
        )
    else:
        hint = "the setting and its values with commas between, as guidance_scale=3,5,7 or steps=8,25"
        group.add_argument("--over", required=True, metavar="SETTING=A,B,...", help=hint)


@dataclass(frozen=True)
class Sheet:
    """What is to be drawn, checked: tries of the settings, and the file of their grid (None: a new one)."""

    settings: Settings
    tries: Tries
    output: Path | None
    device: str | None
    as_json: bool


def read_sheet(arguments: argparse.Namespace, settings: Settings, names: dict[str, str]) -> Sheet:
    """The pictures that the arguments ask for; InputError where they cannot be drawn.

    names: an option's name -> the field that it fills, for --over.
    """
    if arguments.tried == "variations":
        tries = variations(settings, check_int("-n", arguments.count, 1, 16))
    else:
        name, equals, values = arguments.over.partition("=")
        if not equals:
            raise InputError(
                f"--over is {arguments.over[:60]!r}; give a setting and values, as guidance_scale=3,5,7."
            )
        field = check_field(KIND, names.get(name, name.replace("-", "_")))
        tries = sweep(settings, field, read_values(KIND, field, values))
    output = None if arguments.output is None else _checked(Path(arguments.output))
    return Sheet(settings, tries, output, arguments.device, arguments.json)


def _checked(path: Path) -> Path:
    if path.suffix.lower() != ".png":
        raise InputError(f"--output is '{path}'; give a file name that ends in .png.")
    if not path.parent.is_dir():
        raise InputError(f"--output is '{path}', but there is no folder '{path.parent}'; create it first.")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise InputError(f"--output is '{path}', where no file can be written; choose another place.")
    return path


def draw_sheet(engine: Any, sheet: Sheet, on_step: Callable[[Any], None]) -> dict[str, Any]:
    """Draw the pictures and write their grid; what ``--json`` prints."""
    drawn, kept = [], []
    for number, settings in enumerate(sheet.tries.each):
        resolved = engine.resolve(settings)
        drawn.append(engine.still(resolved, partial(_of_all, on_step, number, sheet), last=sheet.tries.last))
        kept.append(settings_dict(resolved.filled()))
    output = sheet.output
    if output is None:
        OUTPUTS.mkdir(exist_ok=True)
        output = new_output_path(OUTPUTS, resolved).with_suffix(".png")
    write_grid(output, drawn, sheet.tries.labels, kept)
    pictures = [
        {"label": label, "seed": one["seed"]} for label, one in zip(sheet.tries.labels, kept, strict=True)
    ]
    return {"output": str(output), "pictures": pictures, "last_frames": sheet.tries.last}


def _of_all(on_step: Callable[[Any], None], number: int, sheet: Sheet, step: Any) -> None:
    """A step of one picture as a step of all of them."""
    count = len(sheet.tries.each)
    all_steps = {"done": number * step.total + step.done, "total": count * step.total}
    share = (number + step.fraction) / count
    on_step(replace(step, **all_steps, fraction=share, label=f"picture {number + 1} of {count}"))


def write_grid(
    path: Path, pictures: Sequence[np.ndarray], labels: Sequence[str], settings: list[dict[str, Any]]
) -> None:
    """A PNG of labelled pictures, uint8 RGB (h, w, 3), whose comment is their settings as JSON, in order."""
    from PIL import Image, ImageDraw, ImageFont
    from PIL.PngImagePlugin import PngInfo

    columns = int(np.ceil(np.sqrt(len(pictures))))
    rows = -(-len(pictures) // columns)
    width = max(one.shape[1] for one in pictures)
    height = max(one.shape[0] for one in pictures)
    scale = min(1.0, MOST_SIDE_PX / max(width, height))
    cell = round(width * scale) + GAP_PX, round(height * scale) + LABEL_PX + GAP_PX
    sheet = Image.new("RGB", (columns * cell[0] + GAP_PX, rows * cell[1] + GAP_PX), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = GAP_PX + number % columns * cell[0], GAP_PX + number // columns * cell[1]
        pen.text((x, y + 4), label, fill="black", font=font)
        small = Image.fromarray(picture).resize(
            (round(picture.shape[1] * scale), round(picture.shape[0] * scale)), Image.Resampling.LANCZOS
        )
        sheet.paste(small, (x, y + LABEL_PX))
    about = PngInfo()
    about.add_text("comment", json.dumps({"pictures": settings}))
    part = path.with_name(f".{path.name}.part")
    try:
        sheet.save(part, "PNG", pnginfo=about)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def sentence(report: dict[str, Any]) -> str:
    """What is printed at the end."""
    pictures = report["pictures"]
    which = "last frames" if report["last_frames"] else "first frames"
    named = ", ".join(one["label"] for one in pictures)
    if len({one["seed"] for one in pictures}) == 1:
        named += f", all with seed {pictures[0]['seed']}"
    return (
        f"Wrote {report['output']}: {counted(len(pictures), 'picture')}, the {which} of {named}, in "
        f"{report['seconds']:.1f} s."
    )

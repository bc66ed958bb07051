"""Draws the app's examples as the bundled family does: ``python docs/guided.py``.

Writes docs/guided.gif, the README's looping picture (the first example of every task, its clip above what
became of it), and with ``--sheet FILE`` a contact sheet of all examples. Tasks without weights are left out.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
SIDE = 192  # pixels of one video in the looping picture
THUMB = 128  # and of a frame on the sheet
SHOWN_FRAMES = 6  # of each clip on the sheet
LINE_PX = 18
SEED = 1

log = logging.getLogger(__name__)


def draw(model, task: str, entry: dict, steps: int | None) -> tuple[np.ndarray, np.ndarray]:
    """An example's clip and its video, each uint8 RGB (f, h, w, 3)."""
    from t2v.tasks import TASKS
    from t2v.video.video import read_video

    clip = EXAMPLES / entry["file"]
    own = {"seed": SEED, "num_inference_steps": steps, **entry.get("settings", {})}
    video = model.generate(TASKS[task](str(clip), entry["prompt"], **own))
    log.info("%s: %s", entry["file"], entry["prompt"])
    return read_video(clip).frames, video.frames


def loop(pairs: list[tuple[np.ndarray, np.ndarray]], target: Path) -> None:
    """A GIF of the pairs side by side, each clip above its video."""
    from docs.gallery import save_loop

    columns = [[_scaled(frames, SIDE) for frames in pair] for pair in pairs]
    count = min(len(frames) for column in columns for frames in column)
    rows = [
        [np.concatenate([column[row][k] for column in columns], axis=1) for row in (0, 1)]
        for k in range(count)
    ]
    save_loop([np.concatenate(row) for row in rows], target, 125)


def sheet(drawn: list[tuple[dict, np.ndarray, np.ndarray]], target: Path) -> None:
    """Two rows an example, its clip and its video, with the prompt above them."""
    height = 2 * THUMB + LINE_PX
    page = Image.new("RGB", (SHOWN_FRAMES * THUMB, len(drawn) * height), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    for number, (entry, *pair) in enumerate(drawn):
        pen.text((4, number * height + 1), f"{entry['file']}: {entry['prompt']}", fill="black", font=font)
        for row, frames in enumerate(pair):
            picked = np.linspace(0, len(frames) - 1, SHOWN_FRAMES).round().astype(int)
            strip = np.concatenate(_scaled(frames[picked], THUMB), axis=1)
            page.paste(Image.fromarray(strip), (0, number * height + LINE_PX + row * THUMB))
    page.save(target, quality=88)


def _scaled(frames: np.ndarray, side: int) -> list[np.ndarray]:
    return [cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA) for frame in frames]


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, draw, write."""
    sys.path.insert(0, str(ROOT))
    from t2v.engine.engine import Engine
    from t2v.weights.refusals import ModelError

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", type=Path, help="also draw all examples, on a contact sheet")
    parser.add_argument("--steps", type=int, help="steps of each video (the model's own)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model, first, drawn = Engine(device="cpu"), [], []
    for task, entries in json.loads((EXAMPLES / "index.json").read_text()).items():
        try:
            for entry in entries if options.sheet is not None else entries[:1]:
                drawn.append((entry, *draw(model, task, entry, options.steps)))
                if entry is entries[0]:
                    first.append(drawn[-1][1:])
        except ModelError as error:
            log.warning("%s is left out: %s", task, error)
    if first:
        loop(first, ROOT / "docs" / "guided.gif")
    if options.sheet is not None and drawn:
        sheet(drawn, options.sheet)


if __name__ == "__main__":
    main()

"""Draws docs/first-videos.gif, the README's looping picture: ``python docs/gallery.py``."""

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
SIDE = 192  # pixels of one video in the picture
SHOWN = (  # prompt, seed, motion to the right and downwards
    ("a red car on a street", 7, 6, 0),
    ("an astronaut waving on the moon", 3, 4, 0),
    ("a yellow balloon on the beach", 1, 0, -6),
    ("a blue robot in the snow", 2, -4, 0),
)


def main() -> None:
    sys.path.insert(0, str(ROOT))
    from t2v.engine.engine import Engine
    from t2v.tasks.text_to_video import TextToVideoSettings

    model = Engine(device="cpu")
    clips = []
    for prompt, seed, x, y in SHOWN:
        frames = model.generate(TextToVideoSettings(prompt, seed=seed, motion_x=x, motion_y=y)).frames
        clips.append([cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in frames])
    rows = [np.concatenate(row, axis=1) for row in zip(*clips, strict=True)]
    save_loop([*rows, *rows[-2:0:-1]], ROOT / "docs" / "first-videos.gif")


def save_loop(frames: list[np.ndarray], path: Path, duration_ms: int = 200) -> None:
    """Write frames, uint8 RGB (h, w, 3), as a GIF that plays on and on."""
    pictures = [Image.fromarray(frame) for frame in frames]
    # one palette for all frames: with one each, colours that do not change would flicker
    palette = Image.fromarray(np.concatenate(frames)).quantize(255)
    first, *others = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    first.save(path, save_all=True, append_images=others, duration=duration_ms, loop=0)


if __name__ == "__main__":
    main()

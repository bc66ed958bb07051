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
    from tasks.text_to_video import TextToVideoSettings

    from model import Model

    model = Model(device="cpu")
    clips = []
    for prompt, seed, x, y in SHOWN:
        frames = model.generate(TextToVideoSettings(prompt, seed=seed, motion_x=x, motion_y=y)).frames
        clips.append([cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in frames])
    pictures = [Image.fromarray(np.concatenate(row, axis=1)) for row in zip(*clips, strict=True)]
    # one palette for all frames: with one each, colours that do not change would flicker
    palette = Image.fromarray(np.concatenate([np.asarray(picture) for picture in pictures])).quantize(255)
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    there_and_back = frames + frames[-2:0:-1]
    target = ROOT / "docs" / "first-videos.gif"
    there_and_back[0].save(target, save_all=True, append_images=there_and_back[1:], duration=200, loop=0)


if __name__ == "__main__":
    main()

"""Draws docs/moves.gif, the four things that can move: ``python docs/moves.py``."""

import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SIDE = 192  # pixels of one video in the picture
FRAMES = 16
SHOWN: tuple[tuple[str, int, dict], ...] = (  # prompt, seed, what moves
    ("a red car on the street", 7, {"move": "subject", "motion_x": 6, "motion_path": "to and fro"}),
    ("a blue boat on the sea", 4, {"motion_x": 6, "motion_path": "to and fro"}),
    ("a white cat on the grass", 3, {"motion_x": 0, "zoom": 1.02}),
    ("a purple robot on the moon", 3, {"move": "life"}),
)


def main() -> None:
    sys.path.insert(0, str(ROOT))
    from docs.gallery import save_loop
    from t2v.engine.engine import Engine
    from t2v.tasks.text_to_video import TextToVideoSettings

    model = Engine(device="cpu")
    clips = []
    for prompt, seed, moves in SHOWN:
        frames = model.generate(TextToVideoSettings(prompt, seed=seed, num_frames=FRAMES, **moves)).frames
        clips.append([cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in frames])
    rows = [np.concatenate(row, axis=1) for row in zip(*clips, strict=True)]
    save_loop(rows, ROOT / "docs" / "moves.gif")


if __name__ == "__main__":
    main()

"""Videos for tests of the library: small files that carry settings, as runs leave them in a folder."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from t2v.library.results import settings_dict
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.write import write_video

NOON_S = 1_700_000_000.0


def put(
    path: Path, prompt: str = "a red car", made_s: float = NOON_S, settings: Any = None, **own: Any
) -> Path:
    """A video of four frames of 64x64 at 8 a second, made then; own: fields of its settings."""
    asked = TextToVideoSettings(prompt, num_frames=4, fps=8.0, width=64, height=64, **{"seed": 5, **own})
    return put_raw(path, settings_dict(asked), made_s)


def put_raw(path: Path, settings: dict[str, Any] | None, made_s: float = NOON_S, shade: int = 90) -> Path:
    """The same with settings as they are; None: with none."""
    frames = np.full((4, 64, 64, 3), shade, np.uint8)
    frames[:, :20, :20] = np.arange(0, 200, 50).reshape(4, 1, 1, 1)
    write_video(path, frames, 8, settings)
    os.utime(path, (made_s, made_s))
    return path

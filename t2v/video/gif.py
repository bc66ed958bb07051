"""A GIF that plays without end, for those who ask for one; an MP4 shows the same frames finer and smaller."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from t2v.checks import InputError

MAX_GIF_FPS = 50.0  # browsers play frames that are shorter slowly


def write_gif(part: Path, frames: Iterable[np.ndarray], fps: float, comment: str = "") -> None:
    """Write frames, uint8 RGB (h, w, 3), of one size. comment: ASCII that the file carries.

    InputError for a rate that no GIF has, or no frame; OSError if writing fails.
    """
    import imageio.v3  # here, as few ask for it and everybody would wait

    if fps > MAX_GIF_FPS:
        raise InputError(f"fps is {fps:g}, and a GIF plays at most {MAX_GIF_FPS:g}; give a name in .mp4.")
    pictures = list(frames)
    if not pictures:
        raise InputError("frames are empty; give at least one frame.")
    durations = [10 * hundredths for hundredths in _hundredths(len(pictures), fps)]
    about: dict[str, Any] = {"comment": comment.encode("ascii")} if comment else {}
    each: Any = durations if len(pictures) > 1 else durations[0]  # of one picture no list is taken
    imageio.v3.imwrite(part, pictures, extension=".gif", duration=each, loop=0, **about)


def _hundredths(count: int, fps: float) -> Iterator[int]:
    """How long each frame stays, in hundredths of a second, so that no rounding adds up."""
    ends = [round(100 * number / fps) for number in range(count + 1)]
    return (end - start for start, end in zip(ends[:-1], ends[1:], strict=True))

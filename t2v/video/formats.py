"""The kinds of files that a video can be written as, by the ending of its name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from t2v.checks import InputError
from t2v.video.encode import H264, SOUND, VP9, encode
from t2v.video.gif import MAX_GIF_FPS, write_gif
from t2v.video.png import write_png, write_png_zip
from t2v.video.webp import write_webp

# (file to write, frames as they come, frames per second, ASCII that it is to carry or "")
Write = Callable[[Path, Iterator[np.ndarray], float, str], None]


@dataclass(frozen=True)
class Format:
    """A kind of file. name: for people. write: makes one.

    is_even: whether sides have to be even (4:2:0). bytes_per_pixel: how much a drawn scene takes, about;
    noise takes many times as much. max_fps: the most that players show, where that is less than our own most.
    """

    name: str
    write: Write
    bytes_per_pixel: float
    is_even: bool = False
    max_fps: float | None = None


def _encode(
    options: tuple[str, ...], part: Path, frames: Iterator[np.ndarray], fps: float, comment: str
) -> None:
    encode(part, frames, fps, [*(["-metadata", f"comment={comment}"] if comment else []), *options])


MP4, PNG, ZIP = ".mp4", ".png", ".zip"
FORMATS = {
    MP4: Format("MP4", partial(_encode, H264), 0.03, is_even=True),
    ".webm": Format("WebM", partial(_encode, VP9), 0.03, is_even=True),
    ".gif": Format("GIF", write_gif, 0.6, max_fps=MAX_GIF_FPS),
    ".webp": Format("WebP", write_webp, 0.2),
    ZIP: Format("PNG frames", write_png_zip, 1.5),
    PNG: Format("PNG", write_png, 1.5),
}
_OF_VIDEOS = ", ".join(FORMATS)
ENDINGS = f"{_OF_VIDEOS.rpartition(', ')[0]} or {PNG}"  # .mp4, .webm ... or .png


def format_of(path: Path) -> Format | None:
    """The kind of file that a name says; None where it is none of them."""
    return FORMATS.get(path.suffix.lower())


def has_sound(path: Path) -> bool:
    """Whether files of this name can have sound."""
    return path.suffix.lower() in SOUND


def check_format(path: Path, fps: float | None, num_frames: int | None, name: str = "output") -> None:
    """InputError where no such video can be a file of that name. None: a number that is not known yet."""
    kind = FORMATS[path.suffix.lower()]
    if fps is not None and kind.max_fps is not None and fps > kind.max_fps:
        most = f"a {kind.name} plays at most {kind.max_fps:g}"
        raise InputError(f"fps is {fps:g}, and {most}; give a name in {MP4}.")
    if path.suffix.lower() == PNG and num_frames not in (None, 1):
        raise InputError(
            f"{name} is {path}, which holds one frame, and num_frames is {num_frames}; "
            f"choose 1, or a name in {ZIP} for all of them."
        )

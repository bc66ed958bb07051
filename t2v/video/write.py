"""A video that browsers play and that remembers its settings; it appears under its name when it is whole."""

import contextlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from t2v.checks import InputError, check_number
from t2v.video.clips import has_audio, length_s, read_comment
from t2v.video.encode import checked_frames, join
from t2v.video.formats import ENDINGS, check_format, format_of, has_sound
from t2v.video.look import look
from t2v.video.png import read_png_text, read_zip_text
from t2v.video.video import MAX_FPS, MIN_FPS
from t2v.video.webp import read_description

MAX_SETTINGS_CHARS = 100_000  # systems cut a single argument of a command at 128 KB


def check_output(path: str | os.PathLike[str], name: str = "output") -> Path:
    """``path`` if a video can be written there, which is tried; InputError with the reason otherwise.

    name: what the sentence calls the path. Nothing is left behind, and a file of that name stays as it is.
    """
    named, path = f"{name} is '{os.fspath(path)}'", Path(path)
    if format_of(path) is None:
        raise InputError(f"{named}; give a file name that ends in {ENDINGS}.")
    if not os.path.isdir(path.parent):
        raise InputError(f"{named}, but there is no folder '{path.parent}'; create it first.")
    if os.path.isdir(path):
        raise InputError(f"{named}, which is a folder; give the name of a file.")
    try:  # rights do not tell all: /proc takes no files from anybody
        path.exists()  # a name may be too long
        trial = _beside(path)
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        reason = f"no file can be written there ({error.strerror})"
        raise InputError(f"{named}, but {reason}; choose another place.") from error
    return path


def write_video(
    path: str | os.PathLike[str],
    frames: Iterable[np.ndarray],
    fps: float,
    settings: dict[str, Any] | None = None,
) -> Path:
    """Write a video as the kind of file that the ending says (``t2v.video.formats``), and return its path.

    MP4 (H.264 High, yuv420p, index in front) and WebM (VP9), which browsers play; GIF, of 256 colours a
    frame; animated WebP; a zip of PNGs; a PNG of one frame. frames: uint8 RGB (h, w, 3), of one size, taken
    one by one, so an iterator of any length costs no memory. In MP4 and WebM a side that is odd gains one
    repeated row or column (4:2:0 needs even sides). settings: a JSON-able dict, stored in the file for
    ``read_settings``. The file appears under its name only when it is whole; whatever is raised,
    KeyboardInterrupt too, nothing is left behind and a file of that name stays as it was. The same frames
    give the same file. InputError for a bad path, rate, frame or settings; OSError if writing fails.
    """
    path = check_output(path)
    fps = check_number("fps", fps, MIN_FPS, MAX_FPS)
    check_format(path, fps, None)
    comment = "" if settings is None else _to_json(settings)
    kind = format_of(path)
    assert kind is not None  # check_output says so
    with replacing(path) as part:
        kind.write(part, checked_frames(frames, kind.is_even), fps, comment)
    return path


def add_audio(movie: str | os.PathLike[str], source: str | os.PathLike[str]) -> bool:
    """Give a finished MP4 or WebM the sound of the clip it was made from; False, nothing done, without any.

    For a movie that shows the whole clip at its own rate; what of the sound comes before or after the
    pictures is left out. Those and the settings stay as they are, and the movie keeps its name: the file
    under it is whole at every moment. Nor is anything done to other kinds, which have no sound. InputError if
    the clip is bad; OSError if writing fails.
    """
    movie, source = check_output(movie), Path(source)
    if not has_sound(movie) or not has_audio(source):
        return False
    seconds, starts_s = length_s(movie), look(source).stamps.starts_s
    with replacing(movie) as part:
        join(part, movie, source, seconds, starts_s)
    return True


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write, beside ``path``, that takes its place if all goes well, and else is gone."""
    part = _beside(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{secrets.token_hex(8)}.part{path.suffix}")


def read_settings(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """What ``write_video`` stored in a file of any of its kinds, None if it carries no settings.

    The kind is told by what is in the file. InputError if it is no video or picture that can be read.
    """
    text = _text_in(Path(path))
    if text is None:
        return None
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):  # somebody else's comment
        return None
    return settings if isinstance(settings, dict) else None


def _text_in(path: Path) -> str | None:
    """The comment, description or file in which a video carries its settings."""
    most = 2 * MAX_SETTINGS_CHARS
    head = _head_of(path)
    if head.startswith(b"\x89PNG"):
        return read_png_text(path)
    if head.startswith(b"RIFF") and head.endswith(b"WEBP"):
        return read_description(path, most)
    if head.startswith(b"PK\3\4"):
        return read_zip_text(path, most)
    return read_comment(path)


def _head_of(path: Path) -> bytes:
    """Its first bytes; none of what is no file or cannot be read, as what reads videos says why."""
    try:
        if path.is_file():  # a pipe would wait for ever
            with path.open("rb") as file:
                return file.read(12)
    except (OSError, ValueError):
        pass
    return b""


def _to_json(settings: dict[str, Any]) -> str:
    try:  # plain ASCII in one line passes every command line and every tag reader unharmed
        text = json.dumps(settings, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"settings cannot be stored as JSON ({error}).") from error
    if len(text) > MAX_SETTINGS_CHARS:
        raise InputError(f"settings take {len(text)} characters; at most {MAX_SETTINGS_CHARS} are stored.")
    return text

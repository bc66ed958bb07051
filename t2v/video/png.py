"""PNG: one frame, or all of them in a zip, without loss; each carries the settings as text."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from t2v.checks import InputError
from t2v.video.encode import NO_FRAMES

OF_GRIDS = "comment"  # where grids of tried pictures have theirs
KEYWORD = "Comment"  # the one of PNG's own that is meant for anything
SETTINGS = "settings.json"  # the first file in the zip
_SAME_TIME = (1980, 1, 1, 0, 0, 0)  # so that the same frames give the same file
_LOCAL = struct.Struct("<4sHHHHHIIIHH")  # what stands before a file in a zip
_STORED, _DEFLATED, _SIZE_FOLLOWS = 0, 8, 0x08


def write_png(part: Path, frames: Iterator[np.ndarray], fps: float, comment: str) -> None:
    """The one frame, uint8 RGB (h, w, 3). InputError where there is none, or more than one."""
    first = next(frames, None)
    if first is None:
        raise InputError(NO_FRAMES)
    if next(frames, None) is not None:
        raise InputError("frames are more than one, and a PNG holds one; give a name in .zip for all.")
    part.write_bytes(_png(first, comment))


def write_png_zip(part: Path, frames: Iterator[np.ndarray], fps: float, comment: str) -> None:
    """Frames, uint8 RGB (h, w, 3), as they come: 00001.png and so on. comment: JSON, also a file of its own.

    InputError for no frame; OSError if writing fails.
    """
    number = 0
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as made:
        if comment:
            made.writestr(zipfile.ZipInfo(SETTINGS, _SAME_TIME), comment)
        for number, frame in enumerate(frames, start=1):
            made.writestr(zipfile.ZipInfo(f"{number:05}.png", _SAME_TIME), _png(frame, comment))
        if number == 0:
            raise InputError(NO_FRAMES)


def read_png_text(path: Path) -> str | None:
    """The text that a PNG carries, None without; InputError where it is none. Nothing is decoded."""
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            text = picture.info.get(KEYWORD, picture.info.get(OF_GRIDS))
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as error:
        raise InputError(f"{path.name} is damaged or cut off; save or download it again.") from error
    return text if isinstance(text, str) else None


def read_zip_text(path: Path, max_bytes: int) -> str | None:
    """What ``SETTINGS`` holds, where that is the zip's first file, as ``write_png_zip`` makes it; else None.

    The list of files at the end is not read: one made to harm would take gigabytes.
    """
    with path.open("rb") as file:
        head = file.read(_LOCAL.size)
        if len(head) < _LOCAL.size:
            return None
        _, _, flags, way, _, _, _, packed, size, name_length, extra_length = _LOCAL.unpack(head)
        name = file.read(name_length)
        file.seek(extra_length, 1)
        sized = not flags & _SIZE_FOLLOWS and max(packed, size) <= max_bytes
        if name != SETTINGS.encode("ascii") or not sized or way not in (_STORED, _DEFLATED):
            return None
        data = file.read(packed)
    if way == _DEFLATED:
        try:
            data = zlib.decompressobj(-15).decompress(data, max_bytes)
        except zlib.error:
            return None
    return data.decode("utf-8", "replace")


def _png(frame: np.ndarray, comment: str) -> bytes:
    text = PngImagePlugin.PngInfo()
    if comment:
        text.add_itxt(KEYWORD, comment)
    made = io.BytesIO()
    Image.fromarray(frame).save(made, "PNG", pnginfo=text)
    return made.getvalue()

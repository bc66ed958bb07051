"""An animated WebP, which browsers show like a GIF, in all colours and a quarter of its size; and its EXIF.

A WebP is a RIFF file: chunks, each with a name of four letters, its size, and a zero behind odd ones. What
says that there is EXIF is a flag in the first one, VP8X, which a single picture does without until then.
"""

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from t2v.video.encode import encode

MOST_CHUNKS = 50_000  # that are looked through; the longest video has 20,000 frames
_HAS_EXIF = 0x08
_DESCRIPTION, _ASCII = 0x010E, 2  # TIFF's tag and type
_QUALITY = ("-c:v", "libwebp", "-pix_fmt", "bgra", "-quality", "90", "-compression_level", "4")


def write_webp(part: Path, frames: Iterator[np.ndarray], fps: float, comment: str) -> None:
    """Frames, uint8 RGB (h, w, 3), of one size, as they come. comment: ASCII that the file carries.

    InputError for no frame; OSError if writing fails.
    """
    plain = part.with_name(f"{part.name}.plain")
    try:
        encode(plain, frames, fps, [*_QUALITY, "-loop", "0", "-f", "webp"])
        if comment:
            _with_exif(plain, part, _exif(comment.encode("ascii")))
        else:
            plain.replace(part)
    finally:
        plain.unlink(missing_ok=True)


def read_description(path: Path, max_bytes: int) -> str | None:
    """What the EXIF of a WebP says that it shows; None where there is none, or more than ``max_bytes``."""
    with path.open("rb") as file:
        file.seek(12)
        for _ in range(MOST_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                return None
            name, size = head[:4], int.from_bytes(head[4:], "little")
            if name == b"EXIF":
                return _description(file.read(size)) if size <= max_bytes else None
            file.seek(size + size % 2, 1)
    return None


def _with_exif(plain: Path, target: Path, exif: bytes) -> None:
    with plain.open("rb") as source, target.open("wb") as made:
        source.seek(12)
        first = source.read(18)
        if first[:4] == b"VP8X":
            flags, rest = first[8], first[9:]
        else:  # a single picture
            with Image.open(plain) as picture:
                sides = [(side - 1).to_bytes(3, "little") for side in picture.size]
            flags, rest = 0, b"\0\0\0" + b"".join(sides)
            source.seek(12)
        made.write(b"RIFF\0\0\0\0WEBPVP8X" + struct.pack("<IB", 10, flags | _HAS_EXIF) + rest)
        shutil.copyfileobj(source, made)
        made.write(b"EXIF" + struct.pack("<I", len(exif)) + exif + b"\0" * (len(exif) % 2))
        whole = made.tell() - 8
        made.seek(4)
        made.write(struct.pack("<I", whole))


def _exif(text: bytes) -> bytes:
    """TIFF with one entry: what the picture shows."""
    entry = struct.pack("<HHHII", 1, _DESCRIPTION, _ASCII, len(text) + 1, 8 + 2 + 12 + 4)
    return b"II*\0" + struct.pack("<I", 8) + entry + b"\0\0\0\0" + text + b"\0"


def _description(exif: bytes) -> str | None:
    """The same read, of either order of bytes; None where it is not so."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        for number in range(entries):
            tag, kind, count, at = struct.unpack_from(f"{order}HHII", exif, start + 2 + 12 * number)
            if (tag, kind) == (_DESCRIPTION, _ASCII) and count > 4:  # shorter ones are no settings
                return exif[at : at + count].rstrip(b"\0").decode("utf-8", "replace")
    except struct.error:  # it ends before what it promises
        return None
    return None

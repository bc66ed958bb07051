"""A GIF that plays without end, for those who ask for one; an MP4 shows the same frames finer and smaller."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from t2v.video.encode import encode

MAX_GIF_FPS = 50.0  # browsers play frames that are shorter slowly
# Each frame has 256 colours of its own, found when it comes, so that a long GIF needs no more memory than a
# short one. A weak, fixed pattern (and not errors handed on) keeps what stands still from flickering.
_COLOURS = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=bayer:bayer_scale=5"
_HEAD = 13  # bytes of signature, size and flags
_LOOP = 19  # of the block that says that it plays without end
_PIECE = 255  # the most bytes of a piece of a block


def write_gif(part: Path, frames: Iterator[np.ndarray], fps: float, comment: str) -> None:
    """Frames, uint8 RGB (h, w, 3), of one size, as they come. comment: ASCII that the file carries.

    InputError for no frame; OSError if writing fails.
    """
    plain = part.with_name(f"{part.name}.plain")
    try:
        encode(plain, frames, fps, ["-vf", _COLOURS, "-loop", "0", "-f", "gif"])
        _with_comment(plain, part, comment.encode("ascii"))
    finally:
        plain.unlink(missing_ok=True)


def _with_comment(plain: Path, target: Path, comment: bytes) -> None:
    """The GIF with a comment block (GIF89a, section 24) before its first picture, where readers look."""
    with plain.open("rb") as source, target.open("wb") as made:
        head = source.read(_HEAD)
        colours = 3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0
        made.write(head + source.read(colours))
        before = source.read(_LOOP)
        made.write(before if before.startswith(b"\x21\xff") else b"")
        if comment:
            pieces = [comment[start : start + _PIECE] for start in range(0, len(comment), _PIECE)]
            made.write(b"\x21\xfe" + b"".join(bytes([len(one)]) + one for one in pieces) + b"\0")
        made.write(b"" if before.startswith(b"\x21\xff") else before)
        shutil.copyfileobj(source, made)

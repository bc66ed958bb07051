"""What makes hostile clips for tests: each maker puts one into an empty folder, ``at.folder``, and names it.

``at`` has right clips to spoil, too: ``plain``, a path; ``late``, the bytes of an MP4 with its index at
the end, and ``front``, at its beginning; ``sound``, one with sound; ``root``, the folder of these. ``secret``
is a clip that nobody may open, ``url`` a server that nobody should ask.
"""

import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from boxes import edited
from clips import ffmpeg

Make = Callable[[SimpleNamespace], Path]


def text(content: str, name: str = "clip.mp4") -> Make:
    """{secret}, {url}: of the secret clip and of the server that nobody should ask."""

    def make(at: SimpleNamespace) -> Path:
        filled = content.replace("{secret}", str(at.secret)).replace("{url}", at.url)
        (at.folder / name).write_text(filled.replace("{near}", os.path.relpath(at.secret, at.folder)))
        return at.folder / name

    return make


def data(content: bytes, name: str = "clip.mp4") -> Make:
    def make(at: SimpleNamespace) -> Path:
        (at.folder / name).write_bytes(content)
        return at.folder / name

    return make


def cut(share: float, kind: str = "mp4", front: bool = True) -> Make:
    """A clip of which only so much arrived."""

    def make(at: SimpleNamespace) -> Path:
        ffmpeg("-i", at.plain, *(["-movflags", "+faststart"] if front else []), at.root / f"whole.{kind}")
        whole = (at.root / f"whole.{kind}").read_bytes()
        return data(whole[: int(share * len(whole))], f"clip.{kind}")(at)

    return make


def boxed(kind: bytes, change: Callable[[bytes], bytes]) -> Make:
    """A right MP4 with boxes of a kind changed."""
    return lambda at: data(edited(at.late, kind, change))(at)


def made(*options: object, name: str = "clip.mp4", source: str = "plain") -> Make:
    """What ffmpeg makes of a right clip with these options."""

    def make(at: SimpleNamespace) -> Path:
        texts = [str(one).replace("{folder}", str(at.root)) for one in options]
        ffmpeg("-i", getattr(at, source), *texts, at.folder / name)
        return at.folder / name

    return make


def link(target: str) -> Make:
    def make(at: SimpleNamespace) -> Path:
        (at.folder / "clip.mp4").symlink_to(target)
        return at.folder / "clip.mp4"

    return make


def special(make: Callable[[Path], object]) -> Make:
    def made(at: SimpleNamespace) -> Path:
        make(at.folder / "clip.mp4")
        return at.folder / "clip.mp4"

    return made


def named(name: str) -> Make:
    """A right clip of an odd name."""
    return lambda at: data(at.front, name)(at)


def archive(at: SimpleNamespace) -> Path:
    with zipfile.ZipFile(at.folder / "clip.mp4", "w") as file:
        file.writestr("../../../tmp/evil", "x")
        file.writestr("bomb", bytes(10**7), zipfile.ZIP_DEFLATED)
    return at.folder / "clip.mp4"


def png(width: int, height: int) -> bytes:
    def part(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10**6))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", pixels) + part(b"IEND", b"")


def gif(width: int, height: int, frames: int = 2, tells_time: bool = True) -> bytes:
    """A canvas of that size, and frames of one pixel on it."""
    one = b"\x21\xf9\4\0\x0a\0\0\0" if tells_time else b""
    one += b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\x40\x40\x40"
    return head + one * frames + b"\x3b"


def avi_with_playlist(at: SimpleNamespace) -> Path:
    """An AVI whose subtitles are a playlist in disguise (GAB2)."""
    ffmpeg("-i", at.plain, "-c:v", "mjpeg", at.folder / "whole.avi")
    whole = (at.folder / "whole.avi").read_bytes()
    (at.folder / "whole.avi").unlink()
    playlist = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:9,\nfile://{at.secret}\n#EXT-X-ENDLIST\n".encode()
    gab2 = b"GAB2\0" + struct.pack("<HIHH", 2, 2, 0, 4) + struct.pack("<I", len(playlist)) + playlist
    chunk = b"01tx" + struct.pack("<I", len(gab2)) + gab2 + b"\0" * (len(gab2) % 2)
    place = whole.index(b"movi") + 4
    return data(whole[:place] + chunk + whole[place:], "clip.avi")(at)

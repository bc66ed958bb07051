"""MP4 files spoiled on purpose: their boxes changed, made larger, or made up."""

import struct
from collections.abc import Callable
from pathlib import Path

PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts")


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def edited(data: bytes, kind: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The boxes with the content of those of a kind changed; those around them grow with them."""
    out, at = b"", 0
    while at + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        content = data[at + 8 : at + size]
        if name == kind:
            content = change(content)
        elif name in PARENTS:
            content = edited(content, kind, change)
        out += box(name, content)
        at += size
    return out


def put(at: int, form: str, *values: int) -> Callable[[bytes], bytes]:
    """Numbers written over a box's content, from a byte on."""

    def change(content: bytes) -> bytes:
        size = struct.calcsize(form)
        return content[:at] + struct.pack(form, *values) + content[at + size :]

    return change


def alias(target: Path) -> bytes:
    """An entry of QuickTime's "dref": the frames are in that other file, in a folder beside this one."""
    name, path = target.name.encode(), str(target).replace("/", ":").encode()
    path += b"\0" * (len(path) % 2)
    record = bytes(10) + b"\0" + bytes(27) + bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0")
    record += bytes(16) + struct.pack(">HH", 1, 2) + bytes(16)
    record += struct.pack(">HH", 2, len(path)) + path + struct.pack(">hH", -1, 0)
    return struct.pack(">II", 0, 1) + box(b"alis", bytes(4) + record.ljust(160, b"\0"))


def address(target: Path) -> bytes:
    """The same by an address."""
    return struct.pack(">II", 0, 1) + box(b"url ", bytes(4) + b"file://" + bytes(target) + b"\0")

"""Folders as they lie on people's disks: closed, in circles, full of what is no file, oddly named."""

import ctypes
import os
import random
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OVERRIDES = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
VERSION_3 = 0x20080522  # of the kernel's words for them
NAMES = (b"model.safetensors", b"a\nb.ckpt", b"caf\xe9.safetensors", b"UPPER.SAFETENSORS", b".hidden.pt",
         b"x", b"dream", b"config.json", b"model_index.json", "ü 🎨.pt".encode(), b"plus+name@0.5.pth",
         b"n" * 251 + b".pt", b" spaced .bin", b"\x1b[31mred.ckpt", b"x.yaml", b"image_encoder")  # fmt: skip


@contextmanager
def without_overriding() -> Iterator[None]:
    """Rights count for root, too, in this thread; skips where that cannot be had."""
    if os.name != "posix":
        pytest.skip("rights are other ones here")
    if os.geteuid() != 0:
        yield
        return
    if not sys.platform.startswith("linux"):
        pytest.skip("root may read everything here")
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(VERSION_3, 0)
    held = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; and the higher halves
    assert libc.capget(header, held) == 0
    before = held[0]
    held[0] = before & ~OVERRIDES
    assert libc.capset(header, held) == 0
    try:
        yield
    finally:
        held[0] = before
        assert libc.capset(header, held) == 0


@contextmanager
def closed(path: Path, mode: int = 0) -> Iterator[None]:
    """A file or folder that may not be read, as its owner's rights have it."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        with without_overriding():
            yield
    finally:
        path.chmod(before)


def strange_folder(root: Path, drawn: random.Random, most: int = 25) -> list[Path]:
    """Fills a folder with what there may be, and returns what should be closed."""
    folders, shut = [root], []
    for _ in range(drawn.randint(1, most)):
        path = Path(os.fsdecode(os.fsencode(drawn.choice(folders)) + b"/" + drawn.choice(NAMES)))
        kind = drawn.choice(("file", "folder", "folder", "link", "loop", "fifo", "socket", "shut"))
        if os.path.lexists(path):
            continue
        if kind == "file":
            path.write_bytes(
                drawn.choice((b"", b"{}", b"[" * 100, b"PK\x03\x04", drawn.randbytes(40), b"text\n"))
            )
        elif kind == "folder":
            path.mkdir()
            folders.append(path)
        elif kind == "link":
            path.symlink_to(drawn.choice(("nowhere", path.name, *map(str, folders), "/dev/null")))
        elif kind == "loop":
            path.symlink_to(root, target_is_directory=True)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket":
            _socket(path)
        else:
            path.mkdir()
            (path / "inside.safetensors").write_bytes(b"x")
            shut.append(path)
    return shut


def _socket(path: Path) -> None:
    """At a path of any length, by its folder."""
    here = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f"/proc/self/fd/{here}/s")
        os.rename(path.parent / "s", path)
    finally:
        os.close(here)

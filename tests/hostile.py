"""Broken and hostile folders for tests: what spoils one thing, and a watch on what is opened and run."""

import ctypes
import json
import os
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

Spoil = Callable[[Path], object]
DEEP = 100_000
RUNS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.connect")

CAN_WATCH = sys.platform == "linux"  # what other processes open

_watching: list[str] | None = None
_forbidden = ""


def _hook(event: str, args: tuple) -> None:
    if _watching is None:
        return
    if event in RUNS:
        _watching.append(event)
    if event == "open" and isinstance(args[0], (str, bytes)) and _forbidden in os.fsdecode(args[0]):
        _watching.append(os.fsdecode(args[0]))


sys.addaudithook(_hook)


@contextmanager
def watched(forbidden: str) -> Iterator[list[str]]:
    """A list of all that is run, or opened with ``forbidden`` in its path, in the meantime."""
    global _watching, _forbidden
    _watching, _forbidden = [], forbidden
    try:
        yield _watching
    finally:
        _watching = None


def text(file: str, content: str) -> Spoil:
    return lambda folder: (folder / file).write_text(content)


def binary(file: str, content: bytes) -> Spoil:
    return lambda folder: (folder / file).write_bytes(content)


def nested(file: str, begin: str = "[", end: str = "]") -> Spoil:
    return text(file, begin * DEEP + end * DEEP)


def nested_value(file: str, name: str, depth: int) -> Spoil:
    """A value within an otherwise right object."""
    return lambda folder: (folder / file).write_text(
        json.dumps({**json.loads((folder / file).read_text()), name: None})[:-1].replace(
            f'"{name}": null', f'"{name}": ' + "[" * depth + "]" * depth
        )
        + "}"
    )


def changed(file: str, **values: object) -> Spoil:
    return lambda folder: (folder / file).write_text(
        json.dumps({**json.loads((folder / file).read_text()), **values})
    )


def without(file: str, *names: str) -> Spoil:
    def spoil(folder: Path) -> None:
        kept = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({key: one for key, one in kept.items() if key not in names}))

    return spoil


def gone(file: str) -> Spoil:
    return lambda folder: (folder / file).unlink()


def replaced(file: str, make: Callable[[Path], object]) -> Spoil:
    """A folder, a pipe or a link in a file's place."""

    def spoil(folder: Path) -> None:
        (folder / file).unlink()
        make(folder / file)

    return spoil


def tensors(file: str, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / file
        save_file(change(load_file(path)), path, metadata={"format": "pt"})

    return spoil


def cut(file: str, length: int) -> Spoil:
    return lambda folder: (folder / file).write_bytes((folder / file).read_bytes()[:length])


def header(file: str, said: dict, length: int | None = None) -> Spoil:
    """A safetensors file of this header and nothing behind it."""
    content = json.dumps(said).encode()
    size = struct.pack("<Q", len(content) if length is None else length)
    return lambda folder: (folder / file).write_bytes(size + content)


class Trap:
    """Unpickled, it opens a file in a forbidden place."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple:
        return open, (self.path, "w")


def pickled(file: str) -> Spoil:
    """A pickle that would open a file, in the place of a safetensors file."""

    def spoil(folder: Path) -> None:
        path = folder / file
        weights = load_file(path)
        path.unlink()
        name = path.name.replace(".safetensors", ".bin")
        name = f"pytorch_{name}" if name == "model.bin" else name
        torch.save({**weights, "trap": Trap(folder.parent / "forbidden" / "sprung")}, path.with_name(name))

    return spoil


@contextmanager
def opened_in(folder: Path) -> Iterator[list[str]]:
    """Names of the folder's files that any process opens in the meantime; filled at the end, on Linux."""
    names: list[str] = []
    if not CAN_WATCH:
        yield names
        return
    libc = ctypes.CDLL(None)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(watch, os.fsencode(folder), 0x20) >= 0  # IN_OPEN
    try:
        yield names
    finally:
        told = _all_of(watch)
        os.close(watch)
    while told:
        size = struct.unpack("iIII", told[:16])[3]
        names.append(os.fsdecode(told[16 : 16 + size].rstrip(b"\0")))
        told = told[16 + size :]


def _all_of(watch: int) -> bytes:
    try:
        return os.read(watch, 1 << 20)
    except BlockingIOError:
        return b""

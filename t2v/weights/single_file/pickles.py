"""Pickles of tensors, as .ckpt, .pt and .pth files are, read without torch and without running anything."""

import io
import math
import pickle
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2v.weights.single_file.header import BYTES, MAX_TENSORS
from t2v.weights.single_file.stand_ins import Foreign, Nothing, PickledTensor, Reader

MAX_PICKLE_BYTES = 64_000_000  # of the program alone, beside the values; a checkpoint with EMA has 0.5 MB
MAX_ENTRIES = 200_000  # files in the archive: one a tensor
DEEPEST = 5
MOST_REPEATED = 1_000_000  # values of a tensor that has fewer of its own, the same ones over and over
MAGIC = 0x1950A86A20F9469CFC6C  # with which torch began its files before they were archives
BROKEN = (
    pickle.UnpicklingError, ValueError, EOFError, TypeError, AttributeError, LookupError, OverflowError,
    MemoryError, RecursionError, NotImplementedError, zipfile.BadZipFile, zlib.error, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True)
class Pickled:
    """A file's tensors by name, and where in the file each storage's values begin, with their bytes."""

    path: Path
    tensors: Mapping[str, PickledTensor]
    places: Mapping[str, tuple[int, int]]


def read_pickle(path: Path) -> Pickled:
    """The tensors that a file of torch's lists.

    Foreign where it holds anything else; ValueError with the reason where it is none, or broken; OSError.
    """
    try:
        with path.open("rb") as file:
            archive = zipfile.is_zipfile(file)
            file.seek(0)
            state, places = _of_archive(file) if archive else _of_old(file, path.stat().st_size)
        tensors = dict(_named(state, "", 0, [0]))
        for one in tensors.values():
            _check(one, places)
        return Pickled(path, tensors, places)
    except Foreign:
        raise
    except BROKEN as error:
        told = str(error) if type(error) is ValueError else "its pickle cannot be read"
        raise ValueError(told) from error


def _of_archive(file: Any) -> tuple[Any, dict[str, tuple[int, int]]]:
    """A torch file since 1.6: a zip of data.pkl and of a file a storage, none of them packed."""
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise ValueError("it lists more files than any model has")
        by_name = {one.filename: one for one in entries}
        programs = [name for name in by_name if name.endswith("data.pkl") and name.count("/") <= 1]
        if len(programs) != 1 or by_name[programs[0]].file_size > MAX_PICKLE_BYTES:
            raise ValueError("it is an archive of something else")
        root = programs[0].removesuffix("data.pkl")
        order = by_name.get(f"{root}byteorder")
        if order is not None and archive.open(order).read(8).strip() != b"little":
            raise ValueError("its numbers have their bytes in another order")
        program = archive.open(by_name[programs[0]]).read(MAX_PICKLE_BYTES)
        state = Reader(io.BytesIO(program)).load()
        places = {}
        for name, one in by_name.items():
            if name.startswith(f"{root}data/") and one.compress_type == zipfile.ZIP_STORED:
                places[name.removeprefix(f"{root}data/")] = (_begin(file, one), one.file_size)
    return state, places


def _begin(file: Any, entry: zipfile.ZipInfo) -> int:
    """Where an unpacked file of the archive begins: behind its own short header."""
    file.seek(entry.header_offset + 26)
    lengths = file.read(4)
    name, extra = int.from_bytes(lengths[:2], "little"), int.from_bytes(lengths[2:], "little")
    return int(entry.header_offset + 30 + name + extra)


def _of_old(file: Any, size: int) -> tuple[Any, dict[str, tuple[int, int]]]:
    """A torch file of before 1.6: pickles in a row, then the values."""
    source = _Sparing(file)
    if Reader(source).load() != MAGIC:
        raise ValueError("it is no file of torch's")
    for _ in range(2):  # the version, and the machine that wrote it
        Reader(source).load()
    reader = Reader(source)
    state, keys = reader.load(), Reader(source).load()
    if not isinstance(keys, list) or len(keys) > MAX_ENTRIES:
        raise ValueError("its pickle cannot be read")
    places, position = {}, file.tell()
    for key in keys:
        length = reader.storages[key].length * BYTES[reader.storages[key].dtype]
        places[str(key)] = (position + 8, length)
        position += 8 + length
    if position > size:
        raise ValueError("the file is cut short")
    return state, places


class _Sparing:
    """A file of which a pickle may read so much and no more."""

    def __init__(self, file: Any) -> None:
        self._file, self._left = file, MAX_PICKLE_BYTES

    def _spend(self, read: bytes) -> bytes:
        self._left -= len(read)
        if self._left < 0:
            raise ValueError("its pickle is longer than any model's")
        return read

    def read(self, count: int) -> bytes:
        return self._spend(self._file.read(min(count, self._left + 1)))

    def readline(self) -> bytes:
        return self._spend(self._file.readline(self._left + 1))


def _named(held: Any, name: str, depth: int, seen: list[int]) -> Iterator[tuple[str, PickledTensor]]:
    """Tensors in nested dictionaries, by their names joined with points; "state_dict" is not a name."""
    seen[0] += 1
    if seen[0] > MAX_TENSORS:
        raise ValueError("it lists more tensors than any model has")
    if isinstance(held, PickledTensor):
        yield name, held
    elif isinstance(held, Nothing) and isinstance(held.state, dict):
        yield from _named(held.state.get("_parameters"), name, depth + 1, seen)
    elif isinstance(held, dict) and depth < DEEPEST:
        if depth == 0 and isinstance(held.get("state_dict"), dict):
            held = held["state_dict"]
        for key, value in held.items():
            if isinstance(key, str):
                yield from _named(value, f"{name}.{key}" if name else key, depth + 1, seen)


def _check(one: PickledTensor, places: Mapping[str, tuple[int, int]]) -> None:
    """ValueError where a tensor reaches beyond its values."""
    if one.storage.key not in places:
        raise ValueError("the file is cut short")
    last = one.offset + sum((size - 1) * step for size, step in zip(one.shape, one.stride, strict=True))
    has = places[one.storage.key][1] // BYTES[one.dtype]
    if 0 not in one.shape and (last >= has or math.prod(one.shape) > max(has, MOST_REPEATED)):
        raise ValueError("a tensor of its pickle reaches beyond its values")

"""What a file of weights lists: names, shapes and kinds of numbers of its tensors, and none of their values.

Files come from anybody: sizes are believed only as far as the file is long.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

SAFE, PICKLES = ".safetensors", (".ckpt", ".pt", ".pth", ".bin")
ENDINGS = (SAFE, *PICKLES)
MAX_HEADER_BYTES = 100_000_000  # the format's own limit
MAX_TENSORS = 200_000  # an SDXL checkpoint has 2,500
MAX_DIMENSIONS = 8
MAX_METADATA = 100_000  # characters of one value; trainers write whole word counts there
BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I64": 8, "I32": 4, "I16": 2,
    "I8": 1, "U8": 1, "U16": 2, "U32": 4, "U64": 8, "BOOL": 1,
}  # fmt: skip


class Tensor(NamedTuple):
    """A tensor without its values. dtype: as safetensors calls it, "F16"."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """All tensors of a file by name, and what is said about them. size: of the file, in bytes."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]
    size: int


def is_safetensors(path: Path) -> bool:
    """Whether a file is of this kind, by its ending, or by its first bytes where people have renamed it."""
    if path.suffix.lower() == SAFE:
        return True
    with path.open("rb") as file:
        told = file.read(9)
    return told[8:] == b"{" and int.from_bytes(told[:8], "little") <= path.stat().st_size


def read_header(path: Path) -> Header:
    """The header of a .safetensors file or of a pickle of tensors.

    ValueError with the reason where it is none, is cut short or asks for more than the file holds, and
    ``Foreign`` where a pickle holds more than tensors; OSError where it cannot be read.
    """
    if is_safetensors(path):
        return _of_safetensors(path)
    return pickle_header(path)


def pickle_header(path: Path) -> Header:
    """The header of a pickle of tensors, whatever it is called; raises as ``read_header``."""
    from t2v.weights.single_file.pickles import read_pickle

    pickled = read_pickle(path)
    tensors = {name: Tensor(one.dtype, one.shape) for name, one in pickled.tensors.items()}
    return Header(tensors, {}, path.stat().st_size)


def _of_safetensors(path: Path) -> Header:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise ValueError("its header is longer than the file")
        told = file.read(length)
    try:
        held = json.loads(told)
    except (ValueError, RecursionError) as error:
        raise ValueError("its header is no JSON") from error
    if not isinstance(held, dict):
        raise ValueError("its header is no JSON object")
    about = held.pop("__metadata__", {})
    if len(held) > MAX_TENSORS:
        raise ValueError("it lists more tensors than any model has")
    room = size - 8 - length
    return Header({name: _tensor(told, room) for name, told in held.items()}, _texts(about), size)


def _tensor(told: Any, room: int) -> Tensor:
    """room: bytes that the file has for values."""
    try:
        dtype, shape, (start, end) = told["dtype"], tuple(told["shape"]), told["data_offsets"]
        for one in (*shape, start, end):
            if type(one) is not int or one < 0:
                raise TypeError("of another kind")
        if not isinstance(dtype, str) or len(shape) > MAX_DIMENSIONS or end < start:
            raise TypeError("of another kind")
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError("a tensor in its header is impossible") from error
    if end > room:
        raise ValueError("the file is cut short")
    if dtype in BYTES and end - start != math.prod(shape) * BYTES[dtype]:
        raise ValueError("a tensor in its header has another size than its values")
    return Tensor(dtype, shape)


def _texts(about: Any) -> dict[str, str]:
    """What a file says of itself: texts only, as far as they are of a sensible length."""
    if not isinstance(about, dict):
        return {}
    return {
        name: value
        for name, value in about.items()
        if isinstance(value, str) and len(name) < 200 and len(value) <= MAX_METADATA
    }

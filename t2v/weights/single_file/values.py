"""The values of a file's tensors, one at a time as they are asked for."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from t2v.weights.single_file.header import BYTES, is_safetensors
from t2v.weights.single_file.pickles import read_pickle

KINDS = {
    "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "I64": torch.int64, "I32": torch.int32,
    "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


class Values(Mapping[str, torch.Tensor]):
    """Names of tensors -> their values, read anew at each asking: a file may be larger than the memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._safe: Any
        if is_safetensors(path):
            self._safe, self._pickled = safe_open(path, framework="pt"), None
        else:
            self._safe, self._pickled = None, read_pickle(path)
        listed = list(self._safe.keys()) if self._pickled is None else self._pickled.tensors
        self._names = dict.fromkeys(listed)

    def __getitem__(self, name: str) -> torch.Tensor:
        if self._pickled is None:
            return self._safe.get_tensor(name)
        one = self._pickled.tensors[name]
        kind, each = KINDS[one.dtype], BYTES[one.dtype]
        if 0 in one.shape:
            return torch.empty(one.shape, dtype=kind)
        begin, _ = self._pickled.places[one.storage.key]
        count = 1 + sum((size - 1) * step for size, step in zip(one.shape, one.stride, strict=True))
        with self._path.open("rb") as file:
            file.seek(begin + one.offset * each)
            held = bytearray(file.read(count * each))
        if len(held) != count * each:
            raise ValueError("the file is cut short")
        return torch.frombuffer(held, dtype=kind).as_strided(one.shape, one.stride).contiguous()

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

"""Made-up files on a disk: as long as real ones, and a disk keeps no room for zeros that nobody wrote."""

import json
import math
from pathlib import Path
from typing import Any

from benchmarks.made_up.kinds import MADE_UP
from benchmarks.made_up.models import Shapes

BYTES = {"F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "U8": 1, "I64": 8}


def write_made_up(path: Path, shapes: Shapes, dtype: str, metadata: dict[str, str]) -> Path:
    """A .safetensors file with these tensors, all zeros, none of which is on the disk."""
    held: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for name, shape in shapes.items():
        begin, end = end, end + math.prod(shape) * BYTES[dtype]
        held[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    header = json.dumps(held).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + end)
    return path


def write_kind(path: Path, kind: str) -> Path:
    """The file of this name in MADE_UP, under another."""
    shapes, dtype, metadata, _ = MADE_UP[kind]
    return write_made_up(path, shapes(), dtype, metadata)


def write_pickled(path: Path, shapes: Shapes) -> Path:
    """A file of torch's with these tensors, all zeros in float16, which share what the largest one takes."""
    import torch

    zeros = torch.zeros(max(map(math.prod, shapes.values())), dtype=torch.float16)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({name: zeros[: math.prod(shape)].view(shape) for name, shape in shapes.items()}, path)
    return path


def file_name(name: str) -> str:
    """What a file of this name in MADE_UP is called."""
    return name if name.endswith(".pth") else f"{name}.safetensors"


def write_all(folder: Path) -> dict[str, Path]:
    """All of MADE_UP, by name."""
    return {
        name: write_pickled(folder / name, shapes())
        if name.endswith(".pth")
        else write_made_up(folder / file_name(name), shapes(), dtype, metadata)
        for name, (shapes, dtype, metadata, _) in MADE_UP.items()
    }

"""Devices and precisions by name. What can be told of them without torch, whose import takes seconds, is."""

import ctypes
import importlib.util
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from t2v.checks import InputError

if TYPE_CHECKING:
    import torch

DEVICE = re.compile(r"(cpu|cuda|mps)(?::(\d{1,4}))?", re.ASCII)
DTYPES = ("float32", "float16", "bfloat16")
QUICK_IN_BFLOAT16 = ("avx512_bf16", "amx_bf16")  # instructions, as torch calls them


def check_device(device: str) -> None:
    """InputError for what names no device, and for one that this machine surely has not; without torch."""
    kind, index = _read(device)
    there = {"cpu": 1, "cuda": _cuda_gpus(), "mps": None if sys.platform == "darwin" else 0}[kind]
    if there is not None and index >= there:
        raise _absent(device)


def check_dtype(dtype: str) -> None:
    """InputError for what names no precision; without torch."""
    if dtype not in DTYPES:
        raise InputError(f"dtype is {dtype!r}; choose one of {', '.join(DTYPES)}.")


def pick_device(device: str | None) -> str:
    """The device of that name, None: the best there is. InputError where this machine has not got it."""
    import torch

    if device is None:
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, index = _read(device)
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if index >= there[kind]:
        raise _absent(device)
    return str(device)


def pick_dtype(dtype: "str | torch.dtype | None", device: str) -> "torch.dtype":
    """The precision of that name, None: what suits the device. InputError for other names."""
    import torch

    if dtype is None:
        return torch.float16 if device.startswith("cuda") else torch.float32
    name = str(dtype).removeprefix("torch.")
    check_dtype(name)
    precision: torch.dtype = getattr(torch, name)
    return precision


def is_quick_in_bfloat16() -> bool:
    """Whether this machine's processor multiplies in bfloat16 by itself, and torch lets it.

    Others do it through float32, which is slower than float32 alone. Where nothing is known of it (another
    version of torch, a processor that is not x86) the answer is no.
    """
    import torch

    told: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    has_them = any(told.get(name) is True for name in QUICK_IN_BFLOAT16)
    is_held_back = torch.backends.cpu.get_cpu_capability() != "AVX512"  # by ATEN_CPU_CAPABILITY
    library: Any = torch.backends.mkldnn  # what multiplies
    return has_them and not is_held_back and bool(library.is_available() and library.enabled)


def settle(network: "torch.nn.Module", device: str) -> "torch.nn.Module":
    """The network on the device of that name, laid out as suits it, ready to draw and free of its file."""
    return detach_from_file(lay_out(network.eval().to(device), device))


def detach_from_file(network: "torch.nn.Module") -> "torch.nn.Module":
    """The same network, its weights in the machine's memory copied there, one after the other.

    What is read of safetensors may be the file itself, as the system shows it in memory, and nothing tells
    it apart: where somebody writes over the file, weights would change in the middle of a run, and where it
    is cut short the program would be ended.
    """
    for one in (*network.parameters(), *network.buffers()):
        if one.device.type == "cpu":
            one.data = one.data.clone()
    return network


def lay_out(network: "torch.nn.Module", device: str) -> "torch.nn.Module":
    """The network with its convolutions' weights laid out as suits what computes, wherever they are.

    On a CPU they keep a pixel's channels side by side: a video of the miniature takes a tenth less time. On
    an H200 that was 6 % slower: convolutions gain, and PyTorch's norms lose more (but see ``compiled.py``).
    Not those of clips, for which torch has no such layout beside this one.
    """
    import torch

    of_clips = any(one.dim() == 5 for one in network.parameters())  # convolutions over time
    together = device.startswith("cpu") and not of_clips
    laid: Any = network  # torch's types know no layout of a whole network
    return laid.to(memory_format=torch.channels_last if together else torch.contiguous_format)


def _read(device: str) -> tuple[str, int]:
    found = DEVICE.fullmatch(str(device))
    if found is None:
        raise InputError(f"device is {str(device)!r}; choose cpu, cuda, cuda:N or mps.")
    return found[1], int(found[2] or 0)


def _absent(device: str) -> InputError:
    return InputError(f"device is {str(device)!r}, which this machine has not; choose cpu or leave it out.")


def _cuda_gpus() -> int | None:
    """How many GPUs torch will find, asked of NVIDIA's driver itself; None where only torch can tell."""
    build = _torch_build()
    if build is None or getattr(build, "hip", None):  # AMD's go by the name of cuda too
        return None
    if build.cuda is None:
        return 0
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:  # no driver
        return 0
    count = ctypes.c_int()
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return 0 if failed else count.value


def _torch_build() -> ModuleType | None:
    """torch.version, which tells what torch was built for; None where that is not to be found."""
    package = importlib.util.find_spec("torch")
    path = None if package is None or package.origin is None else Path(package.origin).parent / "version.py"
    if path is None or not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("torch_version", path)
    if spec is None or spec.loader is None:
        return None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    return build

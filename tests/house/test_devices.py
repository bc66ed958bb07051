"""devices.py: what is here and what is not, before torch is there and after."""

from types import SimpleNamespace

import pytest
import torch

from t2v import devices as devices
from t2v.checks import InputError
from t2v.devices import check_device, pick_device


class Driver:
    """NVIDIA's, of a machine with two GPUs."""

    def __init__(self, name: str) -> None:
        assert name in ("libcuda.so.1", "nvcuda.dll")

    def cuInit(self, flags: int) -> int:
        return 0

    def cuDeviceGetCount(self, count) -> int:
        count._obj.value = 2
        return 0


def no_driver(name: str):
    raise OSError(f"{name}: cannot open shared object file")


@pytest.mark.parametrize(
    ("build", "driver", "here", "absent"),
    [
        ({"cuda": "13.0", "hip": None}, Driver, ("cuda", "cuda:1", "cpu", "cpu:0"), ("cuda:2", "cpu:1")),
        ({"cuda": "13.0", "hip": None}, no_driver, ("cpu",), ("cuda", "cuda:0")),
        ({"cuda": None, "hip": None}, Driver, ("cpu",), ("cuda",)),
        ({"cuda": None, "hip": "7.0"}, no_driver, ("cuda", "cuda:1"), ()),  # only torch itself can tell
    ],
)
def test_gpus_are_counted_without_torch(monkeypatch, build, driver, here, absent):
    monkeypatch.setattr(devices, "_torch_build", lambda: SimpleNamespace(**build))
    monkeypatch.setattr("ctypes.CDLL", driver)
    for device in here:
        check_device(device)
    for device in absent:
        with pytest.raises(InputError, match=f"device is '{device}', which this machine has not; choose cpu"):
            check_device(device)


def test_both_ways_say_the_same_of_this_machine():
    build = devices._torch_build()
    assert (build.cuda, build.hip) == (torch.version.cuda, torch.version.hip)
    for device in ("cpu", "cuda", "cuda:63", "mps:7"):
        told = []
        for look in (check_device, pick_device):
            try:
                look(device)
                told.append(None)
            except InputError as error:
                told.append(str(error))
        assert told[0] == told[1]


@pytest.mark.parametrize("device", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU", "cpu\n"])
def test_other_names_are_refused(device):
    for look in (check_device, pick_device):
        with pytest.raises(InputError, match="choose cpu, cuda, cuda:N or mps"):
            look(device)


@pytest.mark.parametrize(
    ("capabilities", "level", "is_on", "is_quick"),
    [
        ({"avx512_bf16": True}, "AVX512", True, True),
        ({"amx_bf16": True, "avx512_bf16": False}, "AVX512", True, True),
        ({"avx512_bf16": False, "avx512_f": True}, "AVX512", True, False),
        ({"avx512_bf16": True}, "AVX2", True, False),  # held back by ATEN_CPU_CAPABILITY
        ({"avx512_bf16": True}, "AVX512", False, False),
        ({"sve": True, "bf16": True}, "SVE256", True, False),  # was not measured
        (None, "AVX512", True, False),  # another version of torch
    ],
)
def test_who_is_quick_in_bfloat16(monkeypatch, capabilities, level, is_on, is_quick):
    monkeypatch.setattr(devices, "QUICK_IN_BFLOAT16", ("avx512_bf16", "amx_bf16"))
    if capabilities is None:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: level)
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", is_on)
    assert devices.is_quick_in_bfloat16() is is_quick

"""failures.py: what nobody foresaw, in one sentence."""

import errno
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from t2v.failures import is_out_of_memory, own_fault
from t2v.weights.refusals import ModelError


def raised(cause: Exception) -> Exception:
    """What a loader makes of it."""
    try:
        raise ModelError("model x is broken.") from cause
    except ModelError as error:
        return error


ALLOCATOR = "[enforce fail at alloc_cpu.cpp:131] . DefaultCPUAllocator: can't allocate memory: you tried to"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError(ALLOCATOR),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 68719476736 bytes."),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
        RuntimeError("std::bad_alloc"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        raised(RuntimeError(ALLOCATOR)),
    ],
)
def test_too_little_memory_is_known_by_any_of_its_names(error):
    assert is_out_of_memory(error)


def test_the_libraries_own_errors_are_known():
    for allocate in (
        lambda: torch.empty(2**60, dtype=torch.uint8),
        lambda: np.empty(2**60, np.uint8),
    ):
        with pytest.raises((RuntimeError, MemoryError)) as caught:
            allocate()
        assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        OSError(errno.ENOSPC, "No space left on device"),
        ValueError("out of memory"),  # somebody's words, nobody's memory
        raised(ValueError("a bad file")),
    ],
)
def test_other_errors_are_not(error):
    assert not is_out_of_memory(error)


def test_the_programs_own_fault_names_a_log_that_has_the_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    try:
        raise ZeroDivisionError("a detail \ud800")
    except ZeroDivisionError as error:
        sentence = own_fault(error)
        (log,) = tmp_path.iterdir()
        assert sentence == (
            f"The program itself failed in this run (ZeroDivisionError), not your input; the details are in "
            f"{log}."
        )
        assert "Traceback" in log.read_text() and "a detail" in log.read_text()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))
        assert own_fault(error).startswith("The program itself failed in this run (ZeroDivisionError), not")
        assert "input: a detail" in own_fault(error)
    assert Path(log).suffix == ".log"

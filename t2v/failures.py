"""What nobody foresaw, told in one sentence: whether memory ran out, and a log that keeps the rest."""

import errno
import tempfile
import traceback
from collections.abc import Iterator

# what torch and the libraries below it say, each in a RuntimeError, where memory is short
_SHORT_OF_MEMORY = (
    "allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "alloc_failed",
    "could not allocate",
)


class OutOfMemory(MemoryError):
    """All that could make a run smaller has been tried; what it says is a sentence for people."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that led to it, says that there is too little memory, on any device.

    On a CPU torch raises a RuntimeError of its allocator's, on others OutOfMemoryError, Python and NumPy
    MemoryError, and the system an OSError where a process or a thread cannot be started for it.
    """
    return any(_says_memory(one) for one in _causes(error))


def _says_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(part in words for part in _SHORT_OF_MEMORY)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and those it was raised from, the last first."""
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        seen.append(one)
        yield one
        one = one.__cause__


def own_fault(error: BaseException) -> str:
    """The sentence for an error of the program itself, whose traceback goes to a file that it names."""
    kind = f"The program itself failed in this run ({type(error).__name__}), not your input"
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", errors="backslashreplace", prefix="t2v-", suffix=".log", delete=False
        ) as log:
            traceback.print_exception(error, file=log)
    except OSError:  # nowhere to put it
        first_line = next(iter(str(error).strip().splitlines()), "no more is known")
        return f"{kind}: {first_line[:300].rstrip('.')}."
    return f"{kind}; the details are in {log.name}."

"""How a program is entered, before anything else is imported: Ctrl-C, and streams that are gone or full.

Importing takes a third of a second, in which Python would answer Ctrl-C with a traceback.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any, TextIO, cast

TIDYING_S = 3.0  # how long what was interrupted is not interrupted again


class Lenient:
    """A stream on which what cannot be written is let go: progress that nobody can read ends no run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """How many characters were to be written."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def enter(status: int, sentence: str) -> None:
    """Until it is ``tidied_up_once`` or somebody else listens, Ctrl-C ends the process at once.

    status, sentence: with which, as nothing was made yet. A stream that was closed (``2>&-``) is one into
    nothing: the next file that is opened would be given its number, and be written into.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        _hold(number)
        if number and getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  as long as the process
    sys.stderr = cast(TextIO, Lenient(sys.stderr))

    def end(*_: object) -> None:
        with suppress(OSError):
            os.write(2, f"{sentence}\n".encode())
        os._exit(status)

    _listen(end)


def tidied_up_once() -> None:
    """From now on Ctrl-C is a KeyboardInterrupt; pressed again it waits for what tidies up after that."""

    def interrupt(*_: object) -> None:
        first_s = time.monotonic()

        def again(*_: object) -> None:
            if time.monotonic() - first_s > TIDYING_S:
                os._exit(130)

        signal.signal(signal.SIGINT, again)
        raise KeyboardInterrupt

    _listen(interrupt)


def leave_with(status: int) -> None:
    """All is done: Ctrl-C can end the process only as it ends anyway."""
    _listen(lambda *_: os._exit(status))


def _listen(hear: Any) -> None:
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # nohup's and a shell's background stay so
        signal.signal(signal.SIGINT, hear)


def _hold(number: int) -> None:
    """The stream's number belongs to a file."""
    try:
        os.fstat(number)
    except OSError:
        nothing = os.open(os.devnull, os.O_RDWR)
        if nothing != number:
            os.dup2(nothing, number)
            os.close(nothing)

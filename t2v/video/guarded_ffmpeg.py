"""ffmpeg on a file that anyone may have made: what it may open, and how much memory and time it may take.

It runs as a process of its own, so that a file made to harm can only end that.
"""

import contextlib
import contextvars
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import imageio_ffmpeg

from t2v.checks import InputError

resource: Any
try:
    import resource
except ImportError:  # not a Unix; the limits on single allocations, sizes and time still hold
    resource = None

MAX_PIXELS = 8192 * 4352  # of one picture: 8K video still passes
MAX_MEMORY = 4 * 1024**3  # of ffmpeg: an 8K video with its reference pictures fits
MAX_ALLOCATION = 1024**3
THREADS = 4  # each holds pictures of its own, and some machines have a hundred cores
TIMEOUT_S = 120.0  # of waiting for ffmpeg; what is done with its frames in between does not count
HEED_S = 0.2  # between two looks at whether the reading is still wanted
MAX_LOG = 4 * 1024**2  # bytes of it that are looked at
READABLE = "mp4, mov, webm, mkv, avi or gif"
# A text file in ffconcat or HLS form, renamed to .mp4, makes ffmpeg open the files that it names. The list of
# protocols alone does not stop that (those files are "file:" too); the list of containers does.
GUARDS = (
    "-protocol_whitelist", "file",
    "-format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,gif,avi,webp_anim",
    "-max_pixels", str(MAX_PIXELS), "-threads", str(THREADS),
)  # fmt: skip
_CUT_OFF = re.compile(
    r"partial file|ended prematurely|corrupt input packet|LZW decode failed|moov atom not found"
)
_NO_MEMORY = re.compile(r"Cannot allocate memory|Resource temporarily unavailable|get_buffer\(\) failed")
_stop_if_asked: contextvars.ContextVar[Callable[[], None] | None] = contextvars.ContextVar(
    "stop_if_asked", default=None
)


@contextlib.contextmanager
def heeding(stop_if_asked: Callable[[], None]) -> Iterator[None]:
    """Within it, this thread's readings call ``stop_if_asked`` while they wait; what it raises ends them."""
    token = _stop_if_asked.set(stop_if_asked)
    try:
        yield
    finally:
        _stop_if_asked.reset(token)


@dataclass(eq=False)
class Reading:
    """A running ffmpeg: its output piece by piece, its end, its log."""

    path: Path
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    log_file: IO[bytes]
    left_s: float

    def fill(self, buffer: memoryview) -> int:
        """Read until ``buffer`` is full or the output ends: how many bytes came. InputError if too slow."""
        with self._watched():
            piece: Any = self.output  # a buffered reader, of which IO knows less
            return int(piece.readinto(buffer))

    def finish(self, must_succeed: bool = True) -> str:
        """Wait for the end; the log. InputError if ffmpeg takes too long or, unless it may, failed."""
        with self._watched():
            self.process.wait()
        if must_succeed and self.process.returncode != 0:
            raise unreadable(self.path, self.log())
        return self.log()

    def log(self) -> str:
        """What ffmpeg wrote, once it has ended."""
        size = self.log_file.seek(0, os.SEEK_END)
        self.log_file.seek(0)
        return self.log_file.read(min(size, MAX_LOG)).decode("utf-8", "replace")

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Waiting for ffmpeg, which ends when its time is up or ``heeding`` says so; both are raised here."""
        started, over, stop_if_asked, raised = time.monotonic(), threading.Event(), _stop_if_asked.get(), []

        def watch() -> None:
            while (left_s := self.left_s - (time.monotonic() - started)) > 0:
                try:
                    if stop_if_asked is not None:
                        stop_if_asked()
                except Exception as error:  # for the thread that waits
                    raised.append(error)
                    break
                if over.wait(min(HEED_S, left_s)):
                    return
            self.process.kill()

        watchdog = threading.Thread(target=watch, daemon=True)
        watchdog.start()
        try:
            yield
        finally:
            over.set()
            watchdog.join()
        self.left_s -= time.monotonic() - started
        if raised:
            raise raised[0]
        if self.left_s <= 0:
            raise self._too_slow()

    def _too_slow(self) -> InputError:
        name = self.path.name
        return InputError(f"{name} took more than {TIMEOUT_S:g} s to read; take a shorter time range.")


@contextlib.contextmanager
def reading(path: Path, level: str, before: list[str], after: list[str]) -> Iterator[Reading]:
    """ffmpeg on ``path`` with all guards: options before and after the input; ended with the ``with``.

    level: of its log. InputError if there is no such file.
    """
    if not _is_file(path):
        raise InputError(f"{str(path)[:200]} is not a file; give the path of a video ({READABLE}).")
    # file: keeps a name such as "concat:a|b" or "-y" from being taken for anything but a file's name.
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", level,
               "-max_alloc", str(MAX_ALLOCATION), *GUARDS, *before, "-i", f"file:{path.resolve()}",
               *after]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        assert process.stdout is not None  # a pipe
        output = process.stdout
        try:
            _limit_memory(process.pid)
            yield Reading(path, process, output, log, TIMEOUT_S)
        finally:
            process.kill()
            output.close()
            process.wait()


def run(
    path: Path, level: str, before: list[str], after: list[str], *, must_succeed: bool = True
) -> tuple[bytes, str]:
    """ffmpeg on ``path`` to its end: all its output and its log. InputError if it is too slow, or fails.

    must_succeed: False takes what came before a failure.
    """
    output = bytearray()
    piece = bytearray(1 << 16)
    with reading(path, level, before, after) as ffmpeg:
        while count := ffmpeg.fill(memoryview(piece)):
            output += piece[:count]
        return bytes(output), ffmpeg.finish(must_succeed)


def is_incomplete(log: str) -> bool:
    """Whether ffmpeg went on without some of the file's frames; it may call that a success."""
    return _CUT_OFF.search(log) is not None or _NO_MEMORY.search(log) is not None


def unreadable(path: Path, log: str) -> InputError:
    """Why ffmpeg could not read a file, in one sentence."""
    if path.stat().st_size == 0:
        return InputError(f"{path.name} is empty; give a video ({READABLE}).")
    if "max pixel count" in log:
        return InputError(f"{path.name} is too large; at most {MAX_PIXELS:,} pixels a frame are read.")
    if "matches no streams" in log:
        return InputError(f"{path.name} holds no moving picture; give a video ({READABLE}).")
    if _CUT_OFF.search(log) and not _is_text(path):
        return InputError(f"{path.name} is damaged or cut off; save or download it again.")
    if _NO_MEMORY.search(log):
        most = f"{MAX_MEMORY / 1024**3:.3g} GiB"
        return InputError(f"{path.name} takes more than {most} to decode; save it with smaller frames.")
    return InputError(f"{path.name} is not a video that can be read; give one in {READABLE}.")


def _limit_memory(pid: int) -> None:
    """From outside, where Linux allows it: code run between fork and exec can hang a program with threads."""
    if not hasattr(resource, "prlimit"):
        return
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        most = resource.prlimit(pid, resource.RLIMIT_DATA)[1]
        limit = MAX_MEMORY if most == resource.RLIM_INFINITY else min(most, MAX_MEMORY)
        resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file can have
        return False


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(512)
    return all(byte >= 32 or byte in b"\t\n\r" for byte in head)

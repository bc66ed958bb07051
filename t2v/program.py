"""What a program does before it imports torch, diffusers and transformers, to start and run fast."""

import argparse
import atexit
import glob
import importlib
import importlib.util
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from t2v.checks import InputError

_PROXY = re.compile("(all|https?)_proxy", re.IGNORECASE)
PACKAGE = Path(__file__).resolve().parent
UNLOCKED_S = 10.0  # from when on a new folder without its lock is nobody's


def bundled(name: str) -> Path:
    """A folder that comes with the program: inside an installed package, beside the package in a clone."""
    inside = PACKAGE / "bundled" / name
    return inside if inside.exists() else PACKAGE.parent / name


def end(status: int) -> NoReturn:
    """As ``sys.exit``, but for taking apart all that libraries have made, which takes an eighth of a second.

    Whatever is to be done at the end is done, and what was written is on its way. Where threads are still at
    work that are to be waited for, or a stream cannot be written to, Python ends as ever.
    """
    others = threading.enumerate()
    if (
        sum(not thread.daemon for thread in others) > 1
        or threading.current_thread() is not threading.main_thread()
    ):
        sys.exit(status)
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        sys.exit(status)
    os._exit(status)


def prepare_environment() -> None:
    """Before libraries come: they tell nobody of us, and warn of errors only."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "critical")  # what it logs as an error it raises too
    for name in ("HF_HUB_DISABLE_TELEMETRY", "DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        os.environ[name] = "1"


def show_downloads_only() -> None:
    """No bars for reading a local file; those of the hub's downloads stay, as they can take minutes."""
    from diffusers.utils import logging as diffusers_logging
    from huggingface_hub.utils.tqdm import enable_progress_bars
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    enable_progress_bars()


@contextmanager
def hushed(*libraries: str) -> Iterator[None]:
    """In this block diffusers or transformers log errors only; then they are as before.

    They warn of packages that are not needed and of configurations that are meant so; what is wrong with a
    model our own checks tell.
    """
    with ExitStack() as restored:
        for name in libraries:
            log = importlib.import_module(f"{name}.utils.logging")
            restored.callback(log.set_verbosity, log.get_verbosity())
            log.set_verbosity(max(log.get_verbosity(), logging.ERROR))
        yield


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Load weights in this block: no warnings, and no bars but those of the hub's downloads."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    libraries = ("diffusers", "transformers")
    with hushed(*libraries), ExitStack() as restored:
        downloads_shown = not are_progress_bars_disabled()
        restored.callback(enable_progress_bars if downloads_shown else disable_progress_bars)
        for name in libraries:
            log = importlib.import_module(f"{name}.utils.logging")
            if log.is_progress_bar_enabled():
                restored.callback(log.enable_progress_bar)
                log.disable_progress_bar()
        if downloads_shown:  # transformers' way of hiding its own hides these too
            enable_progress_bars()
        yield


def spin_briefly() -> None:
    """Torch's threads spin a moment when they wait for one another, then sleep.

    For a program with a browser beside it, before torch comes. By default they go on spinning, which is best
    on a machine of one's own and takes 1.6 times as long where another program, as a browser that draws the
    page, wants one of two cores. To sleep at once costs a tenth or more on idle cores, a thousand turns of
    spinning before that nothing there, and some percent on cores that are not quite one's own.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # GNU's runtime, the one of torch on Linux
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # the others


class OwnFolder:
    """A new folder in ``parent`` that belongs to this process, until ``close`` or the end of a with block.

    As long as the process lives a lock on a file in it says so; the kernel takes the lock away from one that
    is killed. ``left_by_the_killed`` finds what those left. OSError where there can be no folder.
    """

    _LOCK = ".lock"

    def __init__(self, parent: Path, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self._lock = os.open(self.path / self._LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        _lock(self._lock)  # where the file system knows no locks nothing is swept either

    def close(self) -> None:
        with suppress(OSError):
            for (
                path
            ) in self.path.iterdir():  # the lock last: who is killed on the way has left a folder with it
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name != self._LOCK:
                    path.unlink(missing_ok=True)
        os.close(self._lock)
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def left_by_the_killed(cls, parent: Path, prefix: str) -> list[Path]:
        """Such folders whose process is gone, still as it left them."""
        found = []
        for path in parent.glob(f"{glob.escape(prefix)}*"):
            try:
                lock = os.open(path / cls._LOCK, os.O_RDWR)
            except OSError:  # somebody else's, or only just being made; or whoever made it was killed then
                if _is_bare(path):
                    found.append(path)
                continue
            if _lock(lock):
                found.append(path)
            os.close(lock)
        return found


def _is_bare(folder: Path) -> bool:
    """Whether a folder has been empty for longer than one takes to be locked."""
    try:
        return time.time() - folder.stat().st_mtime > UNLOCKED_S and not any(folder.iterdir())
    except OSError:
        return False


def hold(path: Path) -> int | None:
    """The file, made if need be, opened and locked for this process; None where another one holds it.

    The kernel takes the lock away from a process that is killed. OSError where there can be no such file.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if _lock(file):
        return file
    os.close(file)
    return None


def let_go(file: int | None) -> None:
    """Others may hold it now; None is nothing."""
    if file is not None:
        os.close(file)


def _lock(file: int) -> bool:
    """Whether the open file could be locked for this process alone, at once."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def reach_itself_directly(host: str) -> str | None:
    """Before httpx comes: no proxy is asked for addresses of this machine, among them ``host``.

    Returns a sentence for the log where a proxy is of a kind that httpx cannot even read about without a
    package of its own: it is left out, and as nothing should go around it nothing is downloaded then.
    """
    known = ",".join(os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")).split(",")
    names = [one.strip() for one in (*known, "localhost", "127.0.0.1", "::1", host) if one.strip()]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(dict.fromkeys(names))
    if importlib.util.find_spec("socksio") is not None:
        return None
    socks = [name for name, value in os.environ.items() if _PROXY.fullmatch(name) and value[:5] == "socks"]
    for name in socks:
        del os.environ[name]
    if not socks:
        return None
    os.environ["HF_HUB_OFFLINE"] = "1"
    return f"{socks[0]} names a SOCKS proxy, for which the package socksio is missing: nothing is downloaded."


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are one sentence, as everywhere in this project."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ").rstrip(".")
        raise InputError(f"{message}; {self.prog} --help lists what is allowed.")

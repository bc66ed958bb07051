"""Where a run's files are made: a hidden folder beside the results, out of which they come when whole."""

import errno
import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from t2v.checks import InputError
from t2v.program import OwnFolder

logger = logging.getLogger(__name__)

PREFIX = ".making-"
SEEN = "seen"  # the folder, beside the results, of what models saw
FULL = {errno.ENOSPC, errno.EDQUOT}
DISK_FULL = "The disk of the server's output folder is full; free some space there, then run this again."
TAKES_NONE = "The server's output folder takes no files ({why}); whoever runs the server has to mend that."
FOLDER = "the server's output folder"  # without its path, as visitors see it


@contextmanager
def workshop(output_folder: Path) -> Iterator[Path]:
    """A folder for one run, gone with all that is still in it at the end; what cannot be written is told.

    InputError, without the folder's path (visitors see it), where nothing can be written or the disk is full.
    """
    try:
        output_folder.mkdir(parents=True, exist_ok=True)
        folder = OwnFolder(output_folder, PREFIX)
    except OSError as error:
        logger.error("Nothing can be written to %s: %s", output_folder, error)
        raise InputError(told(error)) from error
    with folder as path:
        try:
            yield path
        except (OSError, InputError) as error:
            places = [path, output_folder / SEEN]
            if path.is_dir() and not _is_of_the_disk(error, places):
                raise
            logger.error("The run's files could not be written to %s: %s", output_folder, error)
            raise InputError(told(error)) from error


def sweep(output_folder: Path) -> None:
    """Removes what runs of killed programs left half made, and what their models saw."""
    for path in OwnFolder.left_by_the_killed(output_folder, PREFIX):
        for one in path.glob(f"{SEEN}/*"):  # each named as what is shown of an unfinished run
            (output_folder / SEEN / one.name).unlink(missing_ok=True)
        shutil.rmtree(path, ignore_errors=True)
        logger.info("Half files that a killed run left in %s were removed.", output_folder)


def _is_full(error: Exception) -> bool:
    number = error.errno if isinstance(error, OSError) else None
    return number in FULL or "No space left" in str(error)  # ffmpeg's words


def _is_of_the_disk(error: OSError | InputError, places: Iterable[Path]) -> bool:
    """Whether it is about writing to these places, and not about a clip or weights."""
    about = str(getattr(error, "filename", None) or error)
    return _is_full(error) or any(str(place) in about for place in places)


def told(error: Exception) -> str:
    """What visitors hear where something could not be written, without the folder's path."""
    if _is_full(error):
        return DISK_FULL
    if isinstance(error, OSError) and error.errno is not None:
        return TAKES_NONE.format(why=os.strerror(error.errno))
    in_brackets = re.search(r"\(([^()]*)\)", str(error))  # as check_output tells it
    return TAKES_NONE.format(why=in_brackets[1] if in_brackets else "it is gone")

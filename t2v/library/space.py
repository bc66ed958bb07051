"""Whether a disk has room for a video, asked before hours go into drawing it."""

import shutil
from pathlib import Path

from t2v.checks import InputError

RESERVE_BYTES = 32 * 2**20  # for the log, the settings and whatever else the system writes meanwhile
BYTES_PER_PIXEL = 0.03  # of an MP4: drawn scenes take 0.005 to 0.05, noise 0.8


def check_space(folder: Path, num_frames: int, width: int, height: int, named: str) -> None:
    """InputError where the folder's disk surely has no room for so many pictures.

    named: what the sentence calls the folder.
    """
    lacking = lack_of_space(folder, num_frames * width * height)
    if lacking is not None:
        raise InputError(f"The disk of {named} is too full for this video ({lacking}).")


def lack_of_space(folder: Path, pixels: int = 0) -> str | None:
    """How much room pictures of so many pixels need, and how much there is; None where there is enough."""
    needed = RESERVE_BYTES + round(pixels * BYTES_PER_PIXEL)
    disk = shutil.disk_usage(folder)
    if disk.free >= needed or disk.total == 0:  # some file systems do not tell
        return None
    return f"{needed / 2**20:.0f} MB are needed, {disk.free / 2**20:.0f} MB are free"

"""Whether a disk has room for a video, asked before hours go into drawing it."""

import shutil
from pathlib import Path

from t2v.checks import InputError

MP4 = 0.03  # bytes a pixel: drawn scenes take 0.005 to 0.05, noise 0.8; other kinds ``t2v.video.formats``
RESERVE_BYTES = 32 * 2**20  # for the log, the settings and whatever else the system writes meanwhile


def check_space(
    folder: Path, num_frames: int, width: int, height: int, named: str, bytes_per_pixel: float = MP4
) -> None:
    """InputError where the folder's disk surely has no room for so many pictures.

    named: what the sentence calls the folder. bytes_per_pixel: how much the kind of file takes, about.
    """
    lacking = lack_of_space(folder, num_frames * width * height, bytes_per_pixel)
    if lacking is not None:
        raise InputError(f"The disk of {named} is too full for this video ({lacking}).")


def lack_of_space(folder: Path, pixels: int = 0, bytes_per_pixel: float = MP4) -> str | None:
    """How much room pictures of so many pixels need, and how much there is; None where there is enough."""
    needed = RESERVE_BYTES + round(pixels * bytes_per_pixel)
    disk = shutil.disk_usage(folder)
    if disk.free >= needed or disk.total == 0:  # some file systems do not tell
        return None
    return f"{needed / 2**20:.0f} MB are needed, {disk.free / 2**20:.0f} MB are free"

"""The original project's arguments in this project's terms: its seeds, times, sizes, and what is refused."""

from dataclasses import replace

from checks import InputError, check_int
from tasks.clip import ClipSettings

STEPS = 50  # the original's t0 and t1 are indices into so many
STRIDE = 64  # its sides are multiples of this
MARK = "Picsart AI Research"  # the watermark it drew unless told otherwise; here it is taken for none


def our_seed(seed: int) -> int | None:
    """None, which draws one, for the original's negative seeds; any other as it is."""
    return None if isinstance(seed, int) and seed < 0 else seed


def our_time(field: str, index: int) -> int:
    """The time at an index of the original's 50 steps, counted from the clean end; InputError past them."""
    return check_int(field, index, 0, STEPS - 1) * 1000 // STEPS + 1


def sized(settings: ClipSettings, resolution: int) -> ClipSettings:
    """Settings with the original's size: the longer side is resolution, both are rounded to its stride."""
    resolution = check_int("resolution", resolution, STRIDE, 2048)
    settings.check()
    clip = settings.open()
    scale = resolution / max(clip.width, clip.height) / STRIDE
    width, height = (max(1, round(side * scale)) * STRIDE for side in (clip.width, clip.height))
    return replace(settings, width=width, height=height)


def refuse(watermark: str | None, **switches: float) -> None:
    """InputError for what the original could do and this project does not."""
    if watermark not in (None, MARK):
        raise InputError(f"watermark is {str(watermark)[:60]!r}, and none is drawn here; leave it out.")
    for name, value in switches.items():
        if value:
            raise InputError(f"{name} is {str(value)[:60]}, which is not done here; leave it out.")

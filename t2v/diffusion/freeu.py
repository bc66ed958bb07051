"""FreeU (arXiv 2309.11497): a UNet's upper half leans more on its backbone, and less on its skips.

Half of the backbone's channels are made stronger in the first two upward blocks, and the lowest frequencies
of what skips to them weaker. Nothing is trained. diffusers does it; here it is put in for a run alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from t2v.checks import check_number

Scales = tuple[
    float, float, float, float
]  # s1, s2 of the skips, b1, b2 of the backbone, as diffusers calls them
NAMES = ("s1", "s2", "b1", "b2")
LEAST, MOST = 0.0, 2.0


@contextmanager
def freeu(unet: Any, scales: Scales | None) -> Iterator[None]:
    """While the context lasts, the UNet is scaled so; None: as it is. Afterwards it is as it was before.

    scales: each 0..2; 1 leaves a part as it is. InputError for others.
    """
    if scales is None:
        yield
        return
    own = dict(zip(NAMES, scales, strict=True))
    for name, value in own.items():
        check_number(f"freeu {name}", value, LEAST, MOST)
    before = [{name: getattr(block, name, None) for name in NAMES} for block in unet.up_blocks]
    unet.enable_freeu(**own)
    try:
        yield
    finally:
        for block, found in zip(unet.up_blocks, before, strict=True):
            for name, was in found.items():
                setattr(block, name, was)

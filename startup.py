"""A quick start: torch, diffusers and transformers take seconds to import, and part of that can be saved."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading_libraries() -> Iterator[None]:
    """Import large libraries in this block: nothing is collected meanwhile, and nothing of them ever after.

    They make objects by the hundred thousand, all of which stay. The collector would look through them again
    and again: a quarter of the time that importing takes, and a second when the process ends. For programs'
    entry points only, as whatever is there at the end of the block stays for good.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()

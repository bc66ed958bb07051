"""The noise that a trained model's video begins with: the same whatever precision its networks compute in."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch


@contextmanager
def drawn_in_float32(own: Any) -> Iterator[None]:
    """Within the block, one of diffusers' pipelines draws its noise in float32, and rounds it to its own.

    In half precision PyTorch draws other numbers from the same seed: which ones, sizes and releases decide.
    """
    plain = own.prepare_latents
    way = inspect.signature(plain)

    @wraps(plain)
    def prepare(*args: Any, **told: Any) -> torch.Tensor:
        given = way.bind(*args, **told)
        wanted, given.arguments["dtype"] = given.arguments["dtype"], torch.float32
        noise: torch.Tensor = plain(*given.args, **given.kwargs)
        return noise.to(wanted)

    own.prepare_latents = prepare
    try:
        yield
    finally:
        del own.prepare_latents

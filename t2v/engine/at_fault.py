"""Which file is at fault where a run gives no numbers: looked for when it has failed, in the weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from t2v.diffusion.pictures import NoNumbers
from t2v.tasks import Resolved
from t2v.tasks.resolved import Means
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.behind import behind
from t2v.weights.source import Source

AGAIN = "so nothing can be drawn with it; fetch it again or choose another."


@contextmanager
def naming_the_file(resolved: Resolved[Any], means: Means) -> Iterator[None]:
    """Where a run in it gives no numbers, ModelError with the file that holds none, if there is one."""
    try:
        yield
    except NoNumbers as error:
        named = _named(resolved, means)
        if named is None:
            raise
        raise ModelError(named) from error


def _named(resolved: Resolved[Any], means: Means) -> str | None:
    for wanted, network in zip(resolved.networks, means.networks, strict=True):
        if not _holds_numbers(network):
            return f"controlnet {wanted.source} holds weights that are no numbers (NaN), {AGAIN}"
    source = Source.parse(resolved.asked.model)
    vae, _ = behind(source)
    for part, network in means.pipeline.memory.networks().items():
        if not _holds_numbers(network):
            if part == "vae" and vae is not None:
                return f"vae {vae.name} holds weights that are no numbers (NaN), {AGAIN}"
            within = f"no numbers (NaN) in its {_called(part, network)}"
            return f"model {source.base} holds weights that are {within}, {AGAIN}"
    return None


def _called(part: str, network: torch.nn.Module) -> str:
    """A pipeline's part as people call it; what draws is a transformer in some trained video models."""
    if part == "unet":
        return "UNet" if "UNet" in type(network).__name__ else "transformer"
    return "VAE" if part == "vae" else part.replace("_", " ")


def _holds_numbers(network: torch.nn.Module) -> bool:
    """Whether all weights are finite; those that lie elsewhere than in memory are taken for it."""
    return all(bool(one.float().isfinite().all()) for one in network.parameters() if not one.is_meta)

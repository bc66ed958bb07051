"""What a video looks like already at a step of diffusers' own pipelines, which tell noisy latents alone.

It follows from what the network gave there, which goes by on its way to the sampler: nothing is computed for
it but that, and nothing of the run changes.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch

FLOW = "flow_prediction"
SCALED = ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler")  # whose noise grows without end
LEAST = 1e-3  # of the picture in noisy latents: with less of it nothing can be told


class Seen:
    """The clean latents as of the last step, as the sampler has their axes; None before the first."""

    latents: torch.Tensor | None = None


@contextmanager
def watching(scheduler: Any) -> Iterator[Seen]:
    """Within the block, what each step of the sampler shows is told; None where that is not known of it."""
    seen, plain = Seen(), scheduler.step
    way = inspect.signature(plain)

    @wraps(plain)  # by its arguments diffusers finds out what a sampler can be told, as the generator
    def step(*args: Any, **told: Any) -> Any:
        given = way.bind(*args, **told).arguments
        seen.latents = clean(scheduler, given["model_output"], given["timestep"], given["sample"])
        return plain(*args, **told)

    scheduler.step = step
    try:
        yield seen
    finally:
        del scheduler.step


def clean(scheduler: Any, given: torch.Tensor, time: Any, noisy: torch.Tensor) -> torch.Tensor | None:
    """The clean latents that a network sees in noisy ones, of any shape; None where it cannot be told.

    given: what the network gave, guidance and all, as the scheduler's prediction_type says. time: of the
    step.
    """
    name, config = type(scheduler).__name__, scheduler.config
    kind = FLOW if name.startswith("FlowMatch") else config.get("prediction_type")
    x, out = noisy.detach().float(), given.detach().float()
    if kind == FLOW:
        return x - float(time) / config.num_train_timesteps * out
    if name in SCALED or kind not in ("epsilon", "v_prediction"):
        return None
    kept = float(scheduler.alphas_cumprod[int(time)])
    share, noise = kept**0.5, (1 - kept) ** 0.5
    if kind == "v_prediction":
        return share * x - noise * out
    return None if share < LEAST else (x - noise * out) / share

"""Runs resolved as the engine does it, without a model: what suits it is made up here."""

from dataclasses import replace
from typing import Any

from t2v.tasks import Resolved, Settings
from t2v.tasks.suits import Suits

OWN = {
    "upscale": 1,
    "num_inference_steps": 2,
    "guidance_scale": 5.0,
    "image_guidance_scale": 1.5,
    "steady": 0.0,
    "motion_x": 8.0,
    "motion_y": 0.0,
}


def suits(side_px: int = 64, seed: int = 5, **own: float) -> Suits:
    """What a model with square pictures of that side would like."""
    return Suits({"width": side_px, "height": side_px, **OWN, **own}, seed, lambda width, height: (600, 700))


def resolved(settings: Settings, side_px: int = 64, seed: int = 5, **own: float) -> Resolved[Any]:
    """The run; ControlNets left out are those on the hub."""
    wanted = settings.networks(lambda task, hub_ids: next(iter(hub_ids.values())))
    return settings.resolve(suits(side_px, seed, **own), wanted)


def stripped(run: Resolved[Any], **changes: Any) -> Any:
    """The settings of a run with some fields changed, to be asked for again."""
    return replace(run.filled(), **changes)

"""Settings as the queue's ledger keeps them, and what is known of runs that an earlier program drew.

Unlike the settings inside a video these never leave the machine: clips, models and ControlNets keep their
full paths.
"""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from t2v.checks import InputError
from t2v.tasks import Resolved, Settings, settings_of
from t2v.tasks.resolved import Means

if TYPE_CHECKING:
    import torch


def text_of(settings: Settings) -> str:
    """Settings as JSON, their task among them."""
    return json.dumps({"task": settings.task, **asdict(settings)})


def settings_from_text(text: str) -> Settings:
    """The settings again; InputError where this version does not know them."""
    try:
        stored = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"settings are no JSON ({error}).") from error
    return settings_of(stored)


@dataclass(frozen=True)
class Past(Resolved[Any]):
    """A run that an earlier program resolved: to be told, not to be drawn."""

    @classmethod
    def of(cls, made: Settings) -> "Past":
        """made: its settings with nothing left open."""
        return cls(
            asked=made,
            seed=_known(made.seed),
            num_frames=_known(made.num_frames),
            width=_known(made.width),
            height=_known(made.height),
            upscale=_known(made.upscale),
            fps=_known(made.fps),
            num_inference_steps=_known(made.num_inference_steps),
            guidance_scale=_known(made.guidance_scale),
            scheduler=_known(made.scheduler),
            spacing=made.spacing,
            ip_adapter=made.ip_adapter,
            dtype="float32" if made.dtype is None else made.dtype,  # None: of before it was told
        )

    def draw(self, means: Means) -> "torch.Tensor":
        raise RuntimeError("a run of an earlier program is resolved anew before it is drawn")


def _known(value: Any) -> Any:
    if value is None:
        raise InputError("settings of a run that was drawn leave something open; leave them out.")
    return value

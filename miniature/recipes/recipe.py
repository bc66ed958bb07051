"""What a recipe is, and what a run of training knows and may spend."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from miniature.fit import Rate, same_rate, workers
from miniature.shapes import Stage

Losses = Callable[[], torch.Tensor]  # draws a batch and gives its loss

TINY = {"batch": 2, "batch_gpu": 2, "scenes": 32, "fresh": 0.1}  # a stage whose workings alone are tried


@dataclass(frozen=True)
class Run:
    """Where a training keeps its checkpoints, where its models go, and what it may spend."""

    runs: Path
    out: Path
    device: torch.device
    minutes: float | None  # for the recipes asked for; None: what shapes.py says
    start_from: Path | None  # a family to begin with instead of fresh parameters
    tiny: bool = False  # a few steps of the smallest size, to see that the recipe works
    way: str = "lcm"  # how the model for few steps draws, one of quick.WAYS

    def stage(self, stage: Stage) -> Stage:
        """The stage as this run trains it."""
        return replace(stage, **TINY) if self.tiny else stage

    def batch(self, stage: Stage) -> int:
        """This worker's part of a batch on this device."""
        whole = stage.batch_gpu if self.device.type == "cuda" else stage.batch
        return max(1, whole // workers())

    def cost(self, stage: Stage) -> float:
        """Minutes that shapes.py gives the stage on this device."""
        return stage.gpu_minutes if self.device.type == "cuda" else stage.minutes

    @property
    def measured(self) -> int:
        """Held-out pictures for the autoencoder's figures, scaling and preview."""
        return 4 if self.tiny else 64

    def earlier(self, name: str) -> Path | None:
        """The folder of a model to go on from, where one was asked for and is there."""
        folder = None if self.start_from is None else self.start_from / name
        return folder if folder is not None and folder.exists() else None


@dataclass(frozen=True)
class Recipe:
    """One model: its stages in order, the parts they train, their losses, and how it is kept.

    ``losses(run, stage, parts, step)`` gathers material from that step on and gives a function that returns
    the loss of a batch of it. ``measure`` names what miniature.evaluate says of the model when it is saved.
    ``rate`` is for what learns more slowly than the rest.
    """

    stages: tuple[Stage, ...]
    parts: Callable[[Run], nn.ModuleDict]
    losses: Callable[[Run, Stage, nn.ModuleDict, int], Callable[[], torch.Tensor]]
    save: Callable[[Run, nn.ModuleDict], object]
    measure: str | None = None
    rate: Rate = same_rate

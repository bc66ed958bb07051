"""What a run tells of each step, and how whoever is told ends the run."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch


class Cancelled(Exception):
    """Raised by an ``on_step`` callback to end a run; the pipeline is as usable afterwards as before."""


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a run. done, total: steps. fraction: share of the arithmetic done, 0..1, as early steps
    hold one frame only. latents: the clean picture as seen now, (b=1 f c h w) float32, for previews. time: of
    the schedule, that it began at. outlines: of the subjects that have been found, each (f, points, 2), where
    it is in every frame, (x, y) in shares of the picture."""

    done: int
    total: int
    label: str
    fraction: float
    latents: torch.Tensor
    time: int = 0
    outlines: tuple[np.ndarray, ...] = ()


@dataclass
class Progress:
    """Counts a run's steps and tells the caller of each.

    show: the video's frames (f c h w) of what is drawn, where that is something else. outlines: as in Step.
    """

    total_steps: int
    total_frames: int
    on_step: Callable[[Step], None] | None
    done: int = 0
    frames: int = 0
    show: Callable[[torch.Tensor], torch.Tensor] | None = None
    outlines: tuple[np.ndarray, ...] = ()

    @classmethod
    def planned(
        cls,
        num_frames: int,
        num_steps: int,
        window: tuple[int, int] | None,
        on_step: Callable[[Step], None] | None,
    ) -> "Progress":
        """Of a run of so many frames and steps. window: the numbers of the steps at T and T' where frames are
        moved between them, of which the first one goes ahead alone; None where all go together."""
        if window is None:
            return cls(num_steps, num_steps * num_frames, on_step)
        t1, t0 = window
        return cls(num_steps + t0 - t1, t0 + (num_steps - t1) * num_frames, on_step)

    def add(self, steps: int) -> None:
        """Steps of one frame that come on top."""
        self.total_steps += steps
        self.total_frames += steps

    def tell(self, label: str, clean: torch.Tensor, time: int) -> None:
        """One step more, at a time of the schedule, on the frames (f c h w)."""
        self.done += 1
        self.frames += len(clean)
        if self.on_step is not None:
            fraction = self.frames / self.total_frames
            shown = clean if self.show is None else self.show(clean)
            told = (label, fraction, shown[None], time, self.outlines)
            self.on_step(Step(self.done, self.total_steps, *told))

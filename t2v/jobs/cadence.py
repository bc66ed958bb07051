"""How often a run's preview is taken, and of which frames: so that looking at a run hardly takes its time."""

import time
from collections.abc import Callable

import numpy as np
import torch

MOST_FRAMES = 16  # of a longer video so many are shown, evenly spaced
SHARE = 0.03  # of the time that a run takes, for previews
FREE_S = 0.002  # what takes no longer is always taken
WARM_S = 1.0  # of the first: reading weights, and what a GPU does at its first call


class Cadence:
    """Previews of one run.

    preview: latents (1 f c h w) -> uint8 (f, h, w, 3). now_s: a clock.
    """

    def __init__(
        self,
        preview: Callable[[torch.Tensor], np.ndarray],
        now_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._preview, self._now_s = preview, now_s
        self._frame_s: list[float] = []  # what a frame of each took
        self._ended_s = 0.0

    def of(self, latents: torch.Tensor) -> np.ndarray | None:
        """The preview of a step's latents (1 f c h w); None where the last one has to do."""
        count = latents.shape[1]
        numbers = np.linspace(0, count - 1, min(count, MOST_FRAMES)).round().astype(int)
        if not self._is_due(len(numbers)):
            return None
        shown = latents[:, numbers].float().cpu()  # a GPU that is not done with the step is waited for
        began_s = self._now_s()
        preview = self._preview(shown)
        self._ended_s = self._now_s()
        self._frame_s.append((self._ended_s - began_s) / len(numbers))
        return preview

    def _is_due(self, frames: int) -> bool:
        """Whether the time since the last one is worth one of so many frames, by the quickest so far."""
        if not self._frame_s:
            return True
        expected_s = frames * min(self._frame_s) - (WARM_S if len(self._frame_s) == 1 else 0)
        return expected_s <= max(FREE_S, SHARE * (self._now_s() - self._ended_s))

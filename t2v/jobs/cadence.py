"""How often a run's preview is taken, and of which frames: so that looking at a run hardly takes its time."""

import math
import time
from collections.abc import Callable

import numpy as np
import torch

MOST_FRAMES = 16  # of a longer video so many are shown, evenly spaced
SHARE = 0.03  # of the time that a run takes, for previews
FREE_S = 0.002  # what takes no longer is always taken


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
        self._taken = 0
        self._frame_s = math.inf  # the least that a frame of one took: the first warms things up
        self._ended_s = 0.0

    def of(self, latents: torch.Tensor) -> np.ndarray | None:
        """The preview of a step's latents (1 f c h w); None where the last one has to do.

        The first two are always taken: only then it is known how long they take.
        """
        count = latents.shape[1]
        numbers = np.linspace(0, count - 1, min(count, MOST_FRAMES)).round().astype(int)
        began_s = self._now_s()
        expected_s = len(numbers) * self._frame_s
        if self._taken > 1 and expected_s > max(FREE_S, SHARE * (began_s - self._ended_s)):
            return None
        shown = latents[:, numbers].float().cpu()  # a GPU that is not done with the step is waited for
        began_s = self._now_s()
        preview = self._preview(shown)
        self._ended_s = self._now_s()
        self._frame_s = min(self._frame_s, (self._ended_s - began_s) / len(numbers))
        self._taken += 1
        return preview

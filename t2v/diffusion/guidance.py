"""What guidance goes by: the branches that are told more or less, and how far to go from each to the next."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import torch
from einops import rearrange

from t2v.diffusion.beside import Beside
from t2v.diffusion.picture_prompt import PicturePrompt
from t2v.diffusion.schedule import TIMES


@dataclass(frozen=True, eq=False)
class Guidance:
    """The guidance branches b, from the least told to the most, and how far to go from each to the next.

    embeds: text (b n d), or (b f n d) where frames are told different things. scales: w >= 0 for each of the
    b - 1 steps: (text,), or (picture, text) in the three branches of InstructPix2Pix (neither, picture,
    picture and text). shown: which branches see the source clip, where there is one. embedding: (1, e) for
    networks that take the scale as an input. late: the share of the steps, 0..1, in which all frames are told
    what the first one is. beside: what Stable Diffusion XL is told too. picture: a picture as a prompt.
    within: from where to where on the way from noise to picture, in shares of the schedule's times, there is
    guidance (arXiv 2404.07724); outside only the branch that is told most is computed, and it is the
    prediction.
    """

    embeds: torch.Tensor
    scales: tuple[float, ...] = ()
    shown: tuple[bool, ...] = (True,)
    embedding: torch.Tensor | None = None
    late: float = 0.0
    beside: Beside | None = None
    picture: PicturePrompt | None = None
    within: tuple[float, float] = (0.0, 1.0)

    def at(self, time: float) -> "Guidance":
        """What there is of it at a time of the schedule, 0..999."""
        start, end = self.within
        return self if start <= 1 - time / TIMES <= end else self._most_told

    @cached_property
    def _most_told(self) -> "Guidance":
        beside = None if self.beside is None else replace(self.beside, pooled=self.beside.pooled[-1:])
        return replace(self, embeds=self.embeds[-1:], scales=(), shown=self.shown[-1:], beside=beside)

    def count(self, times: torch.Tensor, index: int) -> int:
        """How many branches are computed at a time step, by its number; beyond the last one as there."""
        return len(self.at(float(times[min(index, len(times) - 1)])).embeds)

    @property
    def tells_apart(self) -> bool:
        """Whether frames are told different things."""
        return self.embeds.ndim == 4

    def alike(self, with_source: bool) -> tuple[int, ...]:
        """How many branches, one after another, see the same; with_source: whether there is a source clip."""
        if not with_source:
            return (len(self.embeds),)
        return tuple(len(list(same)) for _, same in groupby(self.shown))

    def added(self, frames: slice, latents: torch.Tensor, done: float) -> dict[str, Any]:
        """What networks take beside the text of these frames. latents: (f c h w); done: as in ``text``."""
        if self.beside is None:
            return {}
        return {"added_cond_kwargs": self.beside.rows(frames, latents, done < self.late)}

    def text(self, start: int, count: int, done: float) -> torch.Tensor:
        """What so many frames from number ``start`` are told in each branch: ((b f) n d).

        Or (b n d) where they are told the same. done: share of the steps, 0..1.
        """
        if not self.tells_apart or done < self.late:
            return self.embeds[:, 0] if self.tells_apart else self.embeds
        return rearrange(self.embeds[:, start : start + count], "b f n d -> (b f) n d")

    def combine(self, predictions: torch.Tensor) -> torch.Tensor:
        """((b f) c h w) to (f c h w): the least told, plus scale * (more told - less told) at each step."""
        branches = rearrange(predictions, "(b f) c h w -> b f c h w", b=len(self.embeds))
        combined = branches[0]
        for scale, less, more in zip(self.scales, branches[:-1], branches[1:], strict=True):
            combined = combined + scale * (more - less)
        return combined

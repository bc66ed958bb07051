"""A text-to-video run with nothing left open, and how it is drawn: the paper's way, or as one picture."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from t2v.diffusion.options import Motion
from t2v.diffusion.over_time import texts_of
from t2v.tasks import acting, first_frame
from t2v.tasks.resolved import Means, Resolved
from t2v.tasks.suits import Network
from t2v.tasks.what_moves import what_moves
from t2v.weights.figure import Figure

if TYPE_CHECKING:
    import torch

    from t2v.diffusion.canvas import Drawn
    from t2v.diffusion.video_pipeline import VideoPipeline
    from t2v.tasks.text_to_video import TextToVideoSettings


@dataclass(frozen=True)
class ResolvedTextToVideo(Resolved[Any]):
    """A text-to-video run with nothing left open. figure: that would act. wanted: its ControlNets."""

    asked: "TextToVideoSettings"
    motion_x: float
    motion_y: float
    t0: int
    t1: int
    method: str
    subject: str
    action: str
    figure: Figure
    wanted: tuple[Network, ...]

    @property
    def networks(self) -> tuple[Network, ...]:
        return self.wanted

    def draw(self, means: Means) -> "torch.Tensor | Drawn":
        """Latents of the video (1 f c h w), or its layers; a figure that acts sees skeletons."""
        if self.action != acting.NONE:
            return acting.act(self, means)
        pipe = means.pipeline
        way = partial(pipe, motion=self._motion()) if self.method == "paper" else self._scene(pipe)
        num_frames, call = self.num_frames + self.asked.skip_first_frame, self._sized(means)
        return first_frame.shown(way(self.asked.prompt, num_frames=num_frames, **call), call)

    def still(self, means: Means) -> "torch.Tensor | Drawn":
        """The first frame's latents alone, or its layers; a prompt over time is at its first text there."""
        if self.action != acting.NONE:
            return acting.act(self, means, only_first=True)
        pipe, begin = means.pipeline, texts_of(self.asked.prompt)[0]
        skipped, call = int(self.asked.skip_first_frame), self._sized(means)
        drawn: torch.Tensor | Drawn
        if self.method == "paper":
            drawn = pipe(begin, motion=self._motion(), num_frames=1 + skipped, **call)
        else:
            num_frames = self.num_frames + skipped
            drawn = self._scene(pipe)(begin, num_frames=num_frames, first=1 + skipped, **call)
        return first_frame.shown(drawn, call)

    def _sized(self, means: Means) -> dict[str, Any]:
        own = {"height": self.height, "width": self.width, "first_frame": first_frame.first_frame_of(self)}
        return {**own, **self.call(means)}

    def finished(self, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """The frames that are asked for: without a picture that the video continues."""
        return itertools.islice(frames, int(self.asked.skip_first_frame), None)

    def _motion(self) -> Motion:
        asked = self.asked
        own = (asked.warp, asked.motion_field, asked.smooth_bg, self.subject)
        return Motion(self.motion_x, self.motion_y, self.t0, self.t1, *own)

    def _scene(self, pipe: "VideoPipeline") -> "Callable[..., Drawn]":
        """The one picture under the camera, with what moves before it."""
        moves = what_moves(self)
        if not moves.subjects:
            return partial(pipe.scene, camera=moves.camera)
        return partial(pipe.scene, camera=moves.camera, subject=moves.subjects, painted=moves.painted)

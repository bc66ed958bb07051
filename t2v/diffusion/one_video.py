"""Algorithm 1 (arXiv 2303.13439) as a whole: all frames of one video, from noise to clean latents."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from diffusers import SchedulerMixin

from t2v.diffusion.ahead import cells_of, held
from t2v.diffusion.changing import Hold
from t2v.diffusion.conditions import Predictor
from t2v.diffusion.from_picture import FirstFrame, Start
from t2v.diffusion.loop import Run, denoise
from t2v.diffusion.motion import motion_field
from t2v.diffusion.moving import Way, moved, smooth, started
from t2v.diffusion.noise import Noise
from t2v.diffusion.options import Motion
from t2v.diffusion.progress import Progress, Step
from t2v.diffusion.sampling import Track
from t2v.diffusion.telling import Text

if TYPE_CHECKING:
    from t2v.diffusion.video_pipeline import VideoPipeline


@dataclass(frozen=True, eq=False)
class OneVideo:
    """What is drawn in one call, but for what guides it.

    ids: numbers of the frames that are drawn, the first of them 0. weights: of a prompt's texts in each
    frame, where it changes along the video, else None. at: the numbers of the time steps at T and T'. noise:
    (f c h w), and a generator each. first_frame: a picture to begin with. eta: as in ``Track``.
    """

    pipe: "VideoPipeline"
    prompt: Text
    ids: list[int]
    weights: torch.Tensor | None
    motion: Motion
    at: tuple[int, int]
    schedule: SchedulerMixin
    noise: Noise
    first_frame: FirstFrame | None
    eta: float | None

    @cached_property
    def hold(self) -> Hold | None:
        """What does not change where one picture's text does: frames that differ by nothing else."""
        stands = self._may_move and self.motion.x == self.motion.y == 0
        if self.weights is None or not stands:
            return None
        return held(self.pipe, self.prompt, self.weights, self.motion.subject)

    @property
    def window(self) -> tuple[int, int] | None:
        """``at``, where frames are moved."""
        return self.at if self._may_move and self.hold is None else None

    @property
    def _may_move(self) -> bool:
        return self.motion.enabled and len(self.ids) > 1

    def drawn(self, predictor: Predictor, on_step: Callable[[Step], None] | None) -> torch.Tensor:
        """The clean latents of all frames, (f c h w)."""
        progress = self._progress(on_step)
        run = Run(self.schedule, predictor, progress, self.eta, self.hold)
        start = started(
            self.pipe, self.first_frame, self.noise[0][:1], self.prompt, self.window, progress, self.schedule
        )
        tracks = [self._unmoved(run, start)] if self.window is None else self._moved(run, self.window, start)
        denoise(run, tracks, len(self.schedule.timesteps), "all frames")
        return torch.cat([track.latents for track in tracks])

    def _progress(self, on_step: Callable[[Step], None] | None) -> Progress:
        """All steps that there will be, also those ahead of the video."""
        steps, window = len(self.schedule.timesteps), self.window
        progress = Progress.planned(len(self.ids), steps, window, on_step)
        if window is not None and self.motion.smooth_bg:
            progress.add(steps - window[0])
        if self.hold is not None and self.hold.words:
            progress.add(steps)
        return progress

    def _moved(self, run: Run, window: tuple[int, int], start: Start | None) -> list[Track]:
        """The first frame at T, and the others, which were moved at T'."""
        field = motion_field(max(self.ids) + 1, self.motion.x, self.motion.y)[self.ids[1:]]
        way = Way(self.motion, field, window, self.pipe.cell_px)
        tracks = moved(run, way, *self.noise, start)
        if self.motion.smooth_bg:
            smooth(self.pipe, run, tracks, way, self.prompt)
        return tracks

    def _unmoved(self, run: Run, start: Start | None) -> Track:
        """All frames from noise: each its own, or the same where they are one picture whose text changes."""
        noise, generators = self.noise
        if self.hold is not None:
            noise, generators = noise[:1].expand_as(noise), [generators[0].clone_state() for _ in self.ids]
        track = Track.from_noise(self.schedule, noise, generators, self.eta)
        if start is not None:
            start.hold(track)
        if self.hold is not None and self.hold.words:
            self.hold.subject = cells_of(self.pipe, run, track, self.hold)
        return track

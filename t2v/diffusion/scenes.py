"""Videos of one picture under a camera, and of a subject before it: what is drawn, in which order.

Nothing here depends on one model: sizes, layers and times are the networks' own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers import SchedulerMixin

from t2v.checks import InputError
from t2v.diffusion.canvas import Canvas, Plane, frames_of
from t2v.diffusion.conditions import Guidance, ready_to_predict
from t2v.diffusion.layers import HOLE_CELLS, PLATE_TIME, Cells, Layers, fill_beside, move_mask
from t2v.diffusion.motion import default_times
from t2v.diffusion.noise import window_noise
from t2v.diffusion.options import Camera, Subject
from t2v.diffusion.progress import Progress, Step
from t2v.diffusion.sampling import Track, alpha_bar, nearest_index
from t2v.diffusion.subject import HEEDED, Heeding, grown, heeding, mask_of, word_places
from t2v.diffusion.views import path, views
from t2v.diffusion.windows import Windows

if TYPE_CHECKING:
    from t2v.diffusion.pipeline import TextToVideoPipeline

Trajectory = list[torch.Tensor]  # latents at the beginning of every time step, and after the last


@dataclass(frozen=True, eq=False)
class Scene:
    """What stays the same while one video is drawn. chunk_size: at least 1. behind: guidance without the subject,
    for what is behind it."""

    pipe: "TextToVideoPipeline"
    schedule: SchedulerMixin
    guidance: Guidance
    num_frames: int
    camera: Camera
    rows: int
    columns: int
    chunk_size: int
    cross_frame: bool
    generator: torch.Generator | None
    on_step: Callable[[Step], None] | None

    @property
    def num_steps(self) -> int:
        return len(self.schedule.timesteps)

    def draw(self) -> Canvas:
        """One picture under the camera."""
        windows, seen, noise, generators = self._begin()
        progress = Progress.planned(len(windows), self.num_steps, None, self.on_step)
        track = self._on_canvas(windows, seen, noise, generators, progress, None)[-1]
        return Canvas(windows, seen, track)

    def draw_subject(self, subject: Subject, prompt: str, behind: Guidance) -> Layers:
        """A subject that moves by itself before the camera's picture. prompt: that its words stand in."""
        windows, seen, noise, generators = self._begin()
        _, start = self.pipe.motion_steps(subject.t0, subject.t1, self.schedule, (self.rows, self.columns))
        start = max(start, 1)
        steps_before = self._plate_step()
        progress = Progress(
            self.num_steps + (self.num_steps - steps_before) + (self.num_steps - start),
            len(windows) * self.num_steps
            + (self.num_steps - steps_before)
            + self.num_frames * (self.num_steps - start),
            self.on_step,
        )
        heard = Heeding(word_places(self.pipe.tokenizer, prompt, subject.words))
        first = self._on_canvas(windows, seen, noise, generators, progress, heard)
        mask = mask_of(heard.map(self.rows, self.columns))
        places = path(self.num_frames, subject.x, subject.y, subject.path)
        is_moved = bool(places.any()) or bool((seen != seen[0]).any())
        plate = first
        if is_moved:
            plate = self._plate(windows, first, grown(mask, HOLE_CELLS), steps_before, behind, noise[:1], progress)
        cells = Cells.moved(mask, places, self.pipe.cell_px, subject.lively)
        drawn = self._before_plate(cells, mask, windows, seen, first, plate, start, progress, subject)
        return Layers(windows, seen, plate[-1], drawn, cells, places)

    def _begin(self) -> tuple[Windows, np.ndarray, torch.Tensor, list[torch.Generator]]:
        cell_px = self.pipe.cell_px
        seen = views(self.num_frames, self.camera, self.rows * cell_px, self.columns * cell_px)
        windows = Windows(seen, self.rows, self.columns, cell_px)
        shape = (self.pipe.unet.config.in_channels, self.rows, self.columns)
        noise, generators = window_noise(shape, self.pipe.device, self.generator, windows.corners)
        return windows, seen, windows.share(noise, feather=False), generators

    def _plate_step(self) -> int:
        time, _ = default_times(self.pipe.scheduler.alphas_cumprod, self.rows, self.columns, PLATE_TIME)
        return min(nearest_index(self.schedule, time), self.num_steps - 1)

    def _on_canvas(
        self,
        windows: Windows,
        seen: np.ndarray,
        noise: torch.Tensor,
        generators: list[torch.Generator],
        progress: Progress,
        heard: Heeding | None,
    ) -> Trajectory:
        """All windows denoised together from noise. heard: what listens to the first one's attention."""
        progress.show = partial(frames_of, windows, seen)
        track = Track.from_noise(self.schedule, noise, generators)
        track.after_step = windows.share
        # the last trajectory... kept whole, as the layers begin at T, and small: 16 KB a step and window
        return self._run(track, self.guidance, progress, "the picture", heard)

    def _run(
        self, track: Track, guidance: Guidance, progress: Progress, label: str, heard: Heeding | None = None
    ) -> Trajectory:
        """Denoise a track to its end."""
        kept = [track.latents]
        with ready_to_predict(
            self.pipe.unet, guidance, self.chunk_size, cross_frame=self.cross_frame
        ) as predictor:
            while track.index < self.num_steps:
                self.pipe.denoise_step(predictor, [track], label, progress)
                kept.append(track.latents)
        return kept

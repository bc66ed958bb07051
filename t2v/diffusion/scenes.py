"""Videos of one picture under a camera: what is drawn, in which order.

Nothing here depends on one model: sizes, layers and times are the networks' own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers import SchedulerMixin

from t2v.diffusion.canvas import Canvas
from t2v.diffusion.conditions import ready_to_predict
from t2v.diffusion.from_picture import FirstFrame, Start
from t2v.diffusion.guidance import Guidance
from t2v.diffusion.loop import Run, denoise
from t2v.diffusion.noise import window_noise
from t2v.diffusion.options import Camera
from t2v.diffusion.pictures import check_numbers
from t2v.diffusion.progress import Progress, Step
from t2v.diffusion.sampling import Track
from t2v.diffusion.views import views
from t2v.diffusion.windows import Windows

if TYPE_CHECKING:
    from t2v.diffusion.video_pipeline import VideoPipeline

Trajectory = dict[
    int, torch.Tensor
]  # number of a time step -> latents before it, as the scheduler scales them


@dataclass(frozen=True, eq=False)
class Drawing:
    """How one video is drawn. rows, columns: of a frame's latents. chunk_size: 0 for all at once. first:
    only so many of its frames are drawn, from the first on, as they are in the whole video; None: all.
    first_frame: the picture that it begins with, where that is given. cache_steps: as in ``Shortcuts``."""

    pipe: "VideoPipeline"
    schedule: SchedulerMixin
    guidance: Guidance
    num_frames: int
    rows: int
    columns: int
    camera: Camera
    chunk_size: int
    cross_frame: bool
    generator: torch.Generator | None
    first: int | None = None
    first_frame: FirstFrame | None = None
    cache_steps: int = 1

    @property
    def num_steps(self) -> int:
        return len(self.schedule.timesteps)

    @cached_property
    def all_seen(self) -> np.ndarray:
        """The views of all frames of the video, (f, 2, 3)."""
        height, width = (side * self.pipe.cell_px for side in (self.rows, self.columns))
        return views(self.num_frames, self.camera, height, width)

    @property
    def seen(self) -> np.ndarray:
        """The views of the frames that are drawn."""
        return self.all_seen[: self.first]

    @property
    def stands(self) -> bool:
        """Whether one window shows all that the whole video ever does."""
        if self.first is None:
            return len(self.windows) == 1
        return len(Windows(self.all_seen, self.rows, self.columns, self.pipe.cell_px)) == 1

    @cached_property
    def windows(self) -> Windows:
        return Windows(self.seen, self.rows, self.columns, self.pipe.cell_px)

    @cached_property
    def noise(self) -> torch.Tensor:
        """The windows' noise, (n c h w), the same in what they share."""
        return self.windows.share(self._drawn[0], feather=False)

    def generators(self, count: int | None = None) -> list[torch.Generator]:
        """For samplers that draw as they go: one for each window, or the first one's for so many frames."""
        own = self._drawn[1] if count is None else self._drawn[1][:1] * count
        return [one.clone_state() for one in own]

    @cached_property
    def _drawn(self) -> tuple[torch.Tensor, list[torch.Generator]]:
        shape = (self.pipe.unet.config.in_channels, self.rows, self.columns)
        return window_noise(shape, self.pipe.device, self.generator, self.windows.corners)

    @cached_property
    def start(self) -> Start | None:
        """The picture it begins with, on its way from noise."""
        if self.first_frame is None:
            return None
        return Start.of(self.pipe, self.first_frame, self.schedule, self.noise[:1])

    @property
    def picture(self) -> np.ndarray | None:
        """What frame 0 is, uint8 RGB (h, w, 3), where that is a picture that is given and kept as it is."""
        return self.start.picture if self.start is not None and self.start.is_kept else None

    def begin(self) -> Track:
        """The windows' track from noise, in which a given picture is put back."""
        track = Track.from_noise(self.schedule, self.noise, self.generators())
        if self.start is not None:
            self.start.hold(track)
            track.latents = self.windows.share(track.latents, feather=False)
        return track

    def run(self, track: Track, progress: Progress, label: str, guidance: Guidance | None = None) -> None:
        """Denoise a track to its end, by this drawing's guidance unless another is given."""
        guidance = self.guidance if guidance is None else guidance
        at_once = len(track.latents) if self.chunk_size == 0 else self.chunk_size
        pipe = self.pipe
        with ready_to_predict(
            pipe.unet,
            pipe.memory,
            guidance,
            at_once,
            cross_frame=self.cross_frame,
            cache_steps=self.cache_steps,
        ) as predictor:
            denoise(Run(self.schedule, predictor, progress), [track], self.num_steps, label)
        check_numbers(track.latents, pipe.unet.dtype)  # before a VAE sees them, and is blamed for it


def draw_canvas(drawing: Drawing, on_step: Callable[[Step], None] | None) -> Canvas:
    """One picture under the camera."""
    windows, seen, start = drawing.windows, drawing.seen, drawing.start
    if start is not None and start.is_kept and len(windows) == 1:  # all that is ever seen is there
        return start.canvas(Canvas(windows, seen, start.latents))
    progress = Progress.planned(len(windows), drawing.num_steps, None, on_step)
    progress.show = windows.frames
    track = drawing.begin()
    track.after_step = windows.share
    drawing.run(track, progress, "all frames")
    drawn = Canvas(windows, seen, track.latents)
    return drawn if start is None else start.canvas(drawn)

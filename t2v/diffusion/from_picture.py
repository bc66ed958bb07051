"""Videos that begin with a given picture: its latents on their way from noise, put back after every step.

Each of them is the picture noised as far as its time asks, x_t = sqrt(abar) x_0 + sqrt(1 - abar) eps with
one eps for all times, or inverted (``inversion``). So whatever is drawn beside the picture, or attends to it,
sees it as the model itself would have drawn it. A strength below 1 puts it back only up to that share of the
steps, and from there it is drawn freely: image to image (SDEdit, arXiv 2108.01073).
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers import SchedulerMixin

from t2v.checks import InputError, check_number
from t2v.diffusion.canvas import Canvas, Decode, Drawn, Plane, joined
from t2v.diffusion.cutouts import Layers
from t2v.diffusion.motion import noise_to
from t2v.diffusion.sampling import Track, alpha_bar, preserving_scale

if TYPE_CHECKING:
    from t2v.diffusion.video_pipeline import VideoPipeline


@dataclass(frozen=True, eq=False)
class FirstFrame:
    """The picture that a video begins with: uint8 RGB (h, w, 3), of the video's size.

    strength: 0..1, the share of the steps up to which frame 0 is held to it. At 1 frame 0 is the picture
    itself, below it is drawn anew by the prompt in its layout, the more freely the lower. (The strength of
    diffusers' image to image counts the other way: it is 1 minus this.)
    """

    picture: np.ndarray
    strength: float = 1.0

    def check(self, height: int, width: int) -> None:
        """InputError unless it is a picture of so many pixels, with a strength of 0..1."""
        check_number("strength", self.strength, 0, 1)
        one = self.picture
        if not isinstance(one, np.ndarray) or one.dtype != np.uint8 or one.shape != (height, width, 3):
            shape = one.shape if isinstance(one, np.ndarray) else type(one).__name__
            raise InputError(f"first_frame is {shape}; give a uint8 array of shape {(height, width, 3)}.")

    def shown(self, drawn: "torch.Tensor | Drawn") -> "torch.Tensor | Drawn":
        """What was drawn, latents (1 f c h w) or a scene, whose frame 0 is the picture where it is kept."""
        if isinstance(drawn, Drawn) or self.strength < 1:  # scenes see to it themselves
            return drawn
        return PicturedFrames(self.picture, drawn)


@dataclass(frozen=True, eq=False)
class Start:
    """A picture's way from noise. latents: of it, (1 c h w), scaled; noise: eps, of the same shape.

    until: the number of the time step up to which it is put back. inverted: number of a time step -> latents
    before it, where they are not ``latents`` noised.
    """

    picture: np.ndarray
    schedule: SchedulerMixin
    latents: torch.Tensor
    noise: torch.Tensor
    until: int
    inverted: Mapping[int, torch.Tensor]

    @classmethod
    def of(
        cls, pipe: "VideoPipeline", given: FirstFrame, schedule: SchedulerMixin, noise: torch.Tensor
    ) -> "Start":
        """noise: of the first frame, (1 c h w); InputError where the picture is not of its size."""
        height, width = (side * pipe.cell_px for side in noise.shape[-2:])
        given.check(height, width)
        latents = pipe.encode(given.picture[None]) * pipe.vae.config.scaling_factor
        steps = len(schedule.timesteps)
        share = round(float(given.strength) * steps)
        until = steps if given.strength == 1 else min(share, steps - 1)  # and so 0 of one step
        return cls(given.picture, schedule, latents, noise, until, {})

    @property
    def is_kept(self) -> bool:
        """Whether frame 0 is the picture itself."""
        return self.until == len(self.schedule.timesteps)

    def preserving(self, index: int) -> torch.Tensor:
        """Its latents before time step number ``index``, in the paper's scaling, (1 c h w)."""
        if index == len(self.schedule.timesteps):
            return self.latents
        if index in self.inverted:
            return self.inverted[index]
        return noise_to(self.latents, alpha_bar(self.schedule, index), self.noise)

    def put_back(self, latents: torch.Tensor, done: int) -> torch.Tensor:
        """Latents (f c h w), as the scheduler scales them, whose first is the picture's where it is held.

        done: the number of the time step that comes next.
        """
        if done > self.until:
            return latents
        is_end = done == len(self.schedule.timesteps)
        own = self.preserving(done) / (1 if is_end else preserving_scale(self.schedule, done))
        return torch.cat([own, latents[1:]])

    def track(self, generators: list[torch.Generator], index: int, eta: float | None = None) -> Track:
        """The first frame alone, from time step number ``index`` on, at which it is held."""
        track = Track.from_latents(self.schedule, self.preserving(index), generators, index, eta)
        track.put_back = self.put_back
        return track

    def hold(self, track: Track) -> None:
        """Let a track that begins with noise hold its first frame to the picture."""
        track.put_back = self.put_back
        track.latents = self.put_back(track.latents, 0)

    def canvas(self, drawn: Canvas) -> Canvas:
        """The large picture of which this is the first window's part, to the pixel."""
        return PicturedCanvas(self.picture, drawn) if self.is_kept else drawn

    def layers(self, drawn: Layers, hole: np.ndarray | None) -> Layers:
        """The layers into which the picture is taken apart, to the pixel.

        hole: (h, w) bool, pixels that are not the picture's behind the subjects; None where they stand still.
        """
        return PicturedLayers(hole, drawn) if self.is_kept else drawn


class PicturedCanvas(Canvas):
    """One picture under a camera, whose first window shows a given picture itself."""

    def __init__(self, picture: np.ndarray, drawn: Canvas) -> None:
        super().__init__(drawn.windows, drawn.seen, drawn.cells)
        self.picture = picture

    def frames(self, decode: Decode) -> Iterator[np.ndarray]:
        yield from self.under_camera(Plane(self.windows, _beginning(self.picture, decode(self.cells[1:]))))


class PicturedFrames(Drawn):
    """Frames that were each drawn by itself, of which the first is a given picture."""

    def __init__(self, picture: np.ndarray, drawn: torch.Tensor) -> None:
        """drawn: latents (1 f c h w)."""
        self.picture, self.drawn = picture, drawn

    def latents(self) -> torch.Tensor:
        return self.drawn

    def frames(self, decode: Decode) -> Iterator[np.ndarray]:
        yield from _beginning(self.picture, decode(self.drawn[0, 1:]))


class PicturedLayers(Layers):
    """A video of subjects that are a given picture's, before what else that shows."""

    def __init__(self, hole: np.ndarray | None, drawn: Layers) -> None:
        super().__init__(
            drawn.windows,
            drawn.seen,
            drawn.plate,
            drawn.subjects,
            drawn.first,
            drawn.picture,
            drawn.drawn,
            drawn.cells,
        )
        self.hole = hole

    def frames(self, decode: Decode) -> Iterator[np.ndarray]:
        """The first one is the picture; subjects that keep their shape are cut out of it, to the pixel."""
        yield from _beginning(self.picture, itertools.islice(super().frames(decode), 1, None))

    def plate_pictures(self, decode: Decode) -> Iterator[np.ndarray]:
        """The picture itself but for its hole."""
        if self.hole is None:
            return _beginning(self.picture, decode(self.plate[1:]))
        pictures = decode(self.plate)
        return _beginning(joined(next(pictures), self.picture, ~self.hole), pictures)


def _beginning(first: np.ndarray, others: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from others

"""The plate: what is behind the subjects, filled in from beside them and drawn again without them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from t2v.diffusion.guidance import Guidance
from t2v.diffusion.masks import grown, in_pixels
from t2v.diffusion.motion import default_times, noise_to
from t2v.diffusion.options import KnownTimes
from t2v.diffusion.progress import Progress
from t2v.diffusion.sampling import Track, alpha_bar, nearest_index
from t2v.diffusion.scenes import Drawing, Trajectory

HOLE_CELLS = 3  # by which masks are grown for the plate: shadows reach beyond them
BESIDE_PX = 64  # left and right of the hole, from where it is filled
PLATE_TIME = KnownTimes(220, 220, 32.0)  # how far a filled hole is noised, found on latents of 32 x 32


def fill_beside(picture: np.ndarray, hole: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    """A picture, uint8 (h, w, 3), whose hole (h, w) bool is filled row by row from left and right of it.

    Each row goes from the median of what is left of its hole to the median of what is right of it; a row that
    is all hole takes those of the nearest row.
    """
    filled, width = picture.astype(np.float32), picture.shape[1]
    done = np.logical_not(np.any(hole, axis=1))
    for y in np.flatnonzero(~done):
        columns = np.flatnonzero(hole[y])
        first, last = int(columns[0]), int(columns[-1])
        sides = [slice(max(0, first - BESIDE_PX), first), slice(last + 1, last + 1 + BESIDE_PX)]
        beside = [
            picture[y, side] if others is None else picture[y, side][~others[y, side]] for side in sides
        ]
        ends = [np.median(side, axis=0) for side in beside if len(side)]
        if ends:
            share = np.interp(np.arange(width), [first, max(last, first + 1)], [0, 1])[:, None]
            row = ends[0] * (1 - share) + ends[-1] * share
            filled[y, hole[y]] = row[hole[y]]
            done[y] = True
    for y in np.flatnonzero(~done):
        near = np.flatnonzero(done)
        if len(near):
            filled[y] = filled[near[np.abs(near - y).argmin()]]
    return filled.round().astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Behind:
    """How the plate is drawn: from a time step on, by a guidance that does not know the subjects."""

    drawing: Drawing
    guidance: Guidance
    start: int

    def holes(self, masks: Sequence[np.ndarray]) -> np.ndarray:
        """What is drawn again, (h, w) bool in cells; masks: of the subjects."""
        return np.asarray(np.any([grown(mask, HOLE_CELLS) for mask in masks], axis=0))

    def filled(self, picture: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
        """The first frame, uint8 (h, w, 3), with every hole filled from beside it, the nearest one's last."""
        cell_px = self.drawing.pipe.cell_px
        whole = in_pixels(self.holes(masks), cell_px) if len(masks) > 1 else None
        for mask in reversed(masks):
            picture = fill_beside(picture, in_pixels(grown(mask, HOLE_CELLS), cell_px), whole)
        return picture

    def draw(
        self,
        first: Trajectory,
        masks: Sequence[np.ndarray],
        picture: np.ndarray,
        earliest: int,
        progress: Progress,
    ) -> Trajectory:
        """The picture without the subjects, from the step ``earliest`` on, for all windows (n c h w).

        first: the picture's own steps; it stays what it is outside of the holes.
        """
        own, pipe = self.drawing, self.drawing.pipe
        inside = torch.from_numpy(self.holes(masks)).to(pipe.device)
        filled = pipe.encode(self.filled(picture, masks)[None]) * pipe.vae.config.scaling_factor
        noise, generators = own.noise[:1], own.generators(1)
        noise = noise.roll(own.rows // 2, dims=2)  # not what the subjects themselves were drawn from
        noisy = noise_to(filled, alpha_bar(own.schedule, self.start), noise)
        track = Track.from_latents(own.schedule, noisy, generators, self.start)
        track.latents = torch.where(inside, track.latents, first[self.start][:1])
        kept: Trajectory = {track.index: track.latents}

        def after_step(latents: torch.Tensor) -> torch.Tensor:
            done = track.index + 1
            kept[done] = torch.where(inside, latents, first[done][:1])
            return kept[done]

        track.after_step = after_step
        progress.show = None
        own.run(track, progress, "what is behind", self.guidance)
        clean = kept[own.num_steps]
        for index in range(earliest, self.start):
            noisy = noise_to(clean, alpha_bar(own.schedule, index), noise)
            early = Track.from_latents(own.schedule, noisy, generators, index).latents
            kept[index] = torch.where(inside, early, first[index][:1])
        return {index: self._in_windows(first[index], one) for index, one in kept.items()}

    def _in_windows(self, windows: torch.Tensor, plate: torch.Tensor) -> torch.Tensor:
        """The windows' latents (n c h w), with the plate in the first one's and in what others show of it."""
        return self.drawing.windows.share(torch.cat([plate, windows[1:]]), feather=False)


def plate_step(drawing: Drawing) -> int:
    """The number of the time step from which the plate is drawn."""
    schedule = drawing.pipe.scheduler.alphas_cumprod
    time, _ = default_times(schedule, drawing.rows, drawing.columns, PLATE_TIME)
    return min(nearest_index(drawing.schedule, time), drawing.num_steps - 1)

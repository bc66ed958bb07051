"""Videos of one picture under a camera, and of a subject before it: what is drawn, in which order.

Nothing here depends on one model: sizes, layers and times are the networks' own.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers import SchedulerMixin

from t2v.diffusion.canvas import Canvas
from t2v.diffusion.conditions import Guidance, ready_to_predict
from t2v.diffusion.from_picture import FirstFrame, Start
from t2v.diffusion.layers import HOLE_CELLS, PLATE_TIME, Cells, Layers, fill_beside, kept_in
from t2v.diffusion.loop import Run, denoise
from t2v.diffusion.motion import default_times, noise_to
from t2v.diffusion.noise import window_noise
from t2v.diffusion.options import Camera, Subject
from t2v.diffusion.pictures import check_numbers
from t2v.diffusion.progress import Progress, Step
from t2v.diffusion.sampling import Track, alpha_bar, nearest_index, preserving_scale
from t2v.diffusion.subject import (
    cut_out,
    grown,
    heeding,
    in_cells,
    in_pixels,
    mask_of,
    without,
    word_places,
)
from t2v.diffusion.telling import guidance_by
from t2v.diffusion.views import path, views
from t2v.diffusion.windows import Windows

if TYPE_CHECKING:
    from t2v.diffusion.pipeline import TextToVideoPipeline

LOOP = 16  # frames until what lives is where it was
Trajectory = dict[
    int, torch.Tensor
]  # number of a time step -> latents before it, as the scheduler scales them


@dataclass(frozen=True, eq=False)
class Drawing:
    """How one video is drawn. rows, columns: of a frame's latents. chunk_size: 0 for all at once. first:
    only so many of its frames are drawn, from the first on, as they are in the whole video; None: all.
    first_frame: the picture that it begins with, where that is given."""

    pipe: "TextToVideoPipeline"
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

    def cuts(self, subject: Subject) -> bool:
        """Whether a subject is the given picture's own, cut out of it, and so not drawn again."""
        return self.picture is not None and not subject.lively

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
        with ready_to_predict(self.pipe.unet, guidance, at_once, cross_frame=self.cross_frame) as predictor:
            denoise(Run(self.schedule, predictor, progress), [track], self.num_steps, label)
        check_numbers(track.latents, self.pipe.unet.dtype)  # before a VAE sees them, and is blamed for it


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


@dataclass(frozen=True, eq=False)
class LayeredDrawing:
    """How a subject is drawn before the camera's picture.

    mask: where it is, as it was painted; None: where its words are drawn, by their places among the
    prompt's tokens. behind: guidance by the prompt without them. start, freed: the numbers of the time steps
    at T, from which every frame is drawn by itself, and at T'; plate_start: from which the plate is drawn.
    """

    drawing: Drawing
    subject: Subject
    mask: np.ndarray | None
    places: list[int]
    behind: Guidance
    start: int
    freed: int
    plate_start: int
    progress: Progress

    def draw(self) -> Layers:
        own, windows = self.drawing, self.drawing.windows
        first, matte, picture = self._first()
        mask = in_cells(matte, own.pipe.cell_px)
        places = path(own.num_frames, self.subject.x, self.subject.y, self.subject.path)
        if own.picture is None:  # in a picture that is given the subject stands where it does
            places = kept_in(places, mask, own.pipe.cell_px)
        stands = not places.any() and own.stands
        places = places[: own.first]
        hole = None if stands else grown(mask, HOLE_CELLS)
        plate = first if hole is None else self._plate(first, hole, picture)
        cells = Cells.moved(mask, places, own.pipe.cell_px, self.subject.lively)
        drawn = (self._cut if own.cuts(self.subject) else self._frames)(cells, mask, first, plate)
        layers = Layers(windows, own.seen, plate[own.num_steps], drawn, cells, places, matte)
        if own.start is None:
            return layers
        beyond = None if hole is None else in_pixels(hole, own.pipe.cell_px)
        return own.start.layers(layers, beyond, self.subject.lively)

    def _first(self) -> tuple[Trajectory, np.ndarray, np.ndarray]:
        """The camera's picture with the subject in it, from T on; the subject's pixels (h, w); frame 0."""
        own, windows = self.drawing, self.drawing.windows
        self.progress.show = windows.frames
        track = own.begin()
        kept: Trajectory = {0: track.latents}
        with heeding(own.pipe.unet, self.places, len(self.drawing.guidance.embeds)) as heard:

            def after_step(latents: torch.Tensor) -> torch.Tensor:
                done, shared = track.index + 1, windows.share(latents)
                heard.next_step(done / own.num_steps)
                if done >= min(self.start, self.plate_start) or done == self.freed:
                    kept[done] = shared
                return shared

            track.after_step = after_step
            own.run(track, self.progress, "the picture")
        picture = own.picture
        if picture is None:
            (picture,) = own.pipe.decode(kept[own.num_steps][:1][None])
        if self.mask is not None:
            return kept, in_pixels(self.mask, own.pipe.cell_px), picture
        heeded = heard.map(own.rows, own.columns)
        return kept, cut_out(picture, mask_of(heeded), heeded, own.pipe.cell_px), picture

    def _plate(self, first: Trajectory, hole: np.ndarray, picture: np.ndarray) -> Trajectory:
        """The picture without the subject, from T on: filled, noised, and drawn again in the hole alone."""
        own, pipe = self.drawing, self.drawing.pipe
        inside = torch.from_numpy(hole).to(pipe.device)
        pixels = in_pixels(hole, pipe.cell_px)
        filled = pipe.encode(fill_beside(picture, pixels)[None]) * pipe.vae.config.scaling_factor
        noise, generators = own.noise[:1], own.generators(1)
        noise = noise.roll(own.rows // 2, dims=2)  # not what the subject itself was drawn from
        noisy = noise_to(filled, alpha_bar(own.schedule, self.plate_start), noise)
        track = Track.from_latents(own.schedule, noisy, generators, self.plate_start)
        track.latents = torch.where(inside, track.latents, first[self.plate_start][:1])
        kept: Trajectory = {track.index: track.latents}

        def after_step(latents: torch.Tensor) -> torch.Tensor:
            done = track.index + 1
            kept[done] = torch.where(inside, latents, first[done][:1])
            return kept[done]

        track.after_step = after_step
        self.progress.show = None
        own.run(track, self.progress, "what is behind", self.behind)
        clean = kept[own.num_steps]
        for index in range(self.start, self.plate_start):
            noisy = noise_to(clean, alpha_bar(own.schedule, index), noise)
            early = Track.from_latents(own.schedule, noisy, generators, index).latents
            kept[index] = torch.where(inside, early, first[index][:1])
        return {index: self._with_plate(first[index], one) for index, one in kept.items()}

    def _with_plate(self, windows: torch.Tensor, plate: torch.Tensor) -> torch.Tensor:
        """The windows' latents (n c h w), with the plate in the first one's and in what others show of it."""
        return self.drawing.windows.share(torch.cat([plate, windows[1:]]), feather=False)

    def _frames(self, cells: Cells, mask: np.ndarray, first: Trajectory, plate: Trajectory) -> torch.Tensor:
        """All frames from T to the end, (f c h w): what is neither the subject's nor the plate's is free."""
        own = self.drawing

        def behind(index: int) -> torch.Tensor:
            return own.windows.frames(plate[index])

        def begun(latents: torch.Tensor, done: int) -> torch.Tensor:
            return latents if own.picture is None else torch.cat([first[done][:1], latents[1:]])

        begin = Cells.cut_out(mask, cells.shifts)
        start = begin.compose(behind(self.start), self._begun(first), behind(self.start))
        track = Track.from_latents(own.schedule, start, own.generators(len(own.seen)), self.start)
        track.latents = begun(start, self.start)

        def after_step(latents: torch.Tensor) -> torch.Tensor:
            done = track.index + 1
            return begun(cells.compose(latents, first[done][0], behind(done)), done)

        track.after_step = after_step
        self.progress.show = None
        own.run(track, self.progress, "all frames")
        return track.latents

    def _cut(self, cells: Cells, mask: np.ndarray, first: Trajectory, plate: Trajectory) -> torch.Tensor:
        """All frames, (f c h w), with the picture's own subject moved over the plate: nothing is drawn."""
        own = self.drawing
        behind = own.windows.frames(plate[own.num_steps])
        return Cells.cut_out(mask, cells.shifts).compose(behind, first[own.num_steps][0], behind)

    def _begun(self, first: Trajectory) -> torch.Tensor:
        """The first frame at T, (c h w); or, for a lively subject, one for every frame (f c h w).

        Those are the first frame at T', brought back up to T as the paper does it (Eq. 5), but with noise
        that goes round in a circle: neighbours differ a little, the first not at all, and LOOP frames later
        it is there again.
        """
        own, schedule = self.drawing, self.drawing.schedule
        at_t1 = first[self.start][0]
        if not self.subject.lively or self.freed <= self.start:
            return at_t1
        scale_t1, scale_t0 = (preserving_scale(schedule, index) for index in (self.start, self.freed))
        ratio = alpha_bar(schedule, self.start) / alpha_bar(schedule, self.freed)
        clean = first[self.freed][0] * scale_t0
        own_noise = (at_t1 * scale_t1 - math.sqrt(ratio) * clean) / math.sqrt(1 - ratio)
        other = own.noise[0].flip(-1)
        angle = torch.arange(len(own.seen), device=other.device)[:, None, None, None] * (2 * math.pi / LOOP)
        noise = angle.cos() * own_noise + angle.sin() * other
        return noise_to(clean, ratio, noise) / scale_t1


def draw_layers(
    drawing: Drawing,
    subject: Subject,
    prompt: str,
    window: tuple[int, int],
    mask: np.ndarray | None,
    on_step: Callable[[Step], None] | None,
) -> Layers:
    """A subject before the camera's picture. window: the numbers of the time steps at T and T'.

    mask: where it is, (h, w) bool in cells; None: where the network draws its words.
    """
    pipe, (start, freed) = drawing.pipe, window
    places = word_places(pipe.tokenizer, prompt, subject.words) if mask is None else []
    behind = guidance_by(pipe, without(prompt, subject.words), "", 1.0)
    steps, plate_start = drawing.num_steps, plate_step(drawing)
    alone, together = steps - plate_start, 0 if drawing.cuts(subject) else steps - start
    arithmetic = steps * len(drawing.windows) + alone + together * len(drawing.seen)
    progress = Progress(steps + alone + together, arithmetic, on_step)
    return LayeredDrawing(drawing, subject, mask, places, behind, start, freed, plate_start, progress).draw()


def plate_step(drawing: Drawing) -> int:
    """The number of the time step from which the plate is drawn."""
    schedule = drawing.pipe.scheduler.alphas_cumprod
    time, _ = default_times(schedule, drawing.rows, drawing.columns, PLATE_TIME)
    return min(nearest_index(drawing.schedule, time), drawing.num_steps - 1)

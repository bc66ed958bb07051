"""Videos of subjects before the camera's picture: what is drawn, in which order."""

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch

from t2v.diffusion.courses import Placed, sampled
from t2v.diffusion.cutouts import Layers, with_cut
from t2v.diffusion.layers import Cells, Layer, kept_in
from t2v.diffusion.masks import in_cells, in_pixels
from t2v.diffusion.motion import noise_to
from t2v.diffusion.options import Subject
from t2v.diffusion.plate import Behind, plate_step
from t2v.diffusion.progress import Progress, Step
from t2v.diffusion.sampling import Track, alpha_bar, preserving_scale
from t2v.diffusion.scenes import Drawing, Trajectory
from t2v.diffusion.several import parted, without_all
from t2v.diffusion.subject import cut_out, heeding
from t2v.diffusion.telling import guidance_by
from t2v.diffusion.views import path

LOOP = 16  # frames until what lives is where it was


@dataclass(frozen=True, eq=False)
class LayeredDrawing:
    """How subjects are drawn before the camera's picture.

    subjects: the nearest first. masks: where each is, as it was painted, (h, w) bool in cells; None: where
    its words are drawn, by their ``places`` among the prompt's tokens. behind: how the plate is drawn. start,
    freed: the numbers of the time steps at T, from which every frame is drawn by itself, and at T'.
    """

    drawing: Drawing
    subjects: Sequence[Subject]
    masks: Sequence[np.ndarray | None]
    places: Sequence[list[int]]
    behind: Behind
    start: int
    freed: int
    progress: Progress

    def draw(self) -> Layers:
        own, windows = self.drawing, self.drawing.windows
        first, mattes, picture = self._first()
        layers = [self._layer(one, matte) for one, matte in zip(self.subjects, mattes, strict=True)]
        self.progress.outlines = tuple(one.outlines for one in layers)
        stand = all(one.stands for one in layers) and own.stands
        earliest, masks = min(self.start, self.behind.start), [one.mask for one in layers]
        plate = first if stand else self.behind.draw(first, masks, picture, earliest, self.progress)
        free = [one for one in layers if not one.is_cut]
        cells = Cells.moved(free) if free else None
        drawn = None if cells is None else self._frames(cells, layers, first, plate)
        clean = first[own.num_steps][0]
        whole = Layers(windows, own.seen, plate[own.num_steps], layers, clean, picture, drawn, cells)
        if own.start is None:
            return whole
        hole = None if stand else in_pixels(self.behind.holes(masks), own.pipe.cell_px)
        return own.start.layers(whole, hole)

    def _layer(self, subject: Subject, matte: np.ndarray) -> Layer:
        """A subject with where it moves: on a course as it is told, else so that it stays in the frame."""
        own, cell_px = self.drawing, self.drawing.pipe.cell_px
        if subject.course is not None:
            placed = sampled(subject.course, own.num_frames, *matte.shape)
            return Layer(matte, placed, subject.lively, cell_px, own.first, from_pixels=True)
        places = path(own.num_frames, subject.x, subject.y, subject.path)
        if own.picture is None:  # in a picture that is given the subject stands where it does
            places = kept_in(places, in_cells(matte, cell_px), cell_px)
        placed = Placed(places, np.ones(own.num_frames), np.zeros(own.num_frames))
        return Layer(matte, placed, subject.lively, cell_px, own.first, own.picture is not None)

    def _first(self) -> tuple[Trajectory, list[np.ndarray], np.ndarray]:
        """The camera's picture with the subjects in it, from T on; their pixels (h, w); frame 0."""
        own, windows = self.drawing, self.drawing.windows
        self.progress.show = windows.frames
        track = own.begin()
        kept: Trajectory = {0: track.latents}
        with ExitStack() as listening:
            heard = [
                listening.enter_context(heeding(own.pipe.unet, places, len(own.guidance.embeds)))
                for places, mask in zip(self.places, self.masks, strict=True)
                if mask is None
            ]

            def after_step(latents: torch.Tensor) -> torch.Tensor:
                done, shared = track.index + 1, windows.share(latents)
                for one in heard:
                    one.next_step(done / own.num_steps, own.guidance.count(own.schedule.timesteps, done))
                if done >= min(self.start, self.behind.start) or done == self.freed:
                    kept[done] = shared
                return shared

            track.after_step = after_step
            own.run(track, self.progress, "the picture")
        picture = own.picture
        if picture is None:
            (picture,) = own.pipe.decode(kept[own.num_steps][:1][None])
        return kept, self._mattes(picture, [one.map(own.rows, own.columns) for one in heard]), picture

    def _mattes(self, picture: np.ndarray, heeded: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The subjects' pixels, (h, w) bool: painted, or cut out where their words are heeded."""
        cell_px = self.drawing.pipe.cell_px
        found = iter(zip(parted(heeded), heeded, strict=True))
        told = [(mask, None) if mask is not None else next(found) for mask in self.masks]
        mattes: list[np.ndarray] = []
        for number, (mask, map_of) in enumerate(told):
            if map_of is None:
                matte = in_pixels(mask, cell_px)
            else:
                rest = [mask for other, (mask, _) in enumerate(told) if other != number]
                others = np.asarray(np.any(rest, axis=0)) if rest else None
                matte = cut_out(picture, mask, map_of, cell_px, others)
            for nearer in mattes:
                if (matte & ~nearer).any():
                    matte = matte & ~nearer
            mattes.append(matte)
        return mattes

    def _frames(
        self, cells: Cells, layers: Sequence[Layer], first: Trajectory, plate: Trajectory
    ) -> torch.Tensor:
        """All frames from T to the end, (f c h w): what is neither a subject's nor the plate's is free."""
        own = self.drawing
        free = [one for one in layers if not one.is_cut]

        def behind(index: int) -> torch.Tensor:
            return own.windows.frames(plate[index])

        def with_picture(latents: torch.Tensor, done: int) -> torch.Tensor:
            return latents if own.picture is None else torch.cat([first[done][:1], latents[1:]])

        begun = {lively: self._begun(first, lively) for lively in {one.lively for one in free}}
        begin, firsts = Cells.cut_out(free), [begun[one.lively] for one in free]
        start = begin.compose(behind(self.start), firsts, behind(self.start))
        track = Track.from_latents(own.schedule, start, own.generators(len(own.seen)), self.start)
        track.latents = with_picture(start, self.start)

        def after_step(latents: torch.Tensor) -> torch.Tensor:
            done = track.index + 1
            whole = cells.compose(latents, [first[done][0]] * len(free), behind(done))
            return with_picture(whole, done)

        track.after_step = after_step
        if len(free) < len(layers):  # those that are cut out later are seen already
            picture = first[own.num_steps][0]
            self.progress.show = lambda clean: with_cut(clean, picture, layers)
        else:
            self.progress.show = None
        own.run(track, self.progress, "all frames")
        return track.latents

    def _begun(self, first: Trajectory, lively: bool) -> torch.Tensor:
        """The first frame at T, (c h w); or, for a lively subject, one for every frame (f c h w).

        Those are the first frame at T', brought back up to T as the paper does it (Eq. 5), but with noise
        that goes round in a circle: neighbours differ a little, the first not at all, and LOOP frames later
        it is there again.
        """
        own, schedule = self.drawing, self.drawing.schedule
        at_t1 = first[self.start][0]
        if not lively or self.freed <= self.start:
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
    subjects: Sequence[Subject],
    prompt: str,
    window: tuple[int, int],
    masks: Sequence[np.ndarray | None],
    on_step: Callable[[Step], None] | None,
) -> Layers:
    """Subjects before the camera's picture, the nearest first.

    window: the numbers of the time steps at T and T'. masks: where each is, (h, w) bool in cells; None: where
    the network draws its words.
    """
    pipe, (start, freed) = drawing.pipe, window
    places = [
        pipe.places_of(prompt, subject.words) if mask is None else []
        for subject, mask in zip(subjects, masks, strict=True)
    ]
    alone = guidance_by(pipe, without_all(prompt, [one.words for one in subjects]), "", 1.0)
    behind = Behind(drawing, alone, plate_step(drawing))
    steps = drawing.num_steps
    parts = [steps, steps - behind.start]
    arithmetic = steps * len(drawing.windows) + parts[1]
    if any(one.lively or (one.course is None and drawing.picture is None) for one in subjects):
        parts.append(steps - start)
        arithmetic += parts[2] * len(drawing.seen)
    progress = Progress(sum(parts), arithmetic, on_step)
    return LayeredDrawing(drawing, subjects, masks, places, behind, start, freed, progress).draw()

"""Layers, in cells: subjects that move, and a background that stands or moves at a speed of its own.

A subject is where the network's text attention finds its words. What is behind it (the plate) is filled in
from beside it, noised a little and drawn again without the subject. Then every frame is drawn from T on:
inside a subject's mask, moved, it is the first frame; outside of all of them the plate; the network itself
draws the border between them anew in each frame, and where it is asked for life the whole subject. A subject
on a course, which may change its size and turn it, and that does not live, is no business of the network's:
it is cut out of the first frame's pixels (``cutouts``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch

from t2v.diffusion.courses import Placed
from t2v.diffusion.masks import grown, in_cells
from t2v.diffusion.motion import shifted
from t2v.diffusion.views import inverse, turned_about

BORDER_CELLS = 1  # to both sides of the mask's edge, where each frame is drawn by itself
FINE_PX = 1.0  # to which an outline keeps to its mask


@dataclass(frozen=True, eq=False)
class Layer:
    """A subject: its pixels in the first frame, (h, w) bool, and where it is in every frame.

    lively: it is drawn anew in each. count: only so many frames, from the first on, are drawn; None: all.
    from_pixels: what the first frame shows of it is better than drawn anew, as in a picture that is given, or
    on a course, however far.
    """

    matte: np.ndarray
    placed: Placed
    lively: bool
    cell_px: int
    count: int | None = None
    from_pixels: bool = False

    @cached_property
    def mask(self) -> np.ndarray:
        """Its cells in the first frame, (h, w) bool."""
        return in_cells(self.matte, self.cell_px)

    @property
    def stands(self) -> bool:
        """Whether it is in every frame as in the first."""
        return self.placed.only_moves and not self.placed.places.any()

    @property
    def is_cut(self) -> bool:
        """Whether it comes from the first frame's pixels alone."""
        return not self.lively and (self.from_pixels or not self.placed.only_moves)

    @property
    def shifts(self) -> torch.Tensor:
        """By how many whole cells the network draws it moved, (f, 2), (x, y); the rest is done in pixels."""
        places = self.placed.places[: self.count]
        if not self.placed.only_moves:
            return torch.zeros(len(places), 2, dtype=torch.int64)
        return torch.from_numpy(np.rint(places / self.cell_px).astype(np.int64))

    @cached_property
    def maps(self) -> np.ndarray:
        """From its pixels in the first frame to those of each, (f, 2, 3): about its foot and middle."""
        rows, columns = (np.flatnonzero(self.matte.any(axis=axis)) for axis in (1, 0))
        across = (columns[0] + columns[-1]) / 2
        foot, middle = np.array([across, rows[-1]]), np.array([across, (rows[0] + rows[-1]) / 2])
        sizes, turns = self.placed.sizes[: self.count], self.placed.turns[: self.count]
        found = np.zeros((len(sizes), 2, 3))
        for k, (size, turn) in enumerate(zip(sizes, turns, strict=True)):
            turned, sized = turned_about(middle, 1.0, float(turn)), turned_about(foot, float(size), 0.0)
            found[k] = sized[:, :2] @ turned
            found[k, :, 2] += sized[:, 2] + self.placed.places[k]
        return found

    @cached_property
    def outlines(self) -> np.ndarray:
        """Around its largest piece in every frame: (f, points, 2), (x, y) in shares of the picture."""
        pieces, _ = cv2.findContours(self.matte.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        largest = max(pieces, key=cv2.contourArea)
        points = cv2.approxPolyDP(largest, FINE_PX, closed=True)[:, 0].astype(np.float64)
        seen = points @ self.maps[:, :, :2].transpose(0, 2, 1) + self.maps[:, None, :, 2]
        return (seen + 0.5) / self.matte.shape[::-1]


def kept_in(places: np.ndarray, mask: np.ndarray, cell_px: int) -> np.ndarray:
    """A path (f, 2), in pixels, begun as much earlier or later as keeps what is masked in the frame.

    By whole cells, and not at all where it stays in the frame anyway; a path that is too long for that is
    cut as much at its beginning as at its end. mask: (h, w) bool, of the first frame.
    """
    moved = places.copy()
    for axis, side in ((0, mask.shape[1]), (1, mask.shape[0])):
        inside = np.flatnonzero(np.any(mask, axis=axis))
        least = (int(inside[0]) * cell_px) + places[:, axis].min()
        most = (int(inside[-1]) + 1) * cell_px + places[:, axis].max() - side * cell_px
        fits = most <= least  # then anything between the two keeps it in; the nearest to 0 changes least
        back = float(np.clip(0.0, most, least)) if fits else (most + least) / 2
        moved[:, axis] -= np.rint(back / cell_px) * cell_px
    return moved


@dataclass(frozen=True, eq=False)
class Cells:
    """Where in a frame what is drawn from, (f, h, w) bool: each subject itself, nearest first, and the plate.

    What is none of them is drawn anew in each frame. shifts: of each subject, (f, 2), whole cells by which it
    is moved, (x, y).
    """

    subjects: tuple[torch.Tensor, ...]
    plate: torch.Tensor
    shifts: tuple[torch.Tensor, ...]

    @classmethod
    def moved(cls, layers: Sequence[Layer]) -> "Cells":
        """The subjects in their masks, the plate outside; the borders are free, and all of what lives."""
        inner = [np.zeros_like(one.mask) if one.lively else grown(one.mask, -BORDER_CELLS) for one in layers]
        return cls._of(inner, [grown(one.mask, BORDER_CELLS) for one in layers], layers)

    @classmethod
    def cut_out(cls, layers: Sequence[Layer]) -> "Cells":
        """The subjects alone in their masks, the plate alone outside: nothing is free."""
        masks = [one.mask for one in layers]
        return cls._of(masks, masks, layers)

    @classmethod
    def _of(
        cls, inner: Sequence[np.ndarray], outer: Sequence[np.ndarray], layers: Sequence[Layer]
    ) -> "Cells":
        shifts, subjects = tuple(one.shifts for one in layers), []
        taken = torch.zeros(len(shifts[0]), *inner[0].shape, dtype=torch.bool)  # by those that are nearer
        for one, reach, shift in zip(inner, outer, shifts, strict=True):
            subjects.append(move_mask(one, shift) & ~taken)
            taken = taken | move_mask(reach, shift)
        return cls(tuple(subjects), ~taken, shifts)

    def compose(
        self, free: torch.Tensor, firsts: Sequence[torch.Tensor], plate: torch.Tensor
    ) -> torch.Tensor:
        """Frames (f c h w): each subject's ``firsts`` (c h w), moved, inside; ``plate`` (f c h w) outside;
        else ``free``."""
        for subject, first, shift in zip(self.subjects, firsts, self.shifts, strict=True):
            moved = shifted(first.expand(len(free), -1, -1, -1), shift)
            free = torch.where(subject[:, None].to(free.device), moved, free)
        return torch.where(self.plate[:, None].to(free.device), plate, free)


def move_mask(mask: np.ndarray, shifts: torch.Tensor) -> torch.Tensor:
    """A mask (h, w) moved by whole cells (f, 2), (x, y): (f, h, w) bool; nothing comes in at the edges."""
    height, width = mask.shape
    found = np.zeros((len(shifts), height, width), bool)
    for frame, (x, y) in zip(found, shifts.tolist(), strict=True):
        if abs(x) < width and abs(y) < height:
            rows = slice(max(0, y), height + min(0, y)), slice(max(0, -y), height + min(0, -y))
            columns = slice(max(0, x), width + min(0, x)), slice(max(0, -x), width + min(0, -x))
            frame[rows[0], columns[0]] = mask[rows[1], columns[1]]
    return torch.from_numpy(found)


def lay_cells(frames: torch.Tensor, first: torch.Tensor, layer: Layer) -> torch.Tensor:
    """Frames (f c h w) with a subject of the first one's latents (c h w) in front, in whole cells."""
    laid, (height, width), px = frames.clone(), layer.mask.shape, layer.cell_px
    for frame, view in zip(laid, layer.maps, strict=True):
        rows, columns = np.mgrid[:height, :width]
        back = inverse(view)
        points = np.stack([columns, rows], axis=-1) * px + (px - 1) / 2
        found = np.rint((points @ back[:, :2].T + back[:, 2] - (px - 1) / 2) / px).astype(np.int64)
        x, y = found[..., 0].clip(0, width - 1), found[..., 1].clip(0, height - 1)
        inside = (x == found[..., 0]) & (y == found[..., 1]) & layer.mask[y, x]
        at, y, x = (torch.from_numpy(one).to(frame.device) for one in (inside, y, x))
        frame[:] = torch.where(at, first[:, y, x], frame)
    return laid

"""Two layers: a subject that moves, and a background that stands or moves at a speed of its own.

The subject is where the network's text attention finds its words. What is behind it (the plate) is filled in
from beside it, noised a little and drawn again without the subject. Then every frame is drawn from T on:
inside the subject's mask, moved, it is the first frame; outside of it the plate; the network itself draws the
border between the two anew in each frame, and where it is asked for life the whole subject.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from t2v.diffusion.canvas import Decode, Drawn, Plane
from t2v.diffusion.motion import shifted
from t2v.diffusion.options import KnownTimes
from t2v.diffusion.subject import grown
from t2v.diffusion.windows import Windows

HOLE_CELLS = 3  # by which the mask is grown for the plate: shadows reach beyond it
BESIDE_PX = 64  # left and right of the hole, from where it is filled
PLATE_TIME = KnownTimes(220, 220, 32.0)  # how far a filled hole is noised, found on latents of 32 x 32
BORDER_CELLS = 1  # to both sides of the mask's edge, where each frame is drawn by itself
EDGE_PX, SOFT_PX = 6, 2.0  # beyond the subject's pixels that go with it, and how softly they end
FAINT = 6.0  # of 255: a difference that is none; from twice as much it is one
AROUND_PX = 5  # over which it is looked at


def fill_beside(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """A picture, uint8 (h, w, 3), whose hole (h, w) bool is filled row by row from left and right of it.

    Each row goes from the median of what is left of its hole to the median of what is right of it; a row that
    is all hole takes those of the nearest row.
    """
    filled, width = picture.astype(np.float32), picture.shape[1]
    done = np.logical_not(np.any(hole, axis=1))
    for y in np.flatnonzero(~done):
        columns = np.flatnonzero(hole[y])
        first, last = int(columns[0]), int(columns[-1])
        sides = [picture[y, max(0, first - BESIDE_PX) : first], picture[y, last + 1 : last + 1 + BESIDE_PX]]
        ends = [np.median(side, axis=0) for side in sides if len(side)]
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
    """Where in a frame what is drawn from, (f, h, w) bool: the subject itself, and the plate itself.

    What is neither is drawn anew in each frame.
    """

    subject: torch.Tensor
    plate: torch.Tensor
    shifts: torch.Tensor  # (f, 2), whole cells by which the subject is moved, (x, y)

    @classmethod
    def moved(cls, mask: np.ndarray, places: np.ndarray, cell_px: int, lively: bool) -> "Cells":
        """mask: of the subject in the first frame, (h, w) bool. places: where it moves, (f, 2) in pixels."""
        shifts = torch.from_numpy(np.rint(places / cell_px).astype(np.int64))
        inner = np.zeros_like(mask) if lively else grown(mask, -BORDER_CELLS)
        outer = grown(mask, BORDER_CELLS)
        subject, reach = (move_mask(part, shifts) for part in (inner, outer))
        return cls(subject, ~reach, shifts)

    @classmethod
    def cut_out(cls, mask: np.ndarray, shifts: torch.Tensor) -> "Cells":
        """The subject alone in the mask, the plate alone outside: nothing is free."""
        subject = move_mask(mask, shifts)
        return cls(subject, ~subject, shifts)

    def compose(self, free: torch.Tensor, first: torch.Tensor, plate: torch.Tensor) -> torch.Tensor:
        """Frames (f c h w): ``first`` (c h w), moved, inside; ``plate`` (f c h w) outside; else ``free``."""
        moved = shifted(first.expand(len(free), -1, -1, -1), self.shifts)
        inside = torch.where(self.subject[:, None].to(free.device), moved, free)
        return torch.where(self.plate[:, None].to(free.device), plate, inside)


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


class Layers(Drawn):
    """A drawn video of two layers.

    windows, seen: of the plate and its views; plate: its latents (n c h w). drawn: the frames' (f c h w), as
    near as whole cells come. places: where the subject moves, (f, 2) pixels; matte: its pixels in the first
    frame, (h, w) bool.
    """

    def __init__(
        self,
        windows: Windows,
        seen: np.ndarray,
        plate: torch.Tensor,
        drawn: torch.Tensor,
        cells: Cells,
        places: np.ndarray,
        matte: np.ndarray,
    ) -> None:
        self.windows, self.seen, self.plate = windows, seen, plate
        self.drawn, self.cells, self.places, self.matte = drawn, cells, places, matte
        reach = cv2.dilate(matte.astype(np.float32), np.ones((2 * EDGE_PX + 1,) * 2, np.uint8))
        self.soft = cv2.GaussianBlur(reach, (0, 0), SOFT_PX)

    def latents(self) -> torch.Tensor:
        return self.drawn[None]

    def frames(self, decode: Decode) -> Iterator[np.ndarray]:
        plane = Plane(self.windows, decode(self.plate))
        for number, picture in enumerate(decode(self.drawn)):
            behind = plane.frame(number, self.seen[number])
            yield self.together(number, picture, behind)

    def together(self, number: int, picture: np.ndarray, behind: np.ndarray) -> np.ndarray:
        """The subject of a decoded frame, moved by what whole cells lack, before the plate."""
        cell_px = self.windows.cell_px
        rest = self.places[number] - self.cells.shifts[number].numpy() * cell_px
        if rest.any():
            picture = moved(picture, rest, cv2.INTER_LANCZOS4, cv2.BORDER_REPLICATE)
        soft = moved(self.soft, self.places[number])
        return laid_over(picture, behind, soft)


def moved(
    picture: np.ndarray,
    place: np.ndarray,
    flags: int = cv2.INTER_LINEAR,
    border: int = cv2.BORDER_CONSTANT,
) -> np.ndarray:
    """A picture (h, w) or (h, w, 3) moved by (x, y) pixels; black comes in unless it is said otherwise."""
    move = np.array([[1, 0, place[0]], [0, 1, place[1]]], np.float64)
    size = picture.shape[1], picture.shape[0]
    return cv2.warpAffine(picture, move, size, flags=flags, borderMode=border)


def laid_over(picture: np.ndarray, behind: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """A picture before another, both uint8 (h, w, 3), where ``soft`` (h, w), 0..1, says so and they differ.

    Where all that is around a pixel differs faintly, it is the same thing drawn twice, and what is behind
    stays, or the background would tremble beside the subject.
    """
    gap = picture.astype(np.float32) - behind
    around = cv2.blur(np.abs(gap).max(axis=2), (AROUND_PX, AROUND_PX))
    differs = np.clip((around - FAINT) / FAINT, 0, 1)
    mixed = behind + (soft * differs)[..., None] * gap
    return mixed.round().clip(0, 255).astype(np.uint8)

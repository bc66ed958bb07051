"""One large picture, drawn through windows of the size that a model knows.

Windows stand on a ``lattice``, in the order in which the frames of a video first need them. Cells that
several of them see belong to the earliest: so what a frame shows never depends on the frames after it, and
the first window's picture is the one that the model draws alone.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from t2v.diffusion.lattice import Corner, Lattice
from t2v.diffusion.views import footprint

# how far beyond a window's border what comes after it is brought nearer to it; at 3 its edge is seen in skies
FEATHER_CELLS = 6

Piece = tuple[slice, slice]  # rows and columns


@dataclass(frozen=True, eq=False)
class Borrowed:
    """What one window takes from those before it.

    known: (h, w) bool, the cells it takes. source: (h, w), where in all windows' cells (n h w, flat) each of
    them is found. nearest: (h, w), of every cell the number of the nearest known one. fade: (h, w), 0..1,
    how much of the step that is found there the cell takes over.
    """

    known: torch.Tensor
    source: torch.Tensor
    nearest: torch.Tensor
    fade: torch.Tensor


class Windows:
    """The windows that a video's views need. height, width: of one, in cells; cell_px: pixels per cell."""

    def __init__(self, seen: np.ndarray, height: int, width: int, cell_px: int) -> None:
        """seen: the frames' views (f, 2, 3), as ``views`` gives them."""
        self.height, self.width, self.cell_px = height, width, cell_px
        lattice = Lattice(height, width, cell_px)
        self.steps, self.pixels = lattice.steps, lattice.pixels
        self.corners = lattice.corners(seen)
        numbers = {corner: number for number, corner in enumerate(self.corners)}
        # of every frame, the numbers of the windows that show it
        self.needs = [tuple(sorted(numbers[corner] for corner in lattice.covering(view))) for view in seen]
        cut = [self._cut(frame, view) for frame, view in enumerate(seen)]
        self._shown = torch.from_numpy(np.stack(cut))
        self._borrowed = [self._borrow(number) for number in range(len(self.corners))]

    def __len__(self) -> int:
        return len(self.corners)

    def cells(self, number: int) -> Corner:
        """Where a window's first row and column lie, in cells of the first picture."""
        (row, column), (down, right) = self.corners[number], self.steps
        return row * down, column * right

    def share(self, latents: torch.Tensor, feather: bool = True) -> torch.Tensor:
        """The windows' latents (n c h w) with every shared cell as the earliest window has it.

        feather: cells next to what is shared take over part of the change there, so that no seam is left.
        """
        shared = latents.clone()
        for number, borrowed in enumerate(self._borrowed[1:], start=1):
            own, known = shared[number], borrowed.known.to(latents.device)
            theirs = shared.movedim(1, 0).flatten(1)[:, borrowed.source.to(latents.device)]
            if feather:
                gap = torch.where(known, theirs - own, 0).flatten(1)
                own = own + gap[:, borrowed.nearest.to(latents.device)] * borrowed.fade.to(latents)
            shared[number] = torch.where(known, theirs, own)
        return shared

    def frames(self, latents: torch.Tensor) -> torch.Tensor:
        """What the frames show of the windows' latents (n c h w), to whole cells: (f c h w).

        Neither zoomed nor turned: for what is drawn before them, for previews, and for scripts.
        """
        flat = latents.movedim(1, 0).flatten(1)  # c, and every cell of every window
        return flat[:, self._shown.to(latents.device)].movedim(1, 0)

    def _cut(self, frame: int, view: np.ndarray) -> np.ndarray:
        """Where in all windows' cells (n h w, flat) each cell of a frame is found: (h, w)."""
        top, left, bottom, right = (edge / self.cell_px for edge in footprint(view, *self.pixels))
        row, column = round((top + bottom - self.height) / 2), round((left + right - self.width) / 2)
        rows, columns = np.arange(row, row + self.height), np.arange(column, column + self.width)
        found = np.zeros((self.height, self.width), np.int64)
        for number in reversed(self.needs[frame]):
            y, x = self.cells(number)
            inside_y = np.clip(rows - y, 0, self.height - 1)
            inside_x = np.clip(columns - x, 0, self.width - 1)
            covered = np.outer(inside_y == rows - y, inside_x == columns - x)
            cells = np.add.outer(inside_y * self.width, inside_x) + number * self.height * self.width
            found = np.where(covered, cells, found)
        return found

    def _borrow(self, number: int) -> Borrowed:
        area = self.height * self.width
        source = np.full((self.height, self.width), -1, np.int64)
        for earlier in range(number - 1, -1, -1):  # the earliest is written last, and stays
            if (shared := self.overlap(number, earlier)) is not None:
                mine, theirs = shared
                cells = np.arange(area).reshape(self.height, self.width)
                source[mine] = cells[theirs] + earlier * area
        known = source >= 0
        nearest, fade = nearest_known(known, FEATHER_CELLS)
        return Borrowed(*(torch.from_numpy(part) for part in (known, source.clip(0), nearest, fade)))

    def overlap(self, one: int, other: int, scale: int = 1) -> tuple[Piece, Piece] | None:
        """What two windows share, as rows and columns of each, in cells times ``scale``; or None."""
        pairs = []
        for a, b, side in zip(self.cells(one), self.cells(other), (self.height, self.width), strict=True):
            low, high = max(a, b), min(a, b) + side
            if low >= high:
                return None
            pairs.append([slice((low - c) * scale, (high - c) * scale) for c in (a, b)])
        (rows, their_rows), (columns, their_columns) = pairs
        return (rows, columns), (their_rows, their_columns)


def nearest_known(known: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Of every place of a map (h, w) the nearest known one, as a flat number, and how near it is.

    The nearness falls evenly from 1 at a known place to 0 beyond ``reach``; it is 0 at known places
    themselves, and everywhere where none is known. float32.
    """
    numbers = np.arange(known.size).reshape(known.shape)
    if not known.any() or known.all():
        return numbers, np.zeros(known.shape, np.float32)
    away, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(int(labels.max()) + 1, np.int64)
    of_label[labels[known]] = numbers[known]
    fade = np.clip(1 - away / (reach + 1), 0, 1).astype(np.float32)
    return of_label[labels], np.where(known, np.float32(0), fade)

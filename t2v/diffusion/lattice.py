"""Where the windows of one large picture stand: on a lattice, in the order in which frames need them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from t2v.checks import InputError
from t2v.diffusion.views import between, footprint

STRIDE = 1 / 8  # of a window's side, from one window to the next
MOST_WINDOWS = 4096
NEAR = 1e-6  # cells; what rounding leaves of a whole number

Corner = tuple[int, int]  # a window's place on the lattice, (row, column); the first picture's is (0, 0)


@dataclass(frozen=True)
class Lattice:
    """height, width: of a window, in cells; cell_px: pixels per cell."""

    height: int
    width: int
    cell_px: int

    @property
    def steps(self) -> tuple[int, int]:
        """Cells from one window to the next, downwards and to the right."""
        return max(1, round(self.height * STRIDE)), max(1, round(self.width * STRIDE))

    @property
    def pixels(self) -> tuple[int, int]:
        """Rows and columns of pixels of a window, and of a frame."""
        return self.height * self.cell_px, self.width * self.cell_px

    def corners(self, seen: np.ndarray) -> list[Corner]:
        """The windows that a video needs whose frames have the views (f, 2, 3).

        The way between frames is covered too, so that windows hang together. InputError for too long a way.
        """
        found: dict[Corner, None] = {}
        most_px = min(step * self.cell_px for step in self.steps)
        before = np.eye(2, 3)  # the first picture is drawn first, wherever the first frame stands
        for view in [before, *seen]:
            for place in between(before, view, most_px, *self.pixels):
                for corner in self.covering(place):
                    if corner not in found and len(found) == MOST_WINDOWS:
                        raise InputError(
                            "motion leads over more than can be drawn; choose less, or fewer frames."
                        )
                    found[corner] = None
            before = view
        return list(found)

    def covering(self, view: np.ndarray) -> Iterable[Corner]:
        """The windows that show all that a view shows, the nearest to the first one first."""
        top, left, bottom, right = (edge / self.cell_px for edge in footprint(view, *self.pixels))
        rows = _span(top, bottom, self.height, self.steps[0])
        columns = _span(left, right, self.width, self.steps[1])
        if len(rows) * len(columns) > MOST_WINDOWS:
            raise InputError(
                "zoom shows more in the end than can be drawn; choose one nearer to 1, or fewer frames."
            )
        found = [(row, column) for row in rows for column in columns]
        return sorted(found, key=lambda corner: (abs(corner[0]) + abs(corner[1]), corner))


def _span(low: float, high: float, side: int, step: int) -> Sequence[int]:
    """Numbers of the lattice's lines whose windows cover low..high, in cells, of ``side`` cells each."""
    first, last = math.floor(low / step + NEAR), math.ceil((high - side) / step - NEAR)
    if last <= first:  # one window will do: the nearest to the first frame's of all that would
        return [min(range(last, first + 1), key=abs)]
    return range(first, last + 1)

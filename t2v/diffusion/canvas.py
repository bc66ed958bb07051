"""A large picture in pixels, put together of its windows, and what a camera sees of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch

from t2v.diffusion.views import footprint, inverse
from t2v.diffusion.windows import Windows, nearest_known

FEATHER_PX = 32  # beyond a window's border, where what comes after it is brought nearer to it
SMOOTH_PX = 9  # over which differences at a border are averaged, or every pixel there would draw a streak
LANCZOS_PX = 4  # that sampling between pixels reaches to each side

Decode = Callable[[torch.Tensor], Iterator[np.ndarray]]  # latents (n c h w) -> pictures, one at a time


class Drawn(ABC):
    """A video that has been drawn, as latents that are no frames yet."""

    @abstractmethod
    def frames(self, decode: Decode) -> Iterator[np.ndarray]:
        """Its frames one at a time, uint8 RGB (h, w, 3)."""

    @abstractmethod
    def latents(self) -> torch.Tensor:
        """Latents of its frames, (1 f c h w), as near as whole cells come."""


class Canvas(Drawn):
    """One picture under a camera.

    windows, seen: where it was drawn, and the views; cells: latents (n c h w).
    """

    def __init__(self, windows: Windows, seen: np.ndarray, cells: torch.Tensor) -> None:
        self.windows, self.seen, self.cells = windows, seen, cells

    def latents(self) -> torch.Tensor:
        return self.windows.frames(self.cells)[None]

    def frames(self, decode: Decode) -> Iterator[np.ndarray]:
        yield from self.under_camera(Plane(self.windows, decode(self.cells)))

    def under_camera(self, plane: "Plane") -> Iterator[np.ndarray]:
        """What the camera sees of the decoded picture, frame by frame."""
        for number, view in enumerate(self.seen):
            yield plane.frame(number, view)


class Plane:
    """The pixels of a canvas, of which no more is decoded than has been asked for."""

    def __init__(self, windows: Windows, decoded: Iterator[np.ndarray]) -> None:
        """decoded: the windows' pictures in order, each by itself, uint8 RGB (h, w, 3)."""
        self.windows, self._decoded = windows, decoded
        self._pictures: list[np.ndarray] = []

    def frame(self, number: int, view: np.ndarray) -> np.ndarray:
        """What frame number ``number`` shows: uint8 RGB (h, w, 3)."""
        height, width = self.windows.pixels
        top, left, bottom, right = footprint(view, height, width)
        is_whole = np.allclose(view[:, :2], np.eye(2), atol=1e-9) and np.allclose(
            view[:, 2], view[:, 2].round()
        )
        if is_whole:
            return self._cut(number, round(top), round(left), height, width)
        y, x = int(np.floor(top)) - LANCZOS_PX, int(np.floor(left)) - LANCZOS_PX
        rows = int(np.ceil(bottom)) + LANCZOS_PX - y
        columns = int(np.ceil(right)) + LANCZOS_PX - x
        shown = self._cut(number, y, x, rows, columns)
        back = inverse(view)
        back[:, 2] -= (x, y)
        flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(shown, back, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)

    def _cut(self, number: int, top: int, left: int, height: int, width: int) -> np.ndarray:
        """A piece of what the windows of a frame cover; what lies beside them repeats their edge."""
        needs = self.windows.needs[number]
        height_px, width_px = self.windows.pixels
        corners = [self._pixel_corner(one) for one in needs]
        low_y, high_y = min(y for y, _ in corners), max(y for y, _ in corners) + height_px
        low_x, high_x = min(x for _, x in corners), max(x for _, x in corners) + width_px
        whole = np.zeros((high_y - low_y, high_x - low_x, 3), np.uint8)
        for one, (y, x) in zip(reversed(needs), reversed(corners), strict=True):
            whole[y - low_y : y - low_y + height_px, x - low_x : x - low_x + width_px] = self._picture(one)
        rows = np.clip(np.arange(top, top + height), low_y, high_y - 1) - low_y
        columns = np.clip(np.arange(left, left + width), low_x, high_x - 1) - low_x
        return whole[rows[:, None], columns[None]]

    def _pixel_corner(self, number: int) -> tuple[int, int]:
        row, column = self.windows.cells(number)
        return row * self.windows.cell_px, column * self.windows.cell_px

    def _picture(self, number: int) -> np.ndarray:
        """A window's picture, in which all that earlier ones show is theirs."""
        while len(self._pictures) <= number:
            self._pictures.append(self._joined(len(self._pictures), next(self._decoded)))
        return self._pictures[number]

    def _joined(self, number: int, own: np.ndarray) -> np.ndarray:
        """A picture as decoded, with what is known of it put in, and brought nearer to that beside it."""
        known = np.zeros(own.shape[:2], bool)
        theirs = np.zeros_like(own)
        for earlier in range(number - 1, -1, -1):
            shared = self.windows.overlap(number, earlier, self.windows.cell_px)
            if shared is not None:
                here, there = shared
                theirs[here], known[here] = self._pictures[earlier][there], True
        return joined(own, theirs, known)


def joined(own: np.ndarray, theirs: np.ndarray, known: np.ndarray) -> np.ndarray:
    """``theirs`` where known, else ``own``, which next to the border takes over the difference there.

    own, theirs: uint8 RGB (h, w, 3). known: (h, w) bool.
    """
    if not known.any() or known.all():
        return theirs if known.all() else own
    share = cv2.blur(known.astype(np.float32), (SMOOTH_PX, SMOOTH_PX))
    gap = np.where(known[..., None], theirs.astype(np.float32) - own, np.float32(0))
    gap = cv2.blur(gap, (SMOOTH_PX, SMOOTH_PX)) / np.maximum(share, 1e-6)[..., None]
    nearest, fade = nearest_known(known, FEATHER_PX)
    moved = own + gap.reshape(-1, 3)[nearest] * fade[..., None]
    return np.where(known[..., None], theirs, moved.round().clip(0, 255).astype(np.uint8))

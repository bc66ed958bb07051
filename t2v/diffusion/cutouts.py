"""A video of layers in pixels: before the plate each subject, moved, sized and turned as cells cannot be."""

from collections.abc import Iterator, Sequence
from itertools import repeat

import cv2
import numpy as np
import torch

from t2v.diffusion.canvas import Decode, Drawn, Plane
from t2v.diffusion.layers import Cells, Layer, lay_cells
from t2v.diffusion.windows import Windows

EDGE_PX, SOFT_PX = 6, 2.0  # beyond a subject's pixels that go with it, and how softly they end
# the same of one that is cut out: what comes with it is of another place, and would rim it
CLOSE_PX, CRISP_PX = 1, 0.8
FAINT = 6.0  # of 255: a difference that is none; from twice as much it is one
AROUND_PX = 5  # over which it is looked at


class Layers(Drawn):
    """A drawn video of layers.

    windows, seen: of the plate and its views; plate: its latents (n c h w). subjects: nearest first. first:
    the first frame's latents (c h w), and picture: its pixels, uint8 (h, w, 3). drawn: the frames' latents
    (f c h w), as near as whole cells come, with the subjects of ``cells``; None where the network drew none.
    """

    def __init__(
        self,
        windows: Windows,
        seen: np.ndarray,
        plate: torch.Tensor,
        subjects: Sequence[Layer],
        first: torch.Tensor,
        picture: np.ndarray,
        drawn: torch.Tensor | None,
        cells: Cells | None,
    ) -> None:
        self.windows, self.seen, self.plate = windows, seen, plate
        self.subjects, self.first, self.picture = subjects, first, picture
        self.drawn, self.cells = drawn, cells
        self._soft = [
            _soft(one.matte, CLOSE_PX, CRISP_PX)
            if one.is_cut or not one.placed.only_moves
            else _soft(one.matte, EDGE_PX, SOFT_PX)
            for one in subjects
        ]

    def latents(self) -> torch.Tensor:
        """As near as whole cells come; those cut out of pixels stand before all others."""
        frames = self.windows.frames(self.plate) if self.drawn is None else self.drawn
        return with_cut(frames, self.first, self.subjects)[None]

    def frames(self, decode: Decode) -> Iterator[np.ndarray]:
        plane = Plane(self.windows, self.plate_pictures(decode))
        own = repeat(self.picture, len(self.seen)) if self.drawn is None else decode(self.drawn)
        begun = plane.frame(0, self.seen[0])
        for number, picture in enumerate(own):
            behind = plane.frame(number, self.seen[number])
            shown = behind
            for one, soft in zip(reversed(self.subjects), reversed(self._soft), strict=True):
                if one.is_cut:
                    shown = self._cut(one, number, self.picture, begun, shown, soft)
                elif not one.placed.only_moves:
                    shown = self._cut(one, number, picture, behind, shown, soft)
                else:
                    shown = self._shifted(one, number, picture, shown, soft)
            yield shown

    def plate_pictures(self, decode: Decode) -> Iterator[np.ndarray]:
        """The plate's windows in pixels, uint8 RGB (h, w, 3)."""
        return decode(self.plate)

    def _shifted(
        self, one: Layer, number: int, picture: np.ndarray, shown: np.ndarray, soft: np.ndarray
    ) -> np.ndarray:
        """A subject of a decoded frame, moved by what whole cells lack, before what is there."""
        place = one.placed.places[number]
        rest = place - one.shifts[number].numpy() * one.cell_px
        if rest.any():
            picture = _moved(picture, _by(rest), cv2.INTER_LANCZOS4, cv2.BORDER_REPLICATE)
        soft = _moved(soft, _by(place), cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
        return laid_over(picture, shown, soft)

    def _cut(
        self,
        one: Layer,
        number: int,
        picture: np.ndarray,
        behind: np.ndarray,
        shown: np.ndarray,
        soft: np.ndarray,
    ) -> np.ndarray:
        """A subject cut out where it was at first, by how it differs from what is behind it there."""
        view = one.maps[number]
        share = soft * differing(picture, behind)
        moved = _moved(picture, view, cv2.INTER_LANCZOS4, cv2.BORDER_REPLICATE)
        share = _moved(share, view, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
        mixed = shown + share[..., None] * (moved.astype(np.float32) - shown)
        return mixed.round().clip(0, 255).astype(np.uint8)


def with_cut(frames: torch.Tensor, first: torch.Tensor, subjects: Sequence[Layer]) -> torch.Tensor:
    """Frames (f c h w) with the subjects before them that are cut out of the first one (c h w)."""
    for one in reversed(subjects):
        if one.is_cut:
            frames = lay_cells(frames, first, one)
    return frames


def _soft(matte: np.ndarray, edge_px: int, soft_px: float) -> np.ndarray:
    """Pixels (h, w) bool as shares of each pixel, 0..1, wider by so many pixels, and softly ending."""
    wider = cv2.dilate(matte.astype(np.float32), np.ones((2 * edge_px + 1,) * 2, np.uint8))
    return cv2.GaussianBlur(wider, (0, 0), soft_px)


def _by(place: np.ndarray) -> np.ndarray:
    return np.array([[1, 0, place[0]], [0, 1, place[1]]], np.float64)


def _moved(picture: np.ndarray, move: np.ndarray, flags: int, border: int) -> np.ndarray:
    """A picture (h, w) or (h, w, 3) moved by a map of its pixels, (2, 3)."""
    size = picture.shape[1], picture.shape[0]
    return cv2.warpAffine(picture, move, size, flags=flags, borderMode=border)


def differing(picture: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Where two pictures, uint8 (h, w, 3), show different things: (h, w) float32, 0..1.

    Where all that is around a pixel differs faintly, it is the same thing drawn twice.
    """
    gap = np.abs(picture.astype(np.float32) - behind).max(axis=2)
    return np.clip((cv2.blur(gap, (AROUND_PX, AROUND_PX)) - FAINT) / FAINT, 0, 1)


def laid_over(picture: np.ndarray, behind: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """A picture before another, both uint8 (h, w, 3), where ``soft`` (h, w), 0..1, says so and they differ.

    Where they do not, what is behind stays, or the background would tremble beside the subject.
    """
    gap = picture.astype(np.float32) - behind
    mixed = behind + (soft * differing(picture, behind))[..., None] * gap
    return mixed.round().clip(0, 255).astype(np.uint8)

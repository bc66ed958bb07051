"""Video: frames and their rate, read from a clip and fitted to a size."""

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from t2v.checks import InputError, check_int, check_number, plain
from t2v.video.clips import MAX_FRAMES, Clip, Selection, gather, open_clip
from t2v.video.encode import MAX_SIDE

MIN_FPS, MAX_FPS = 0.1, 240.0


@dataclass(frozen=True, eq=False)
class Video:
    """Frames and their rate.

    frames: uint8 RGB, shape (f, h, w, 3), at least one frame. fps: frames per second, finite and above 0.
    Raises InputError otherwise.
    """

    frames: np.ndarray
    fps: float

    def __post_init__(self) -> None:
        frames = self.frames
        if not isinstance(frames, np.ndarray) or frames.dtype != np.uint8:
            kind = frames.dtype if isinstance(frames, np.ndarray) else type(frames).__name__
            raise InputError(f"frames are {kind}; give a uint8 array of shape (f, h, w, 3).")
        if frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape:
            raise InputError(f"frames have shape {frames.shape}; give (f, h, w, 3) with at least one frame.")
        fps = plain(self.fps)
        is_number = isinstance(fps, (int, float)) and not isinstance(fps, bool)
        if not is_number or not math.isfinite(fps) or fps <= 0:
            raise InputError(f"fps is {self.fps!r}; give a number above 0.")
        object.__setattr__(self, "fps", float(fps))

    @property
    def num_frames(self) -> int:
        return self.frames.shape[0]

    @property
    def height(self) -> int:
        return self.frames.shape[1]

    @property
    def width(self) -> int:
        return self.frames.shape[2]


def clip_frames(
    path: str | os.PathLike[str],
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    fps: float | None = None,
    max_frames: int | None = None,
) -> Clip:
    """A clip (mp4, mov, webm, mkv, avi, gif) to loop over frame by frame, upright and with square pixels.

    Frames, uint8 RGB (h, w, 3), that begin in [start_s, end_s) seconds; None means to the end. ``fps``
    resamples: at each moment the frame that was on show then (None keeps the clip's rate; one that varies
    becomes its average). ``max_frames`` stops early, whatever the header claims. Transparent parts become
    white. InputError, naming the file, if it cannot be read; one that is cut off may give frames before.
    """
    start_s = check_number("start_s", start_s, 0.0, 1e6)
    if end_s is not None:
        end_s = check_number("end_s", end_s, 0.0, 1e6)
        if end_s - start_s < 0.001:
            raise InputError(f"end_s is {end_s:g}; give a time after start_s ({start_s:g}).")
    if fps is not None:
        fps = check_number("fps", fps, MIN_FPS, MAX_FPS)
    if max_frames is not None:
        max_frames = check_int("max_frames", max_frames, 1, MAX_FRAMES)
    return open_clip(Path(path), Selection(start_s, end_s, fps, max_frames))


def read_video(
    path: str | os.PathLike[str],
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    fps: float | None = None,
    max_frames: int | None = None,
) -> Video:
    """What ``clip_frames`` gives, in memory at once; InputError also where that would be too much."""
    clip = clip_frames(path, start_s=start_s, end_s=end_s, fps=fps, max_frames=max_frames)
    return Video(gather(clip, clip.height, clip.width, clip.path.name), clip.fps)


def fit_size(width: int, height: int, multiple_of: int = 8) -> tuple[int, int]:
    """The (width, height) nearest to the one given whose sides are multiples of ``multiple_of``."""
    check_int("width", width, 1, MAX_SIDE)
    check_int("height", height, 1, MAX_SIDE)
    width, height = (max(1, math.floor(side / multiple_of + 0.5)) * multiple_of for side in (width, height))
    return width, height


def fit_video(
    source: Video | Clip,
    *,
    width: int | None = None,
    height: int | None = None,
    multiple_of: int = 8,
) -> Video:
    """Scale the frames to cover the wanted size, then cut the middle out: nothing is distorted.

    A side left None follows from the other one and the clip's shape; both None keep the clip's size. Both
    sides are then moved to the nearest multiple of ``multiple_of``. A ``Clip`` is fitted while it is decoded,
    so that only the fitted frames take memory.
    """
    return _fit(source, _window(source, width, height, multiple_of), _resampling(is_control=False))


def fit_control(
    source: Video | Clip,
    *,
    width: int | None = None,
    height: int | None = None,
    multiple_of: int = 8,
) -> Video:
    """A ready control clip (edges, skeletons, nearness), fitted just as ``fit_video`` fits its footage.

    Pixels are averaged over their areas or, where the picture grows, repeated: nothing rings around lines
    and no values appear that were not there.
    """
    return _fit(source, _window(source, width, height, multiple_of), _resampling(is_control=True))


def fitted_frames(
    clip: Clip, width: int, height: int, multiple_of: int = 8, is_control: bool = False
) -> Iterator[np.ndarray]:
    """What ``fit_video``, or ``fit_control``, gives of a clip, frame by frame while it is decoded."""
    return _resized(clip, _window(clip, width, height, multiple_of), _resampling(is_control))


@dataclass(frozen=True)
class _Window:
    """The part of a picture, left, top, right, bottom in its pixels, that becomes width x height."""

    width: int
    height: int
    box: tuple[float, float, float, float]


def _window(source: Video | Clip, width: int | None, height: int | None, multiple_of: int) -> _Window:
    if width is None:
        width = source.width if height is None else max(1, round(source.width * height / source.height))
    if height is None:
        height = max(1, round(source.height * width / source.width))
    width, height = fit_size(width, height, multiple_of)
    scale = max(width / source.width, height / source.height)
    # Rounding may put the part's edge a hair outside the picture, where nothing can be cut.
    across, down = min(width / scale, source.width), min(height / scale, source.height)
    left, top = (source.width - across) / 2, (source.height - down) / 2
    right, bottom = min(left + across, source.width), min(top + down, source.height)
    return _Window(width, height, (left, top, right, bottom))


def _resampling(is_control: bool) -> Image.Resampling:
    return Image.Resampling.BOX if is_control else Image.Resampling.LANCZOS


def _fit(source: Video | Clip, to: _Window, resampling: Image.Resampling) -> Video:
    if isinstance(source, Video) and _is_size_of(source, to):
        return source
    name = "the clip" if isinstance(source, Video) else source.path.name
    return Video(gather(_resized(source, to, resampling), to.height, to.width, name), source.fps)


def _is_size_of(source: Video | Clip, to: _Window) -> bool:
    return (to.width, to.height) == (source.width, source.height)


def _resized(source: Video | Clip, to: _Window, resampling: Image.Resampling) -> Iterator[np.ndarray]:
    whole: Iterable[np.ndarray] = source.frames if isinstance(source, Video) else source
    if _is_size_of(source, to):
        return iter(whole)
    return (
        np.asarray(Image.fromarray(frame).resize((to.width, to.height), resampling, to.box))
        for frame in whole
    )

"""Video in and out: read a clip, fit it, write an MP4 that browsers play and that remembers its settings."""

import contextlib
import json
import math
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import video_in
import video_out
from checks import InputError, check_int, check_number

MIN_FPS, MAX_FPS = 0.1, 240.0
MAX_SIDE = video_out.MAX_SIDE
MAX_SETTINGS_CHARS = 100_000  # systems cut a single argument of a command at 128 KB


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
        is_number = isinstance(self.fps, (int, float)) and not isinstance(self.fps, bool)
        if not is_number or not math.isfinite(self.fps) or self.fps <= 0:
            raise InputError(f"fps is {self.fps!r}; give a number above 0.")
        object.__setattr__(self, "fps", float(self.fps))

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
    path: str | os.PathLike,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    fps: float | None = None,
    max_frames: int | None = None,
) -> video_in.Clip:
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
        max_frames = check_int("max_frames", max_frames, 1, video_in.MAX_FRAMES)
    return video_in.open_clip(Path(path), video_in.Selection(start_s, end_s, fps, max_frames))


def read_video(
    path: str | os.PathLike,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    fps: float | None = None,
    max_frames: int | None = None,
) -> Video:
    """What ``clip_frames`` gives, in memory at once; InputError also where that would be too much."""
    clip = clip_frames(path, start_s=start_s, end_s=end_s, fps=fps, max_frames=max_frames)
    return Video(video_in.gather(clip, clip.height, clip.width, clip.path.name), clip.fps)


def fit_size(width: int, height: int, multiple_of: int = 8) -> tuple[int, int]:
    """The (width, height) nearest to the one given whose sides are multiples of ``multiple_of``."""
    check_int("width", width, 1, MAX_SIDE)
    check_int("height", height, 1, MAX_SIDE)
    return tuple(max(1, math.floor(side / multiple_of + 0.5)) * multiple_of for side in (width, height))


def fit_video(
    source: Video | video_in.Clip,
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
    return _fit(source, _window(source, width, height, multiple_of), Image.Resampling.LANCZOS)


def fit_control(
    source: Video | video_in.Clip,
    *,
    width: int | None = None,
    height: int | None = None,
    multiple_of: int = 8,
) -> Video:
    """A ready control clip (edges, skeletons, nearness), fitted just as ``fit_video`` fits its footage.

    Pixels are averaged over their areas or, where the picture grows, repeated: nothing rings around lines
    and no values appear that were not there.
    """
    return _fit(source, _window(source, width, height, multiple_of), Image.Resampling.BOX)


@dataclass(frozen=True)
class _Window:
    """The part of a picture, left, top, right, bottom in its pixels, that becomes width x height."""

    width: int
    height: int
    box: tuple[float, float, float, float]


def _window(
    source: Video | video_in.Clip, width: int | None, height: int | None, multiple_of: int
) -> _Window:
    if width is None:
        width = source.width if height is None else max(1, round(source.width * height / source.height))
    if height is None:
        height = max(1, round(source.height * width / source.width))
    width, height = fit_size(width, height, multiple_of)
    scale = max(width / source.width, height / source.height)
    left = (source.width - width / scale) / 2
    top = (source.height - height / scale) / 2
    return _Window(width, height, (left, top, left + width / scale, top + height / scale))


def _fit(source: Video | video_in.Clip, to: _Window, resampling: Image.Resampling) -> Video:
    same = (to.width, to.height) == (source.width, source.height)
    if isinstance(source, Video):
        if same:
            return source
        frames, name = source.frames, "the clip"
    else:
        frames, name = source, source.path.name
    if not same:
        frames = (
            np.asarray(Image.fromarray(frame).resize((to.width, to.height), resampling, to.box))
            for frame in frames
        )
    return Video(video_in.gather(frames, to.height, to.width, name), source.fps)


def check_output(path: str | os.PathLike, name: str = "output") -> Path:
    """``path`` if an MP4 can be written there, which is tried; InputError with the reason otherwise.

    name: what the sentence calls the path. Nothing is left behind, and a file of that name stays as it is.
    """
    told, path = f"{name} is '{os.fspath(path)}'", Path(path)
    if path.suffix.lower() != ".mp4":
        raise InputError(f"{told}; give a file name that ends in .mp4.")
    if not os.path.isdir(path.parent):
        raise InputError(f"{told}, but there is no folder '{path.parent}'; create it first.")
    if os.path.isdir(path):
        raise InputError(f"{told}, which is a folder; give the name of a file.")
    try:  # rights do not tell all: /proc takes no files from anybody
        path.exists()  # a name may be too long
        trial = _beside(path)
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        reason = f"no file can be written there ({error.strerror})"
        raise InputError(f"{told}, but {reason}; choose another place.") from error
    return path


def write_video(
    path: str | os.PathLike, frames: Iterable[np.ndarray], fps: float, settings: dict | None = None
) -> Path:
    """Write an H.264 MP4 (High, yuv420p, index in front) that browsers play, and return its path.

    frames: uint8 RGB (h, w, 3), of one size, taken one by one, so an iterator of any length costs no memory.
    A side that is odd gains one repeated row or column (4:2:0 needs even sides). settings: a JSON-able dict,
    stored in the file for ``read_settings``. The file appears under its name only when it is whole; whatever
    is raised, KeyboardInterrupt too, nothing is left behind and a file of that name stays as it was. The same
    frames give the same file. InputError for a bad path, rate, frame or settings; OSError if writing fails.
    """
    path = check_output(path)
    fps = check_number("fps", fps, MIN_FPS, MAX_FPS)
    tags = [] if settings is None else ["-metadata", f"comment={_to_json(settings)}"]
    frames = video_out.even_frames(frames)
    first = next(frames, None)
    if first is None:
        raise InputError("frames are empty; give at least one frame.")
    with replacing(path) as part:
        video_out.encode(part, first, frames, fps, tags)
    return path


def add_audio(movie: str | os.PathLike, source: str | os.PathLike) -> bool:
    """Give a finished MP4 the sound of the clip it was made from; False, and nothing done, if that has none.

    For a movie that shows the whole clip at its own rate; a longer sound ends with the picture. Pictures and
    settings stay as they are, and the movie keeps its name: the file under it is whole at every moment.
    InputError if the clip is bad; OSError if writing fails.
    """
    movie, source = check_output(movie), Path(source)
    if not video_in.has_audio(source):
        return False
    seconds = video_in.length_s(movie)
    with replacing(movie) as part:
        video_out.join(part, movie, source, seconds)
    return True


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An MP4 to write, beside ``path``, that takes its place if all goes well, and else is gone."""
    part = _beside(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{secrets.token_hex(8)}.part.mp4")


def read_settings(path: str | os.PathLike) -> dict | None:
    """What ``write_video`` stored in a file, None if it carries no settings; InputError if it is no video."""
    comment = video_in.read_comment(Path(path))
    if comment is None:
        return None
    try:
        settings = json.loads(comment)
    except ValueError:  # somebody else's comment
        return None
    return settings if isinstance(settings, dict) else None


def _to_json(settings: dict) -> str:
    try:  # plain ASCII in one line passes every command line and every tag reader unharmed
        text = json.dumps(settings, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"settings cannot be stored as JSON ({error}).") from error
    if len(text) > MAX_SETTINGS_CHARS:
        raise InputError(f"settings take {len(text)} characters; at most {MAX_SETTINGS_CHARS} are stored.")
    return text

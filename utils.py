"""Video in and out: read a clip, fit it, write an MP4 that browsers play and that remembers its settings."""

import contextlib
import itertools
import json
import math
import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

import video_in
from checks import InputError, check_int, check_number

MIN_FPS, MAX_FPS = 0.1, 240.0
MAX_SIDE = 8192
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


def read_video(
    path: str | os.PathLike,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    fps: float | None = None,
    max_frames: int | None = None,
) -> Video:
    """Read a clip (mp4, mov, webm, mkv, avi, gif), upright and with square pixels.

    Frames that begin in [start_s, end_s) seconds are kept; None means to the end. ``fps`` resamples: at each
    moment the frame that was on show then (None keeps the clip's rate; one that varies becomes its average).
    ``max_frames`` stops early, whatever the header claims. InputError, naming the file, if it cannot be read.
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
    frames, own_fps = video_in.decode(Path(path), video_in.Selection(start_s, end_s, fps, max_frames))
    return Video(frames, own_fps)


def fit_size(width: int, height: int, multiple_of: int = 8) -> tuple[int, int]:
    """The (width, height) nearest to the one given whose sides are multiples of ``multiple_of``."""
    check_int("width", width, 1, MAX_SIDE)
    check_int("height", height, 1, MAX_SIDE)
    return tuple(max(1, math.floor(side / multiple_of + 0.5)) * multiple_of for side in (width, height))


def fit_video(
    video: Video, *, width: int | None = None, height: int | None = None, multiple_of: int = 8
) -> Video:
    """Scale the frames to cover the wanted size, then cut the middle out: nothing is distorted.

    A side left None follows from the other one and the clip's shape; both None keep the clip's size. Both
    sides are then moved to the nearest multiple of ``multiple_of``.
    """
    if width is None:
        width = video.width if height is None else max(1, round(video.width * height / video.height))
    if height is None:
        height = max(1, round(video.height * width / video.width))
    width, height = fit_size(width, height, multiple_of)
    if (width, height) == (video.width, video.height):
        return video
    scale = max(width / video.width, height / video.height)
    left = (video.width - width / scale) / 2
    top = (video.height - height / scale) / 2
    box = (left, top, left + width / scale, top + height / scale)
    frames = np.empty((video.num_frames, height, width, 3), np.uint8)
    for index, frame in enumerate(video.frames):
        frames[index] = Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS, box)
    return Video(frames, video.fps)


def check_output(path: str | os.PathLike) -> Path:
    """``path`` if an MP4 can be written there; InputError with the reason otherwise. Writes nothing."""
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise InputError(f"output is '{path}'; give a file name that ends in .mp4.")
    if not path.parent.is_dir():
        raise InputError(f"output is '{path}', but there is no folder '{path.parent}'; create it first.")
    if path.is_dir():
        raise InputError(f"output is '{path}', which is a folder; give the name of a file.")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"output is '{path}', but the folder '{path.parent}' cannot be written to.")
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
    frames = _even_frames(frames)
    first = next(frames, None)
    if first is None:
        raise InputError("frames are empty; give at least one frame.")
    part = path.with_name(f".{path.stem[:100]}.{secrets.token_hex(4)}.part")
    try:
        _encode(part, first, frames, fps, tags)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


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


def _even_frames(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The frames, checked, with odd sides made even by repeating the last row or column."""
    shape = None
    for index, frame in enumerate(frames):
        frame = np.asarray(frame)
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
            raise InputError(f"frame {index} is {frame.dtype} {frame.shape}; give uint8 of shape (h, w, 3).")
        if shape is not None and frame.shape != shape:
            raise InputError(f"frame {index} is {frame.shape}, frame 0 {shape}; give frames of one size.")
        shape = frame.shape
        height, width = shape[:2]
        if height > MAX_SIDE or width > MAX_SIDE:
            raise InputError(f"frames are {width}x{height}; a side can have at most {MAX_SIDE} pixels.")
        yield np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _encode(part: Path, first: np.ndarray, rest: Iterator[np.ndarray], fps: float, tags: list[str]) -> None:
    height, width = first.shape[:2]
    rate = Fraction(fps).limit_denominator(100_000)  # 29.97 becomes 2997/100, NTSC's rate 30000/1001
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
        "-framerate", f"{rate.numerator}/{rate.denominator}", "-i", "pipe:0",
        "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,"
        "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709",
        "-c:v", "libx264", "-profile:v", "high", "-pix_fmt", "yuv420p", "-preset", "medium", "-crf", "17",
        # The number of threads changes x264's bytes, so it is fixed. Without B-frames the first frame is at
        # 0 s, also in players that ignore edit lists.
        "-threads", "4", "-bf", "0",
        "-movflags", "+faststart", *tags, "-f", "mp4", f"file:{part.resolve()}",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        # Its own session: Ctrl-C in a terminal reaches this program, which then ends ffmpeg and tidies up.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
        try:
            # A broken pipe: ffmpeg has ended early, and its exit status and log say why.
            with contextlib.suppress(BrokenPipeError):
                for frame in itertools.chain([first], rest):
                    process.stdin.write(frame.tobytes())
                process.stdin.close()
            process.wait()
        finally:
            process.kill()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
        if process.returncode != 0:
            log.seek(0)
            lines = log.read().decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
            raise OSError(f"the video could not be written: {lines[-1]}")

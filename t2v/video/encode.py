"""Clips out: ffmpeg's side of ``write_video`` and ``add_audio``; and that frames can be written at all."""

import contextlib
import itertools
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from t2v.checks import InputError
from t2v.video.guarded_ffmpeg import GUARDS, reading

MAX_SIDE = 8192
NO_SPACE = "No space left"
NO_FRAMES = "frames are empty; give at least one frame."
_PART = re.compile(r"\[[^\[\]]* @ (?:0x)?[0-9a-fA-F]+\]")  # [out#0/mp4 @ 0x55d0c8e4a340]


# Of whatever ffmpeg makes 4:2:0 of: both tell players the matrix by which they are to turn it back.
YUV = (
    "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,"
    "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709",
    "-pix_fmt", "yuv420p",
)  # fmt: skip
# The number of threads changes the encoders' bytes, so it is fixed. Without B-frames the first frame is at
# 0 s, also in players that ignore edit lists.
H264 = (
    "-c:v", "libx264", "-profile:v", "high", *YUV, "-preset", "medium", "-crf", "17", "-threads", "4",
    "-bf", "0", "-movflags", "+faststart", "-f", "mp4",
)  # fmt: skip
# bitexact: else the file would carry a number by chance, and the same frames would not give the same file
VP9 = (
    "-c:v", "libvpx-vp9", *YUV, "-crf", "20", "-b:v", "0", "-deadline", "good", "-cpu-used", "3",
    "-row-mt", "1", "-threads", "4", "-flags", "+bitexact", "-fflags", "+bitexact", "-f", "webm",
)  # fmt: skip
SOUND = {  # ending -> what sound becomes in it: not every browser plays every sound that clips come with
    ".mp4": ("-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", "-f", "mp4"),
    ".webm": ("-c:a", "libopus", "-b:a", "160k", "-f", "webm"),
}


def checked_frames(frames: Iterable[np.ndarray], is_even: bool) -> Iterator[np.ndarray]:
    """The frames, checked; is_even: with odd sides made even by repeating the last row or column."""
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
        if is_even and (height % 2 or width % 2):
            frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        yield frame


def encode(part: Path, frames: Iterator[np.ndarray], fps: float, options: Sequence[str]) -> None:
    """Frames, uint8 RGB (h, w, 3), as they come, to a file by ffmpeg.

    options: of the output, with its container. InputError for no frame, OSError if it fails.
    """
    first = next(frames, None)
    if first is None:
        raise InputError(NO_FRAMES)
    height, width = first.shape[:2]
    rate = Fraction(fps).limit_denominator(100_000)  # 29.97 becomes 2997/100, NTSC's rate 30000/1001
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
        "-framerate", f"{rate.numerator}/{rate.denominator}", "-i", "pipe:0",
        *options, f"file:{part.resolve()}",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        # Its own session: Ctrl-C in a terminal reaches this program, which then ends ffmpeg and tidies up.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
        assert process.stdin is not None  # a pipe
        try:
            # A broken pipe: ffmpeg has ended early, and its exit status and log say why.
            with contextlib.suppress(BrokenPipeError):
                for frame in itertools.chain([first], frames):
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
            raise OSError(f"the video could not be written: {_reason(log.read().decode('utf-8', 'replace'))}")


def _reason(log: str) -> str:
    """The line of ffmpeg's log that says why, for people: without the parts of ffmpeg and their addresses."""
    lines = [_PART.sub("", line).strip().rstrip(".") for line in log.splitlines()]
    lines = [line for line in lines if line] or ["no reason given"]
    return next((line for line in reversed(lines) if NO_SPACE in line), lines[-1])


def join(part: Path, movie: Path, source: Path, seconds: float, starts_s: float) -> None:
    """The pictures and settings of ``movie``, of its kind, with so many ``seconds`` of ``source``'s sound.

    starts_s: when the movie's first picture is due in the source's time; below 0 the sound comes later.
    It is always encoded anew. InputError if the source cannot be read, OSError if the disk is full.
    """
    after = [*GUARDS, "-i", f"file:{movie.resolve()}", "-map", "1:V:0", "-map", "0:a:0", "-map_metadata", "1",
             "-c:v", "copy", *SOUND[movie.suffix.lower()], f"file:{part.resolve()}"]  # fmt: skip
    sound = ["-t", f"{seconds + min(0.0, starts_s):.6f}"]
    if starts_s > 0:
        sound += ["-ss", f"{starts_s:.6f}"]
    elif starts_s < 0:
        sound += ["-itsoffset", f"{-starts_s:.6f}"]
    with reading(source, "error", sound, after) as ffmpeg:
        try:
            ffmpeg.finish()
        except InputError:
            if NO_SPACE in ffmpeg.log():
                raise OSError(f"the sound could not be added to {movie.name}: the disk is full") from None
            raise

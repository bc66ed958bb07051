"""Untrusted clips in: ffmpeg is told which containers it may open, how large, and for how many seconds.

``utils.read_video`` and ``utils.read_settings`` are the public calls; this module is their ffmpeg side.
"""

import re
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from checks import InputError

MAX_PIXELS = 8192 * 4352  # of one picture: 8K video still passes
MAX_FRAMES = 20_000
MAX_BYTES = 2 * 1024**3  # of all decoded frames together
TIMEOUT_S = 120.0
READABLE = "mp4, mov, webm, mkv, avi or gif"
# A text file in ffconcat or HLS form, renamed to .mp4, makes ffmpeg open the files that it names. The list of
# protocols alone does not stop that (those files are "file:" too); the list of containers does.
_GUARDS = [
    "-protocol_whitelist", "file",
    "-format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,gif,avi",
    "-max_pixels", str(MAX_PIXELS),
]  # fmt: skip
_CUT_OFF = re.compile(
    r"partial file|ended prematurely|corrupt input packet|LZW decode failed|moov atom not found"
)


@dataclass(frozen=True)
class ClipInfo:
    """What the first decoded frame and the header tell: upright size in square pixels, frames per second."""

    width: int
    height: int
    fps: float


@dataclass(frozen=True)
class Selection:
    """Which frames are wanted: those in [start_s, end_s), resampled to ``fps``, at most ``max_frames``."""

    start_s: float = 0.0
    end_s: float | None = None
    fps: float | None = None
    max_frames: int | None = None


def probe(path: Path) -> ClipInfo:
    """Decode one frame and report the clip's size (rotation and pixel shape applied) and frame rate."""
    # showinfo is the one place where ffmpeg prints the rate as an exact fraction (30000/1001, not 29.97).
    log = _run(path, "info", [], ["-map", "0:V:0", "-vf", "showinfo", "-frames:v", "1", "-f", "null", "-"])[1]
    frame = re.search(r"^\[Parsed_showinfo.* sar:(\d+)/(\d+) s:(\d+)x(\d+) ", log, re.MULTILINE)
    if frame is None:
        raise _unreadable(path, log)
    sar_num, sar_den, width, height = map(int, frame.groups())
    pixel_shape = sar_num / sar_den if sar_num and sar_den else 1.0
    width = max(1, round(width * pixel_shape))
    if width * height > MAX_PIXELS:
        raise InputError(f"{path.name} is {width}x{height}; at most {MAX_PIXELS:,} pixels a frame are read.")
    return ClipInfo(width, height, _frame_rate(log))


def decode(path: Path, wanted: Selection) -> tuple[np.ndarray, float]:
    """The wanted frames as uint8 RGB (f, h, w, 3) and their frames per second; InputError on a bad file."""
    info = probe(path)
    fps = info.fps if wanted.fps is None else wanted.fps
    # Times in files are rounded (webm to 1 ms, gif to 10 ms). So ranges begin and end half a millisecond
    # early, and frames are moved a little early before the frame on show at k/fps is picked: a quarter of a
    # frame at the clip's own rate, so that none is lost, else 1 ms. settb: the time base may be coarse.
    before = ["-ss", f"{max(0.0, wanted.start_s - 0.0005):.6f}"] if wanted.start_s > 0 else []
    if wanted.end_s is not None:
        before += ["-t", f"{wanted.end_s - wanted.start_s - (0 if before else 0.0005):.6f}"]
    early_s = 0.25 / fps if abs(fps - info.fps) < 0.001 else min(0.001, 0.25 / max(fps, info.fps))
    rate = Fraction(fps).limit_denominator(100_000)
    filters = (
        f"settb=AVTB,setpts=PTS-{early_s:.9f}/TB,fps={rate.numerator}/{rate.denominator}:round=up,"
        f"scale={info.width}:{info.height}:flags=bicubic+accurate_rnd+full_chroma_int,setsar=1"
    )
    after = ["-map", "0:V:0", "-vf", filters, "-pix_fmt", "rgb24", "-f", "rawvideo"]
    limit = MAX_FRAMES + 1 if wanted.max_frames is None else wanted.max_frames
    after += ["-frames:v", str(limit)]
    data, log = _run(path, "warning", before, [*after, "pipe:1"])
    if _CUT_OFF.search(log):
        raise _unreadable(path, log)
    frames = np.frombuffer(data, np.uint8).reshape(-1, info.height, info.width, 3)
    if len(frames) == 0:
        raise InputError(f"{path.name} has no frame at {wanted.start_s:g} s or later; start earlier.")
    if len(frames) > MAX_FRAMES:
        raise InputError(f"{path.name} has more than {MAX_FRAMES:,} frames; take a shorter time range.")
    return frames, float(fps)


def read_comment(path: Path) -> str | None:
    """The container's comment tag, None where there is none; InputError if ``path`` is no video."""
    text = _run(path, "error", [], ["-map", "0:V:0", "-c", "copy", "-frames:v", "1", "-f", "null", "-",
                                    "-map_metadata", "0", "-f", "ffmetadata", "pipe:1"])[0]  # fmt: skip
    # ffmetadata puts a backslash before = ; # \ and line ends, and closes the global part with the first [
    found = re.search(r"^comment=((?:\\.|[^\\\n])*)", text.decode("utf-8", "replace"), re.M | re.S | re.I)
    return None if found is None else re.sub(r"\\(.)", r"\1", found.group(1), flags=re.S)


def _frame_rate(log: str) -> float:
    """Frames per second: the exact one if frames come evenly, their average in a clip of varying rate."""
    exact = re.search(r"^\[Parsed_showinfo.*config in .*frame_rate: (\d+)/(\d+)", log, re.MULTILINE)
    average = re.search(r"^ +Stream #.*Video: (?!.*attached pic).* ([\d.]+) fps,", log, re.MULTILINE)
    rates = []
    if exact is not None and int(exact[1]) and int(exact[2]):
        rates.append(int(exact[1]) / int(exact[2]))
    if average is not None and float(average[1]) > 0:
        rates.append(float(average[1]))
    if not rates:
        return 1.0  # a still picture in a video's container
    return rates[0] if abs(rates[0] - rates[-1]) < 0.01 else rates[-1]


def _run(path: Path, level: str, before: list[str], after: list[str]) -> tuple[bytearray, str]:
    """ffmpeg on ``path`` with all guards: its output and its log. InputError if it fails or is too slow."""
    if not path.is_file():
        raise InputError(f"{path} is not a file; give the path of a video ({READABLE}).")
    # file: keeps a name such as "concat:a|b" or "-y" from being taken for anything but a file's name.
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", level, *_GUARDS,
               *before, "-i", f"file:{path.resolve()}", *after]  # fmt: skip
    data = bytearray()
    with tempfile.TemporaryFile() as log_file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log_file)
        watchdog = threading.Timer(TIMEOUT_S, process.kill)
        watchdog.start()
        try:
            while chunk := process.stdout.read(1 << 20):
                data += chunk
                if len(data) > MAX_BYTES:
                    raise InputError(f"{path.name} is too long to hold in memory; take a shorter time range.")
            process.wait()
            timed_out = watchdog.finished.is_set()
        finally:
            watchdog.cancel()
            process.kill()
            process.stdout.close()
            process.wait()
        log_file.seek(0)
        log = log_file.read().decode("utf-8", "replace")
    if timed_out:
        raise InputError(f"{path.name} took more than {TIMEOUT_S:g} s to read; take a shorter time range.")
    if process.returncode != 0:
        raise _unreadable(path, log)
    return data, log


def _unreadable(path: Path, log: str) -> InputError:
    if path.stat().st_size == 0:
        return InputError(f"{path.name} is empty; give a video ({READABLE}).")
    if "max pixel count" in log:
        return InputError(f"{path.name} is too large; at most {MAX_PIXELS:,} pixels a frame are read.")
    if "matches no streams" in log:
        return InputError(f"{path.name} holds no moving picture; give a video ({READABLE}).")
    if _CUT_OFF.search(log) and not _is_text(path):
        return InputError(f"{path.name} is damaged or cut off; save or download it again.")
    return InputError(f"{path.name} is not a video that can be read; give one in {READABLE}.")


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(512)
    return all(byte >= 32 or byte in b"\t\n\r" for byte in head)

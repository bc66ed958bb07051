"""Clips in: what a file holds, and its frames one by one; ``video.py`` has the public calls."""

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from t2v.checks import InputError
from t2v.video.guarded_ffmpeg import MAX_PIXELS, is_incomplete, reading, run, unreadable
from t2v.video.look import ClipInfo, look

MAX_FRAMES = 20_000
MAX_BYTES = 2 * 1024**3  # of all frames that are held together


@dataclass(frozen=True)
class Selection:
    """Which frames are wanted: those in [start_s, end_s), resampled to ``fps``, at most ``max_frames``."""

    start_s: float = 0.0
    end_s: float | None = None
    fps: float | None = None
    max_frames: int | None = None


@dataclass(frozen=True)
class Clip:
    """A clip of any length that is decoded while it is looped over: uint8 RGB frames (height, width, 3).

    fps: frames per second of what is read. The loop raises InputError if the file turns out to be bad.
    """

    path: Path
    wanted: Selection
    info: ClipInfo

    @property
    def width(self) -> int:
        return self.info.width

    @property
    def height(self) -> int:
        return self.info.height

    @property
    def fps(self) -> float:
        return self.info.fps if self.wanted.fps is None else self.wanted.fps

    def __iter__(self) -> Generator[np.ndarray]:
        return _frames(self)

    def check(self) -> None:
        """InputError where there is no frame at all, as after the clip's end; only one is decoded."""
        _count(replace(self, wanted=replace(self.wanted, max_frames=1)))

    def count(self) -> int:
        """How many frames the loop gives: they are decoded for it, as headers lie, but not fetched."""
        return _count(self)


def open_clip(path: Path, wanted: Selection) -> Clip:
    """The clip, its first frame looked at; InputError on a bad file."""
    info = look(path)
    if info.width * info.height > MAX_PIXELS:
        size = f"{info.width}x{info.height}"
        raise InputError(f"{path.name} is {size}; at most {MAX_PIXELS:,} pixels a frame are read.")
    return Clip(path, wanted, info)


def gather(frames: Iterable[np.ndarray], height: int, width: int, name: str) -> np.ndarray:
    """Frames (height, width, 3) as one array (f, h, w, 3); InputError, naming ``name``, if too many."""
    data = bytearray()
    for frame in frames:
        data += frame.tobytes()
        if len(data) > MAX_BYTES:
            raise InputError(f"{name} is too long to hold in memory; take a shorter time range.")
    return np.frombuffer(data, np.uint8).reshape(-1, height, width, 3)


def _frames(clip: Clip) -> Generator[np.ndarray]:
    before, after = _selecting(clip, with_pictures=True)
    count = 0
    output = ["-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"]
    with reading(clip.path, "warning", before, [*after, *output]) as ffmpeg:
        while True:
            frame = np.empty((clip.height, clip.width, 3), np.uint8)
            if ffmpeg.fill(frame.data.cast("B")) < frame.nbytes:
                break
            count += 1
            _check_count(clip, count)
            yield frame
        log = ffmpeg.finish()
    _check_end(clip, count, log)


def _count(clip: Clip) -> int:
    before, after = _selecting(clip, with_pictures=False)
    found, log = run(clip.path, "warning", ["-progress", "pipe:1", *before], [*after, "-f", "null", "-"])
    count = int(re.findall(rb"^frame=\s*(\d+)", found, re.MULTILINE)[-1])
    _check_count(clip, count)
    _check_end(clip, count, log)
    return count


def _check_count(clip: Clip, count: int) -> None:
    if count > MAX_FRAMES:
        raise InputError(f"{clip.path.name} has more than {MAX_FRAMES:,} frames; take a shorter time range.")


def _check_end(clip: Clip, count: int, log: str) -> None:
    if is_incomplete(log):
        raise unreadable(clip.path, log)
    if count == 0:
        start_s, end_s = clip.wanted.start_s, clip.wanted.end_s
        where = "then or later; start earlier"
        where = where if end_s is None else f"from then to {end_s:g}; take another part"
        raise InputError(f"start_s is {start_s:g}, but {clip.path.name} has no frame {where}.")


def _selecting(clip: Clip, with_pictures: bool) -> tuple[list[str], list[str]]:
    """ffmpeg's arguments before and after the input that select a clip's frames, and make them upright."""
    wanted, info, fps = clip.wanted, clip.info, clip.fps
    before, filters = _range_of_even(clip) if info.stamps.is_even else _range(wanted)
    # Times in files are rounded (webm to 1 ms, gif to 10 ms). So frames are moved a little early before the
    # frame on show at k/fps is picked: a quarter of a frame at the clip's own rate, so that none is lost,
    # else 1 ms.
    early_s = 0.25 / fps if abs(fps - info.fps) < 0.001 else min(0.001, 0.25 / max(fps, info.fps))
    filters += f"setpts=PTS-{early_s:.9f}/TB,fps={_fraction(fps)}:round=up"
    if with_pictures:
        filters = (
            f"{info.picture.whole_frames}{filters},{info.picture.to_rgb}"
            f"scale={info.width}:{info.height}:flags=bicubic+accurate_rnd+full_chroma_int,setsar=1"
        )
    limit = MAX_FRAMES + 1 if wanted.max_frames is None else wanted.max_frames
    after = ["-map", "0:V:0", "-vf", filters, "-fps_mode", "passthrough", "-frames:v", str(limit)]
    return [*info.decoding, *before], after


def _range(wanted: Selection) -> tuple[list[str], str]:
    """The part that is wanted, as options before the input and filters, each with a comma.

    It begins and ends half a millisecond early, as times in files are rounded. settb: their unit may be
    coarse.
    """
    before = ["-ss", f"{max(0.0, wanted.start_s - 0.0005):.6f}"] if wanted.start_s > 0 else []
    if wanted.end_s is not None:
        before += ["-t", f"{wanted.end_s - wanted.start_s - (0 if before else 0.0005):.6f}"]
    return before, "settb=AVTB,"


def _range_of_even(clip: Clip) -> tuple[list[str], str]:
    """As ``_range`` of a clip whose time stamps mean nothing: all frames get new ones, and are counted."""
    wanted = clip.wanted
    end = "" if wanted.end_s is None else f":end={wanted.end_s - 0.0005:.6f}"
    part = f"trim=start={max(0.0, wanted.start_s - 0.0005):.6f}{end},setpts=PTS-{wanted.start_s:.6f}/TB,"
    return [], f"settb=AVTB,setpts=N/({_fraction(clip.info.fps)})/TB,{part}"


def _fraction(fps: float) -> str:
    rate = Fraction(fps).limit_denominator(100_000)
    return f"{rate.numerator}/{rate.denominator}"


def has_audio(path: Path) -> bool:
    """Whether the clip has a sound track; InputError on a bad file."""
    after = ["-map", "0:a:0", "-c", "copy", "-frames:a", "1", "-f", "null", "-"]
    with reading(path, "error", [], after) as ffmpeg:
        try:
            ffmpeg.finish()
        except InputError:
            if "matches no streams" in ffmpeg.log():
                return False
            raise
    return True


def length_s(path: Path) -> float:
    """A video's length in seconds as its header has it: for files of our own, as headers can lie."""
    log = run(path, "info", [], ["-map", "0:V:0", "-c", "copy", "-frames:v", "1", "-f", "null", "-"])[1]
    found = re.search(r"^  Duration: (\d+):(\d+):(\d+\.\d+),", log, re.MULTILINE)
    if found is None:
        raise unreadable(path, log)
    return 3600 * int(found[1]) + 60 * int(found[2]) + float(found[3])


def read_comment(path: Path) -> str | None:
    """The container's comment tag, None where there is none; InputError if ``path`` is no video."""
    text = run(path, "error", [], ["-map", "0:V:0", "-c", "copy", "-frames:v", "1", "-f", "null", "-",
                                   "-map_metadata", "0", "-f", "ffmetadata", "pipe:1"])[0]  # fmt: skip
    # ffmetadata puts a backslash before = ; # \ and line ends, and closes the global part with the first [
    found = re.search(r"^comment=((?:\\.|[^\\\n])*)", text.decode("utf-8", "replace"), re.M | re.S | re.I)
    return None if found is None else re.sub(r"\\(.)", r"\1", found.group(1), flags=re.S)

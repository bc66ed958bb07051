"""What can be done to a finished video later: more frames a second, twice or four times the size."""

import itertools
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from t2v.checks import InputError, check_choice, check_number
from t2v.video.clips import MAX_FRAMES, Clip, has_audio
from t2v.video.encode import MAX_SIDE
from t2v.video.formats import FORMATS, MP4, check_format, has_sound
from t2v.video.video import MAX_FPS, MIN_FPS, clip_frames
from t2v.video.write import add_audio, check_output, read_settings, write_video
from t2v.weights.beside import check_finisher
from t2v.weights.source import Source

FINISHER, LANCZOS = "finisher", "lanczos"
WAYS = (FINISHER, LANCZOS)
SCALES = (1, 2, 4)
DONE = "finished"  # under which a video's settings list what was done to it later


@dataclass(frozen=True)
class Finish:
    """What is to be done. upscale: 1, 2 or 4 times the size. fps: the new rate, None for the video's own.

    Frames in between are made by motion (``t2v.finishing.between``). way: how frames grow, by the bundled
    finisher, which is made for flat cartoon pictures, or by Lanczos' filter, which invents nothing; None: the
    finisher where the miniature drew the video.
    """

    upscale: int = 1
    fps: float | None = None
    way: str | None = None

    def check(self) -> None:
        """InputError, one sentence, for what cannot be done."""
        if self.upscale not in SCALES or isinstance(self.upscale, bool):
            raise InputError(f"upscale is {str(self.upscale)[:60]}; give 1, 2 or 4.")
        if self.fps is not None:
            check_number("fps", self.fps, MIN_FPS, MAX_FPS)
        if self.way is not None:
            check_choice("way", self.way, WAYS)


@dataclass(frozen=True)
class Finished:
    """A file that was made: its size in pixels, its frames, their rate. way: how they grew, if they did."""

    path: Path
    num_frames: int
    width: int
    height: int
    fps: float
    way: str | None


OnFrame = Callable[[int, int], object]  # (frames written, of how many); what it raises ends it


def finish_video(
    video: str | os.PathLike[str],
    finish: Finish,
    output: str | os.PathLike[str] | None = None,
    *,
    on_frame: OnFrame | None = None,
    with_settings: bool = True,
    device: str = "cpu",
) -> Finished:
    """Do it to a video frame by frame, into a new file that carries the video's settings and what was done.

    video: mp4, webm, gif and whatever else can be read. output: None for a new name beside the video, of its
    kind; it may end in any of ``FORMATS``. Sound stays. on_frame hears of every frame written; what it raises
    passes through, and nothing is left then. InputError where it cannot be done; ModelError where the
    finisher is not there; OSError if writing fails.
    """
    video = Path(video)
    finish.check()
    clip = clip_frames(video)
    settings = read_settings(video)
    plan = _planned(clip, finish, settings)
    target = check_output(new_name(video, finish) if output is None else output)
    if target.exists() and target.samefile(video):
        raise InputError(f"output is {target}, which is the video itself; give another file.")
    check_format(target, plan.fps, plan.num_frames)
    grow = _growing(plan.way, finish.upscale, device)
    kept = None if settings is None or not with_settings else _with_done(settings, finish, plan)
    with closing(_between(clip, plan)) as frames:
        counted = _counted((grow(frame) for frame in frames), plan.num_frames, on_frame)
        write_video(target, counted, plan.fps, kept)
    if has_sound(target) and has_audio(video):
        add_audio(target, video)
    return Finished(target, plan.num_frames, plan.width, plan.height, plan.fps, plan.way)


def _planned(clip: Clip, finish: Finish, settings: dict[str, Any] | None) -> Finished:
    """What it will come to; the clip is decoded once, to count its frames."""
    fps = clip.fps if finish.fps is None else float(finish.fps)
    width, height = finish.upscale * clip.width, finish.upscale * clip.height
    if max(width, height) > MAX_SIDE:
        raise InputError(
            f"upscale is {finish.upscale}, and {clip.path.name} is {clip.width}x{clip.height}; "
            f"a side can have at most {MAX_SIDE} pixels."
        )
    num_frames = max(1, round(clip.count() * fps / clip.fps))
    if num_frames > MAX_FRAMES:
        raise InputError(f"fps is {fps:g}, which makes {num_frames:,} frames; at most {MAX_FRAMES:,} are.")
    way = None
    if finish.upscale > 1:
        way = finish.way if finish.way is not None else FINISHER if _is_cartoon(settings) else LANCZOS
    return Finished(clip.path, num_frames, width, height, fps, way)


def _is_cartoon(settings: dict[str, Any] | None) -> bool:
    """Whether the miniature drew it."""
    model = None if settings is None else settings.get("model")
    return isinstance(model, str) and Source.parse(model).is_bundled


def _between(clip: Clip, plan: Finished) -> Generator[np.ndarray]:
    """The clip's frames at the new rate: fewer are chosen, more are made in between."""
    if plan.fps < clip.fps:
        clip = replace(clip, wanted=replace(clip.wanted, fps=plan.fps))
    with closing(iter(clip)) as frames:
        if plan.fps <= clip.fps:
            yield from itertools.islice(frames, plan.num_frames)
        else:
            from t2v.finishing.between import smoothed

            step = clip.fps / plan.fps
            yield from smoothed(frames, (number * step for number in range(plan.num_frames)))


def _growing(way: str | None, upscale: int, device: str) -> Callable[[np.ndarray], np.ndarray]:
    """What makes a frame, uint8 RGB (h, w, 3), so many times as large."""
    if way is None:
        return lambda frame: frame
    if way == LANCZOS:
        return lambda frame: _lanczos(frame, upscale)
    check_finisher()
    from t2v.finishing.upscale import load_finisher

    double = load_finisher(device)
    return double if upscale == 2 else lambda frame: double(double(frame))


def _lanczos(frame: np.ndarray, upscale: int) -> np.ndarray:
    size = (upscale * frame.shape[1], upscale * frame.shape[0])
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS))


def _counted(frames: Iterator[np.ndarray], total: int, on_frame: OnFrame | None) -> Iterator[np.ndarray]:
    for number, frame in enumerate(frames, start=1):
        yield frame
        if on_frame is not None:
            on_frame(number, total)


def _with_done(settings: dict[str, Any], finish: Finish, plan: Finished) -> dict[str, Any]:
    before = settings.get(DONE)
    came_to = {"num_frames": plan.num_frames, "width": plan.width, "height": plan.height, "fps": plan.fps}
    done = {**asdict(finish), "way": plan.way, **came_to}
    return {**settings, DONE: [*(before if isinstance(before, list) else []), done]}


def new_name(video: Path, finish: Finish, ending: str | None = None) -> Path:
    """A name beside the video that tells what was done, and that no file has. ending: None for its own."""
    own = video.suffix.lower() if video.suffix.lower() in FORMATS else MP4
    done = f"-x{finish.upscale}" if finish.upscale > 1 else ""
    done += "" if finish.fps is None else f"-{finish.fps:g}fps"
    path = video.with_name(f"{video.stem}{done}{own if ending is None else ending}")
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(one for one in itertools.chain([path], numbered) if not one.exists())

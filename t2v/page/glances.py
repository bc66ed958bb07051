"""What a run will see of a clip, before any run: small MP4s of the clip and of its edges, skeletons, depth.

The clip is decoded apart (``t2v.video.clips``) with limits on time and memory; the browser is only given
files that were made here from the decoded frames. No lock of the model is taken: a run may be under way.
"""

import secrets
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from t2v.checks import InputError
from t2v.detectors.fetching import missing
from t2v.engine.defaults import native_side_px
from t2v.page.turns import Turns
from t2v.tasks.clip import C, ClipSettings
from t2v.tasks.controlled import ControlledSettings, controlled_kinds
from t2v.video.filmstrip import Filmstrip, filmstrip, length_of
from t2v.video.video import Video
from t2v.video.write import write_video

MAX_FRAMES = 48  # of a glance; the run takes all that are asked for
MAX_DETECTED = 16  # where a network looks at each of them on a CPU, a second a frame
MAX_READ_PIXELS = 200_000_000  # of all its frames as the clip has them: 48 of 2560x1440, 24 of 4K, 5 of 8K
LARGE_PIXELS = 4096 * 2304  # a frame; a second or more of work for each that is larger
KEPT_CLIPS = 4  # decoded: 48 frames of 512x512 take 38 MB
KEPT_FILES = 200
KEPT_FILMS = 40  # 0.2 MB each
# what decides which frames are taken, and what is made of them; the rest of a form may be half filled in
FRAMES_BY = (
    "model", "start_s", "end_s", "fps", "num_frames", "width", "height", "control_ready", "also",
)  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A glance: its file, its size in frames and pixels, and whether the run will have more frames.

    is_blank: there is nothing in it, all is black.
    """

    path: Path
    num_frames: int
    width: int
    height: int
    is_partial: bool = False
    is_blank: bool = False


class Lacking(InputError):
    """A clip needs detectors whose weights are not on this machine. tasks: whose."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self.tasks = tuple(tasks)
        shows = " and ".join(controlled_kinds()[task].words.shows for task in tasks)
        super().__init__(f"the weights that find {shows} in a clip are not on this machine.")


@dataclass(frozen=True)
class About:
    """A whole clip: its length in seconds, its own rate, its size, and how many frames that should be."""

    length_s: float
    fps: float
    width: int
    height: int

    @property
    def num_frames(self) -> int:
        return max(1, round(self.length_s * self.fps))

    def counted(self, num_frames: int) -> "About":
        """The same of a clip whose frames were counted."""
        return replace(self, length_s=num_frames / self.fps)


@dataclass(eq=False)
class _Recent:
    """The last ``size`` results by key; those that are dropped are given to ``dropped``."""

    size: int
    dropped: Callable[[Any], object] = lambda _: None
    _kept: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is kept under the key, else what ``make`` gives; others need not wait while it works."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            over = [self._kept.popitem(last=False)[1] for _ in range(len(self._kept) - self.size)]
        for one in over:
            self.dropped(one)
        return made


class Glances:
    """Glances at clips, of one program; their files are gone when it ends. Safe to use from several threads.

    device: of the detectors' networks. Settings need not be complete: only what decides the frames counts.
    looking, detecting, counting: the turns that pages take for ``clip``, ``controls`` and ``count``.
    """

    def __init__(self, device: str = "cpu"):
        self._device = device
        self._folder = tempfile.TemporaryDirectory(prefix="glances-")
        self.looking, self.detecting, self.counting = Turns(), Turns(), Turns()
        self._sizes = _Recent(KEPT_FILES)
        self._clips = _Recent(KEPT_CLIPS)
        self._counts = _Recent(KEPT_FILES)
        self._abouts, self._films = _Recent(KEPT_FILES), _Recent(KEPT_FILMS)
        self._files = _Recent(KEPT_FILES, lambda files: [one.path.unlink(missing_ok=True) for one in files])

    @property
    def folder(self) -> Path:
        """Where the files are; the server must be allowed to give them out."""
        return Path(self._folder.name).resolve()

    def is_large(self, settings: ClipSettings) -> bool:
        """Whether its frames are so large that others should not wait for it; InputError as ``clip``."""
        return self._pixels(settings) > LARGE_PIXELS

    def clip(self, settings: ClipSettings) -> Shown:
        """The clip's frames as the run will take them; InputError for a bad clip or bad settings."""
        settings = _only(settings, FRAMES_BY)
        key = _frames_key(settings)
        return self._files.get(key, lambda: self._clip(settings))[0]

    def _clip(self, settings: ClipSettings) -> list[Shown]:
        taken = self._taken(settings)
        return self._written(taken, [taken.video.frames])

    def count(self, settings: ClipSettings) -> int:
        """How many frames the run will take; a long clip is decoded to its end. InputError as ``clip``."""
        shown, settings = self.clip(settings), _only(settings, FRAMES_BY)
        if not shown.is_partial:
            return shown.num_frames
        return self._counts.get(_frames_key(settings), lambda: settings.open().count())

    def about(self, settings: ClipSettings) -> About:
        """The whole clip, whatever part of it is taken, as its header tells; InputError for a bad clip."""

        def look() -> About:
            clip = _whole(settings).open()
            return About(length_of(clip), clip.fps, clip.width, clip.height)

        found: About = self._abouts.get(settings.clip, look)
        return found

    def film(self, settings: ClipSettings) -> Filmstrip:
        """Small pictures of the whole clip; InputError for a bad one."""
        found: Filmstrip = self._films.get(settings.clip, lambda: filmstrip(_whole(settings).open()))
        return found

    def count_whole(self, settings: ClipSettings) -> int:
        """How many frames the whole clip has; it is decoded for it. InputError for a bad clip."""
        found: int = self._counts.get(settings.clip, lambda: _whole(settings).open().count())
        return found

    def controls(self, settings: ControlledSettings) -> dict[str, Shown]:
        """What each ControlNet will see, by task, the settings' own first; InputError as for ``clip``.

        Lacking where a detector's weights are not on this machine: a glance fetches nothing.
        """
        settings = _only(settings, (*FRAMES_BY, *settings.own))
        shown = self._files.get(settings, lambda: self._detected(settings))
        return {part.task: one for part, one in zip(settings.parts(), shown, strict=True)}

    def check_detectors(self, settings: ControlledSettings) -> None:
        """Lacking where weights that the clip needs are not on this machine; InputError as for ``clip``."""
        lacks = [part.task for part in settings.parts() if missing(part.task)]
        if lacks and not self._taken(_only(settings, (*FRAMES_BY, *settings.own))).is_ready:
            raise Lacking(lacks)

    def _detected(self, settings: ControlledSettings) -> list[Shown]:
        self.check_detectors(settings)
        taken = self._taken(settings)
        pictured = settings.all_pictures(taken.video.frames, self._device, taken.is_ready)
        return self._written(taken, [pictures for _, pictures in pictured])

    def _written(self, taken: "_Taken", videos: list[np.ndarray]) -> list[Shown]:
        shown = []
        for frames in videos:
            path = self.folder / f"{secrets.token_hex(16)}.mp4"
            write_video(path, frames, taken.video.fps)
            video = taken.video
            blank = not frames.any()
            shown.append(Shown(path, video.num_frames, video.width, video.height, taken.is_partial, blank))
        return shown

    def _taken(self, settings: ClipSettings) -> "_Taken":
        return self._clips.get(_frames_key(settings), lambda: _take(settings, self._most(settings)))

    def _most(self, settings: ClipSettings) -> int:
        """How many frames a glance has at most."""
        most = min(MAX_FRAMES, max(1, MAX_READ_PIXELS // self._pixels(settings)))
        if self._device != "cpu" or not isinstance(settings, ControlledSettings) or settings.control_ready:
            return most
        return min(most, MAX_DETECTED) if any(part.detects_slowly for part in settings.parts()) else most

    def _pixels(self, settings: ClipSettings) -> int:
        """Of one of the clip's frames, as a first look tells."""

        def look() -> int:
            clip = settings.open()
            return clip.width * clip.height

        pixels: int = self._sizes.get(settings.clip, look)
        return pixels


@dataclass(frozen=True, eq=False)
class _Taken:
    """A clip's first frames at the run's size; whether there are more, and whether they need no detector."""

    video: Video
    is_partial: bool
    is_ready: bool


def seen_by(settings: ClipSettings) -> tuple[Any, ...]:
    """Equal for settings whose runs see the same."""
    names = (*FRAMES_BY, *settings.own)
    return settings.task, settings.clip, *(getattr(settings, name, None) for name in names)


def _only(settings: C, names: tuple[str, ...]) -> C:
    """The settings with only these fields of theirs, checked; the prompt may not be written yet."""
    given = {name: getattr(settings, name) for name in names if hasattr(settings, name)}
    only = type(settings)(clip=settings.clip, prompt="a glance", **given)
    only.check()
    return only


def _whole(settings: C) -> C:
    return type(settings)(clip=settings.clip, prompt="a glance")


def _frames_key(settings: ClipSettings) -> tuple[Any, ...]:
    ready = getattr(settings, "control_ready", False)
    size = (settings.width, settings.height, native_side_px(settings.model, settings.task))
    part = (settings.start_s, settings.end_s, settings.fps, settings.num_frames)
    return settings.clip, part, size, ready, _tasks(settings)


def _tasks(settings: ClipSettings) -> tuple[str, ...]:
    return settings.task, *(one.task for one in getattr(settings, "also", ()))


def _take(settings: ClipSettings, most: int) -> _Taken:
    wanted = settings.num_frames
    looked_at = most + 1 if wanted is None else min(wanted, most + 1)
    taken = replace(settings, num_frames=looked_at).taken(native_side_px(settings.model, settings.task))
    is_partial = taken.num_frames > most
    taken = replace(taken, num_frames=min(taken.num_frames, most))
    return _Taken(settings.read(taken), is_partial, taken.is_ready)

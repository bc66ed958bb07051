"""What a run will see of a clip, before any run: small MP4s of the clip and of its edges, skeletons, depth.

The clip is decoded apart (``t2v.video.clips``) with limits on time and memory; the browser is only given
files that were made here from the decoded frames. No lock of the model is taken: a run may be under way.
"""

import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from t2v.checks import InputError
from t2v.detectors.fetching import missing
from t2v.page.glance_frames import FRAMES_BY, Taken, frames_key, only, take, whole
from t2v.page.recent import Recent
from t2v.page.turns import Turns
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import ControlledSettings, controlled_kinds
from t2v.video.filmstrip import Filmstrip, filmstrip, length_of
from t2v.video.write import write_video

MAX_FRAMES = 48  # of a glance; the run takes all that are asked for
MAX_DETECTED = 16  # where a network looks at each of them on a CPU, a second a frame
MAX_READ_PIXELS = 200_000_000  # of all its frames as the clip has them: 48 of 2560x1440, 24 of 4K, 5 of 8K
LARGE_PIXELS = 4096 * 2304  # a frame; a second or more of work for each that is larger
KEPT_CLIPS = 4  # decoded: 48 frames of 512x512 take 38 MB
KEPT_FILES = 200
KEPT_FILMS = 40  # 0.2 MB each


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


class Glances:
    """Glances at clips, of one program; their files are gone when it ends. Safe to use from several threads.

    device: of the detectors' networks. Settings need not be complete: only what decides the frames counts.
    looking, detecting, counting: the turns that pages take for ``clip``, ``controls`` and ``count``.
    """

    def __init__(self, device: str = "cpu"):
        self._device = device
        self._folder = tempfile.TemporaryDirectory(prefix="glances-")
        self.looking, self.detecting, self.counting = Turns(), Turns(), Turns()
        self._sizes = Recent(KEPT_FILES)
        self._clips = Recent(KEPT_CLIPS)
        self._counts = Recent(KEPT_FILES)
        self._abouts, self._films = Recent(KEPT_FILES), Recent(KEPT_FILMS)
        self._files = Recent(KEPT_FILES, lambda files: [one.path.unlink(missing_ok=True) for one in files])

    @property
    def folder(self) -> Path:
        """Where the files are; the server must be allowed to give them out."""
        return Path(self._folder.name).resolve()

    def is_large(self, settings: ClipSettings) -> bool:
        """Whether its frames are so large that others should not wait for it; InputError as ``clip``."""
        return self._pixels(settings) > LARGE_PIXELS

    def clip(self, settings: ClipSettings) -> Shown:
        """The clip's frames as the run will take them; InputError for a bad clip or bad settings."""
        settings = only(settings, FRAMES_BY)
        key = frames_key(settings)
        return self._files.get(key, lambda: self._clip(settings))[0]

    def _clip(self, settings: ClipSettings) -> list[Shown]:
        taken = self._taken(settings)
        return self._written(taken, [taken.video.frames])

    def count(self, settings: ClipSettings) -> int:
        """How many frames the run will take; a long clip is decoded to its end. InputError as ``clip``."""
        shown, settings = self.clip(settings), only(settings, FRAMES_BY)
        if not shown.is_partial:
            return shown.num_frames
        return self._counts.get(frames_key(settings), lambda: settings.open().count())

    def about(self, settings: ClipSettings) -> About:
        """The whole clip, whatever part of it is taken, as its header tells; InputError for a bad clip."""

        def look() -> About:
            clip = whole(settings).open()
            return About(length_of(clip), clip.fps, clip.width, clip.height)

        found: About = self._abouts.get(settings.clip, look)
        return found

    def film(self, settings: ClipSettings) -> Filmstrip:
        """Small pictures of the whole clip; InputError for a bad one."""
        found: Filmstrip = self._films.get(settings.clip, lambda: filmstrip(whole(settings).open()))
        return found

    def count_whole(self, settings: ClipSettings) -> int:
        """How many frames the whole clip has; it is decoded for it. InputError for a bad clip."""
        found: int = self._counts.get(settings.clip, lambda: whole(settings).open().count())
        return found

    def controls(self, settings: ControlledSettings) -> dict[str, Shown]:
        """What each ControlNet will see, by task, the settings' own first; InputError as for ``clip``.

        Lacking where a detector's weights are not on this machine: a glance fetches nothing.
        """
        settings = only(settings, (*FRAMES_BY, *settings.own))
        shown = self._files.get(settings, lambda: self._detected(settings))
        return {part.task: one for part, one in zip(settings.parts(), shown, strict=True)}

    def check_detectors(self, settings: ControlledSettings) -> None:
        """Lacking where weights that the clip needs are not on this machine; InputError as for ``clip``."""
        lacks = [part.task for part in settings.parts() if missing(part.task)]
        if lacks and not self._taken(only(settings, (*FRAMES_BY, *settings.own))).is_ready:
            raise Lacking(lacks)

    def _detected(self, settings: ControlledSettings) -> list[Shown]:
        self.check_detectors(settings)
        taken = self._taken(settings)
        pictured = settings.all_pictures(taken.video.frames, self._device, taken.is_ready)
        return self._written(taken, [pictures for _, pictures in pictured])

    def _written(self, taken: Taken, videos: list[np.ndarray]) -> list[Shown]:
        shown = []
        for frames in videos:
            path = self.folder / f"{secrets.token_hex(16)}.mp4"
            write_video(path, frames, taken.video.fps)
            video = taken.video
            blank = not frames.any()
            shown.append(Shown(path, video.num_frames, video.width, video.height, taken.is_partial, blank))
        return shown

    def _taken(self, settings: ClipSettings) -> Taken:
        return self._clips.get(frames_key(settings), lambda: take(settings, self._most(settings)))

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

"""What all tasks that follow a clip share: which of its frames are taken, at which size, and the run."""

import math
import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from t2v.checks import InputError, check_text
from t2v.tasks import settings
from t2v.tasks.resolved import Means, Resolved
from t2v.tasks.settings import Limits, Settings
from t2v.tasks.suits import Suits
from t2v.video.clips import MAX_FRAMES, Clip
from t2v.video.video import MAX_FPS, MIN_FPS, Video, clip_frames, fit_control, fit_video, fitted_frames

if TYPE_CHECKING:  # nothing heavy: settings are checked before anything is loaded
    import torch

MAX_TIME_S = 86_400.0
FIRST_FRAMES = 8  # of a clip, by which it is recognised

LIMITS: Limits = {
    **settings.LIMITS,
    "num_frames": (1, MAX_FRAMES),
    "fps": (MIN_FPS, MAX_FPS),
    "start_s": (0, MAX_TIME_S),
    "end_s": (0, MAX_TIME_S),
    "steady": (0, 1),
}


@dataclass(frozen=True)
class Taken:
    """What a run takes of its clip: how many frames, how fast they are played, at which size in pixels.

    is_ready: whether they are edges, skeletons or the like already, as declared or by their looks.
    """

    width: int
    height: int
    fps: float
    num_frames: int
    is_ready: bool = False


@dataclass(frozen=True)
class ClipSettings(Settings):
    """A video made from a clip, as it is asked for; the rest as in Settings.

    clip: path of the video to follow. start_s, end_s: the part of it that is taken; end_s None: to its end.
    fps: frames per second of the result, for which the clip is resampled; None: the clip's own. num_frames:
    at most so many; None: all. width, height None: in the clip's shape. steady: how much frames are steadied
    along the clip's motion once they are drawn, 0 not at all (``t2v.finishing.steady``).
    """

    limits: ClassVar[Limits] = LIMITS

    clip: str
    prompt: str
    _: KW_ONLY
    start_s: float = 0.0
    end_s: float | None = None
    steady: float | None = None

    def check(self) -> None:
        """InputError, one sentence, for anything that cannot be run; cheap, no weights needed."""
        if not isinstance(self.clip, str):  # frames, perhaps
            kind = type(self.clip).__name__
            raise InputError(
                f"clip is a {kind}; give the path of a video, as write_video makes one of frames."
            )
        if not check_text("clip", self.clip, 4000).strip():
            raise InputError("clip is empty; give the path of a video.")
        if os.path.isdir(self.clip):
            raise InputError(f"clip is '{self.clip[:200]}', which is a folder; give the path of a video.")
        if not os.path.isfile(self.clip):
            named = f"clip is '{self.clip[:200]}', and there is no such file"
            raise InputError(f"{named}; put the video there, or give its path.")
        super().check()
        if self.end_s is not None and self.end_s <= self.start_s:
            raise InputError(f"end_s is {self.end_s:g}; give a time after start_s ({self.start_s:g}).")

    def taken(self, own_px: float) -> Taken:
        """What a run takes of the clip, which is read for it; InputError where that cannot be.

        own_px: the side of the square pictures that the model draws best; the video gets as many pixels, in
        the clip's shape.
        """
        clip = self.open()
        width, height = fitted_size((clip.width, clip.height), (self.width, self.height), own_px)
        return Taken(width, height, clip.fps, clip.count())

    def read(self, taken: Taken) -> Video:
        """The frames taken, at the video's size; of ready ones the lines are scaled without ringing."""
        fit = fit_control if taken.is_ready else fit_video
        clip = self._open(taken.fps, taken.num_frames)
        return fit(clip, width=taken.width, height=taken.height)

    def stream(self, taken: Taken) -> Iterator[np.ndarray]:
        """What ``read`` gives, one frame at a time while the clip is decoded: uint8 RGB (h, w, 3)."""
        clip = self._open(taken.fps, taken.num_frames)
        return fitted_frames(clip, taken.width, taken.height, is_control=taken.is_ready)

    def is_bare(self, taken: Taken) -> bool:
        """Whether what is taken shows figures on black, and nothing of what is around them."""
        return False

    def open(self) -> Clip:
        """The wanted frames of the clip at its own size, to loop over; InputError if it cannot be read."""
        return self._open(self.fps, self.num_frames)

    def _open(self, fps: float | None, max_frames: int | None) -> Clip:
        start_s, end_s = self.start_s, self.end_s
        clip = clip_frames(self.clip, start_s=start_s, end_s=end_s, fps=fps, max_frames=max_frames)
        return _playable(clip)

    def notes(self) -> tuple[str, ...]:
        """Sentences on what is odd about the clip and what is made of it; () where it cannot be read."""
        try:
            note = self.open().info.stamps.note
        except InputError:  # the run says so
            return ()
        return () if note is None else (f"{Path(self.clip).name} {note}",)

    def _chosen(self, suits: Suits) -> tuple[Taken, dict[str, Any]]:
        """What is taken of the clip, and the values that every resolved run from a clip has."""
        taken = self.taken(math.sqrt(suits.own["width"] * suits.own["height"]))
        return taken, {
            "asked": self,
            **self._drawing(suits),
            "num_frames": taken.num_frames,
            "width": taken.width,
            "height": taken.height,
            "fps": taken.fps,
            "steady": suits.number("steady", self.steady),
        }


C = TypeVar("C", bound=ClipSettings)


@dataclass(frozen=True)
class ResolvedClip(Resolved[C]):
    """A run from a clip with nothing left open, but for end_s: its end is the clip's."""

    steady: float

    @property
    def taken(self) -> Taken:
        """What it takes of the clip."""
        return Taken(self.width, self.height, self.fps, self.num_frames)

    def keeps_sound(self) -> bool:
        """Whether the video is the whole clip at its own rate: then its sound fits.

        InputError where the clip cannot be read.
        """
        if self.asked.start_s > 0:
            return False
        whole = _playable(clip_frames(self.asked.clip, max_frames=min(self.num_frames + 1, MAX_FRAMES)))
        return abs(whole.fps - self.fps) < 0.001 and whole.count() == self.num_frames

    @abstractmethod
    def conditions(self, means: Means) -> Mapping[str, Any]:
        """What ``VideoPipeline.guided`` gets from this task beside what all tasks give it."""

    def draw(self, means: Means) -> "torch.Tensor":
        """Latents of the video (1 f c h w)."""
        return means.pipeline.guided(self.asked.prompt, **self.call(means), **self.conditions(means))

    def finished(self, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Steadied along the clip, which is read once more for it: of a long one few frames are held."""
        if self.steady == 0:
            return frames
        from t2v.finishing.steady import steady

        taken = self.taken
        return steady(frames, self.asked.stream(taken), self.steady, self.asked.is_bare(taken))


def _playable(clip: Clip) -> Clip:
    """The clip at a rate that a video can have: one that is faster or slower keeps its length."""
    fps = min(max(clip.fps, MIN_FPS), MAX_FPS)
    return clip if fps == clip.fps else replace(clip, wanted=replace(clip.wanted, fps=fps))


def fitted_size(
    clip: tuple[int, int], wanted: tuple[int | None, int | None], own_px: float
) -> tuple[int, int]:
    """(width, height) of the video, multiples of 8: what is wanted, the rest in the clip's shape.

    Where nothing is wanted, it has about own_px * own_px pixels.
    """
    width, height = wanted
    sides: tuple[float, float]
    if width is not None:
        sides = (width, width * clip[1] / clip[0] if height is None else height)
    elif height is not None:
        sides = (height * clip[0] / clip[1], height)
    else:
        scale = own_px / math.sqrt(clip[0] * clip[1])
        sides = (clip[0] * scale, clip[1] * scale)
    low, high = LIMITS["width"]
    fitted = [math.floor(min(max(side, low), high) / 8 + 0.5) * 8 for side in sides]
    return fitted[0], fitted[1]

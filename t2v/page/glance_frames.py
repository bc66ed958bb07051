"""Which frames of a clip a glance takes: as the run will take them, by what decides that alone."""

from dataclasses import dataclass, replace
from typing import Any

from t2v.engine.defaults import native_side_px
from t2v.tasks.clip import C, ClipSettings
from t2v.video.video import Video

# what decides which frames are taken, and what is made of them; the rest of a form may be half filled in
FRAMES_BY = (
    "model", "start_s", "end_s", "fps", "num_frames", "width", "height", "control_ready", "also",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Taken:
    """A clip's first frames at the run's size; whether there are more, and whether they need no detector."""

    video: Video
    is_partial: bool
    is_ready: bool


def seen_by(settings: ClipSettings) -> tuple[Any, ...]:
    """Equal for settings whose runs see the same."""
    names = (*FRAMES_BY, *settings.own)
    return settings.task, settings.clip, *(getattr(settings, name, None) for name in names)


def only(settings: C, names: tuple[str, ...]) -> C:
    """The settings with only these fields of theirs, checked; the prompt may not be written yet."""
    given = {name: getattr(settings, name) for name in names if hasattr(settings, name)}
    only = type(settings)(clip=settings.clip, prompt="a glance", **given)
    only.check()
    return only


def whole(settings: C) -> C:
    """Settings that take all of the same clip."""
    return type(settings)(clip=settings.clip, prompt="a glance")


def frames_key(settings: ClipSettings) -> tuple[Any, ...]:
    """Equal for settings that take the same frames."""
    ready = getattr(settings, "control_ready", False)
    size = (settings.width, settings.height, native_side_px(settings.model, settings.task))
    part = (settings.start_s, settings.end_s, settings.fps, settings.num_frames)
    return settings.clip, part, size, ready, _tasks(settings)


def _tasks(settings: ClipSettings) -> tuple[str, ...]:
    return settings.task, *(one.task for one in getattr(settings, "also", ()))


def take(settings: ClipSettings, most: int) -> Taken:
    """The frames, ``most`` at most; InputError for a bad clip or bad settings."""
    wanted = settings.num_frames
    looked_at = most + 1 if wanted is None else min(wanted, most + 1)
    taken = replace(settings, num_frames=looked_at).taken(native_side_px(settings.model, settings.task))
    is_partial = taken.num_frames > most
    taken = replace(taken, num_frames=min(taken.num_frames, most))
    return Taken(settings.read(taken), is_partial, taken.is_ready)

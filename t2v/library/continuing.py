"""Going on from a finished video: its last frame as a picture, settings for what follows, and both as one.

What follows begins with that frame's successor, so that the two can be played one after the other without a
frame being there twice.
"""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from t2v.checks import InputError
from t2v.diffusion.over_time import texts_of
from t2v.tasks import Resolved, Settings, settings_of
from t2v.tasks.by_prompt import left_to_prompt, without_standing
from t2v.tasks.clip import ClipSettings
from t2v.tasks.subject import find_words
from t2v.tasks.text_to_video import LIMITS, TextToVideoSettings
from t2v.tasks.what_moves import named
from t2v.video.clips import Clip
from t2v.video.picture import write_picture
from t2v.video.video import clip_frames, fitted_frames

SAME_RATE = 0.001  # frames a second, as files keep rates


def last_frame(video: Path) -> np.ndarray:
    """The last frame of any video, uint8 RGB (h, w, 3); InputError where it cannot be read to its end."""
    frame: np.ndarray
    (frame,) = deque(clip_frames(video), maxlen=1)
    return frame


def write_last_frame(video: Path, folder: Path) -> Path:
    """The last frame as a PNG of a name of its own in a folder, where it has to stay until it is drawn from.

    The command line gives one that is gone at its end. A page gives Gradio's own for uploads
    (``get_upload_folder()``): what lies there may be named as a first frame, and goes as uploads go.
    """
    return write_picture(folder / f"{video.stem[:40]}-last-{secrets.token_hex(4)}.png", last_frame(video))


def continued(video: Path, picture: Path) -> TextToVideoSettings:
    """Settings for what follows a video, as far as it tells them; not yet checked.

    Of a figure that acted the picture is moved as usual: one that is given does not act.

    picture: its last frame, as above. A video of ours gives all that was asked for but the seed, which would
    draw what is there again, and of a prompt over time the last text; one from a clip its texts, model, size
    and rate; any other its rate, and the prompt is empty. InputError where the video cannot be read.
    """
    begins: dict[str, Any] = {"first_frame": str(picture), "strength": 1.0, "skip_first_frame": True}
    try:
        made: Settings | None = settings_of(video)
    except InputError:  # somebody else's, or of another version
        made = None
    if isinstance(made, TextToVideoSettings):
        return _after(left_to_prompt(made), begins)
    clip = clip_frames(video)
    low, high = LIMITS["fps"]
    if made is None:
        return TextToVideoSettings("", fps=min(max(clip.fps, low), high), **begins)
    assert isinstance(made, ClipSettings)
    texts: dict[str, Any] = {
        "prompt": "" if made.editor else made.prompt,
        "negative_prompt": made.negative_prompt,
    }
    shape: dict[str, Any] = {"width": made.width, "height": made.height, "upscale": made.upscale}
    rate = clip.fps if made.fps is None else made.fps
    return TextToVideoSettings(**texts, model=made.model, **shape, fps=min(max(rate, low), high), **begins)


def _after(made: TextToVideoSettings, begins: dict[str, Any]) -> TextToVideoSettings:
    if made.acted() is not None:
        made = replace(without_standing(made), method=None)
    prompt, words = texts_of(made.prompt)[-1], made.subject
    is_said = words is not None and all(find_words(prompt, one) for one in named(words))
    return replace(made, prompt=prompt, subject=words if is_said else None, seed=None, action=None, **begins)


def joined(video: Path, resolved: Resolved[Any], frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """A video's frames and then those of the run that continues it, uint8 RGB (h, w, 3), one at a time.

    All have the size and the rate of the run: the video is scaled, cut and resampled where it has others.
    """
    yield from fitted_frames(_at_rate(video, resolved.fps), *resolved.size)
    yield from frames


def joined_count(video: Path, resolved: Resolved[Any]) -> int:
    """How many frames both are together."""
    return _at_rate(video, resolved.fps).count() + resolved.num_frames


def _at_rate(video: Path, fps: float) -> Clip:
    clip = clip_frames(video)
    return clip if abs(clip.fps - fps) < SAME_RATE else clip_frames(video, fps=fps)

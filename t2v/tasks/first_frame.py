"""A video that begins with a picture: what of it settings check and tell, and what a run takes of it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2v.checks import InputError, check_text
from t2v.diffusion.over_time import read_over_time
from t2v.tasks import acting
from t2v.tasks.settings import Settings
from t2v.video.picture import check_picture, fitted_picture, read_picture

if TYPE_CHECKING:
    import torch

    from t2v.diffusion.canvas import Drawn
    from t2v.diffusion.from_picture import FirstFrame
    from t2v.tasks.text_to_video import TextToVideoSettings
    from t2v.tasks.text_to_video_run import ResolvedTextToVideo

MAX_PATH_CHARS = 4000
OF_A_PICTURE = ("first_frame", "strength", "skip_first_frame")  # fields that say nothing without one
SAME_SHAPE = 0.02  # by which width to height may differ for nothing worth a word to be cut off


def check_first_frame(settings: "TextToVideoSettings") -> None:
    """InputError, one sentence, for a first frame that cannot be read, or not be combined with the rest."""
    if settings.first_frame is None:
        for field, default in (("strength", 1.0), ("skip_first_frame", False)):
            if getattr(settings, field) != default:
                raise InputError(
                    f"{field} is {getattr(settings, field)}, and first_frame is not given; add it."
                )
        return
    if not isinstance(settings.first_frame, str):  # an array, perhaps
        kind = type(settings.first_frame).__name__
        raise InputError(f"first_frame is a {kind}; give the path of a picture.")
    if not check_text("first_frame", settings.first_frame, MAX_PATH_CHARS).strip():
        raise InputError("first_frame is empty; give the path of a picture.")
    if settings.action not in (None, acting.NONE):
        raise InputError(
            f"action is {settings.action}, and first_frame is given, whose figure stands as it does; choose "
            "none, or leave the picture out."
        )
    if read_over_time(settings.prompt) is not None:
        raise InputError("prompt changes over time, and first_frame is given; give one text, or no picture.")
    check_picture(settings.first_frame)


def without_picture(settings: Settings) -> tuple[Settings, str | None]:
    """Settings that begin with no picture, and the path or name of the one that they had; None for none.

    For settings out of a file, of whose picture only the name is told.
    """
    named = getattr(settings, "first_frame", None)
    if not named:
        return settings, None
    return replace(settings, first_frame=None, strength=1.0, skip_first_frame=False), str(named)  # type: ignore[call-arg]


def check_readable(settings: "TextToVideoSettings") -> None:
    """InputError where the picture cannot be read to its end."""
    if settings.first_frame is not None:
        read_picture(settings.first_frame)


def notes(settings: "TextToVideoSettings") -> tuple[str, ...]:
    """What is cut off a picture, in a sentence; () where all of it is shown, or it cannot be read.

    Where the model decides the size that is taken for a square, as it mostly is.
    """
    if settings.first_frame is None:
        return ()
    try:
        across, down = check_picture(settings.first_frame)
    except InputError:  # the run says so
        return ()
    width, height = settings.width, settings.height
    wanted = 1.0 if width is None or height is None else width / height
    own = across / down
    if abs(wanted / own - 1) < SAME_SHAPE:
        return ()
    sides = "left and right" if own > wanted else "above and below"
    return (
        f"{Path(settings.first_frame).name} is {across}x{down}, so what is too much {sides} is cut off; "
        "choose width and height for more of it.",
    )


def first_frame_of(run: "ResolvedTextToVideo") -> "FirstFrame | None":
    """The picture that a run begins with, at the video's size; InputError where it cannot be read."""
    from t2v.diffusion.from_picture import FirstFrame

    asked = run.asked
    if asked.first_frame is None:
        return None
    return FirstFrame(fitted_picture(asked.first_frame, run.width, run.height), asked.strength)


def shown(drawn: "torch.Tensor | Drawn", call: Mapping[str, Any]) -> "torch.Tensor | Drawn":
    """What a call of the pipeline drew, in which a first frame that is kept is the picture itself."""
    given: FirstFrame | None = call["first_frame"]
    return drawn if given is None else given.shown(drawn)

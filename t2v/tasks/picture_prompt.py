"""A picture as a prompt (IP-Adapter): what of it settings check and tell, and what a run takes of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from t2v.checks import InputError, check_text
from t2v.diffusion.options import PICTURE_STRENGTH
from t2v.video.picture import check_picture
from t2v.weights.recorded import check_recorded

if TYPE_CHECKING:
    from t2v.tasks.settings import S, Settings

FIELD = "picture_prompt"
WITHOUT: Mapping[str, Any] = {
    "picture_prompt": None,
    "picture_prompt_strength": PICTURE_STRENGTH,
    "ip_adapter": None,
}
MAX_PATH_CHARS = 4000


def check_picture_prompt(settings: "Settings") -> None:
    """InputError, one sentence, for a picture that cannot be read, or what says nothing without one."""
    if settings.picture_prompt is None:
        for field, default in WITHOUT.items():
            if getattr(settings, field) != default:
                raise InputError(f"{field} is {getattr(settings, field)}, and {FIELD} is not given; add it.")
        return
    for field in (FIELD, "ip_adapter"):
        value: Any = getattr(settings, field)
        if value is None:
            continue
        wanted = "the path of a picture" if field == FIELD else "an IP-Adapter's file or folder"
        if not isinstance(value, str):  # an array, perhaps
            raise InputError(f"{field} is a {type(value).__name__}; give {wanted}.")
        if not check_text(field, value, MAX_PATH_CHARS).strip():
            raise InputError(f"{field} is empty; give {wanted}.")
    if settings.ip_adapter is not None:
        check_recorded("ip_adapter", settings.ip_adapter)
    check_picture(settings.picture_prompt, FIELD)


def without_picture_prompt(settings: "S") -> "tuple[S, str | None]":
    """Settings without a picture as a prompt, and the path or name of the one that they had; None for none.

    For settings out of a file, of whose picture only the name is told.
    """
    named = settings.picture_prompt
    return (replace(settings, **WITHOUT), str(named)) if named else (settings, None)

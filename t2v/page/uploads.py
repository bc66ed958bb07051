"""Which clips a page or a program may name: those uploaded to this server, and the examples."""

import json
import logging
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from t2v.checks import InputError
from t2v.jobs.job import JobView
from t2v.jobs.sources import prompt_of, source_of, with_prompt, with_source
from t2v.page.door.belongings import PREFIX, UPLOADS
from t2v.page.studio import Studio
from t2v.program import bundled

logger = logging.getLogger(__name__)

EXAMPLES = bundled("examples")
CLIPS_INDEX = "index.json"
NOT_OURS = "clip is neither an uploaded file nor an example; upload it first."
NONE_CHOSEN = {
    "clip": "no clip is chosen; upload one, or pick an example.",
    "first_frame": "no picture is chosen; upload one.",
    "picture_prompt": "no picture is chosen; upload one.",
}
OF_BEFORE = {
    "clip": "the program was restarted and no longer has this clip; choose it again.",
    "first_frame": "the program was restarted and no longer has this picture; choose it again.",
    "picture_prompt": "the program was restarted and no longer has this picture; choose it again.",
}
PICTURES = ("first_frame", "picture_prompt")  # fields that name one


@dataclass(frozen=True)
class Example:
    """A clip that comes with the program, and what to try with it. settings: other fields -> values."""

    title: str
    clip: str
    prompt: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def examples(task: str) -> tuple[Example, ...]:
    """The examples of a task whose clips are there; none where the folder is missing or broken."""
    path = EXAMPLES / CLIPS_INDEX
    try:
        entries = json.loads(path.read_text(encoding="utf-8")).get(task, ()) if path.is_file() else ()
        found = [
            Example(one["title"], str(EXAMPLES / one["file"]), one["prompt"], one.get("settings", {}))
            for one in entries
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        logger.warning("The examples in %s are not used: %s", path, error)
        return ()
    return tuple(one for one in found if Path(one.clip).is_file())


def allowed_clip(sent: object) -> str:
    """The path of a clip that a page or a program may use; InputError for any other file.

    sent: a path, or Gradio's description of an uploaded file. Pages and programs could send any path, and
    the server can read more than its visitors may see.
    """
    return _allowed(sent, "clip")


def allowed_picture(sent: object, field: str = "first_frame") -> str:
    """The same for a picture to begin with, or as a prompt."""
    return _allowed(sent, field)


def with_pictures(values: dict[str, Any]) -> dict[str, Any]:
    """A form's or a program's values, with paths of pictures that may be used; InputError for others."""
    named = {field: values[field] for field in PICTURES if values.get(field) not in (None, "")}
    return {**values, **{field: allowed_picture(sent, field) for field, sent in named.items()}}


def _allowed(sent: object, field: str) -> str:
    path: Any = sent.get("path") if isinstance(sent, Mapping) else getattr(sent, "path", sent)
    if path is None or path == "":
        raise InputError(NONE_CHOSEN[field])
    not_ours = NOT_OURS.replace("clip", field)
    try:
        place = Path(path).resolve()
    except (TypeError, ValueError, OSError, RuntimeError):  # no path at all, or one that no file can have
        raise InputError(not_ours) from None
    if not any(place.is_relative_to(folder) for folder in _folders()):
        raise InputError(OF_BEFORE[field] if _was_uploaded(place) else not_ours)
    if not place.is_file():
        raise InputError(f"{field} is not on the server any more; upload it again.")
    return str(place)


def with_kept_source(view: JobView) -> Any:
    """The settings of a run; where its upload went with an earlier program, on a new one of what was kept."""
    settings, kept, picture = view.settings, view.kept_clip, view.kept_picture
    if kept is not None and source_of(settings) == str(kept) and kept.is_file():
        settings = with_source(settings, str(as_upload(kept)))
    if picture is not None and prompt_of(settings) == str(picture) and picture.is_file():
        settings = with_prompt(settings, str(as_upload(picture)))
    return settings


def renewed(studio: Studio, who: str | None, path: str) -> str:
    """The path of an upload; where it went with an earlier program, of a new one if a run was made from it.

    who: asks; of the runs of others nothing is known.
    """
    try:
        return _allowed(path, "clip")
    except InputError:
        kept = studio.jobs.kept_source(path, who)
    return path if kept is None else str(as_upload(kept))


def as_upload(file: Path) -> Path:
    """A file of ours where uploads lie, under its own name: a link, or a copy where there can be none."""
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    try:
        os.link(file, folder / file.name)
    except OSError:  # another disk, or a kind of disk without links
        shutil.copyfile(file, folder / file.name)
    return (folder / file.name).resolve()


def _was_uploaded(place: Path) -> bool:
    """Whether a path is one of an upload to another process of this program, as its name alone tells.

    Of what is there nothing is said: that would tell visitors which files the server has.
    """
    folders = place.parents
    return any(
        one.name == UPLOADS and above.name.startswith(PREFIX)
        for one, above in zip(folders, folders[1:], strict=False)
    )


def _folders() -> tuple[Path, Path]:
    return _real(get_upload_folder()), EXAMPLES


@lru_cache(maxsize=4)
def _real(folder: str) -> Path:
    return Path(folder).resolve()

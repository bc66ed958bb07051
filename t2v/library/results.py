"""Results: a video's file, its name, the settings inside it, and the sound of the clip it was made from."""

import logging
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from t2v.checks import InputError
from t2v.tasks import MADE_FROM, Resolved, Settings
from t2v.tasks.clip import ClipSettings, ResolvedClip
from t2v.tasks.recorded import FIELDS, KEY, recorded_weights, unlike_told
from t2v.version import __version__
from t2v.video.formats import check_format
from t2v.video.write import add_audio, check_output, read_settings, write_video
from t2v.weights.source import Source

logger = logging.getLogger(__name__)

OUTPUTS = Path("outputs")  # where videos go that nobody named a place for
MAX_SLUG, MAX_SLUG_BYTES = 48, 120
WEIGHTS = set(FIELDS)  # fields that may name a folder
FILES = set(MADE_FROM)  # fields that name a file


def check_target(path: str | os.PathLike[str], settings: Settings, name: str = "output") -> Path:
    """``path`` if a run's video can be written there and is not what it is made from; else InputError.

    settings: checked. name: what the sentence calls the path.
    """
    path = check_output(path, name)
    check_format(path, settings.fps, settings.num_frames, name)
    if isinstance(settings, ClipSettings) and path.exists() and path.samefile(settings.clip):
        raise InputError(f"{name} is {path}, which is the clip itself; give another file.")
    for field, what in (("first_frame", "first frame"), ("picture_prompt", "picture prompt")):
        picture = getattr(settings, field, None)
        if picture is not None and path.exists() and path.samefile(picture):
            raise InputError(f"{name} is {path}, which is the {what} itself; give another file.")
    return path


def write_result(
    path: Path, resolved: Resolved[Any], frames: Iterable[np.ndarray], with_settings: bool = True
) -> Path:
    """Write a run's frames, uint8 RGB (h, w, 3), as a file that carries its settings, and return its path.

    with_settings: False leaves them out. A video of the whole clip at its own rate gets the clip's sound;
    where that cannot be had, the log says so and the video stays as it is. Raises what ``write_video``
    raises.
    """
    check_format(path, resolved.fps, resolved.num_frames)
    settings = settings_dict(resolved.filled()) if with_settings else None
    path = write_video(path, frames, resolved.fps, settings)
    if isinstance(resolved, ResolvedClip):
        try:
            if resolved.keeps_sound():
                add_audio(path, resolved.asked.clip)
        except (InputError, OSError) as error:  # the video is whole without it
            logger.warning("%s has no sound: %s", path.name, error)
    return path


def settings_dict(settings: Settings) -> dict[str, Any]:
    """Settings as JSON for a video's metadata, with the task, the program and its version.

    Of clip, picture, local models and ControlNets only names: folders are private, and files get around.
    Names in the folder of models, which pickers show, have its folders in them where two files have one name.
    "weights" tells the files from others that are called so, by what is in them.
    """
    about = {"task": settings.task, "program": "Text2Video-Zero Studio", "version": __version__}
    kept = asdict(settings)
    weights = recorded_weights(kept)
    for name in FILES & kept.keys():
        kept[name] = None if kept[name] is None else Path(kept[name]).name
    for part in (kept, *kept.get("also", ())):
        for name in WEIGHTS & part.keys():
            part[name] = None if part[name] is None else Source.parse(part[name]).kept_name
    return {**about, **kept, **({KEY: weights} if weights else {})}


def unlike_by_now(path: Path, settings: Settings) -> tuple[str, ...]:
    """A sentence for each name of weights in a video's settings that leads to others by now, or to none.

    path: of the video; () where it is gone, or carries no settings.
    """
    try:
        told = read_settings(path)
    except (InputError, OSError):
        return ()
    return unlike_told(asdict(settings), (told or {}).get(KEY))


def new_output_path(folder: Path, resolved: Resolved[Any]) -> Path:
    """A file name of its own for a result: the prompt's first words, the seed, a few random letters."""
    return folder / f"{slug_of(resolved.asked.prompt)}-{resolved.seed}-{secrets.token_hex(3)}.mp4"


def slug_of(prompt: str) -> str:
    """The prompt's first words for a file's name: letters and digits of every script, joined by hyphens.

    Cut to 48 characters and 120 bytes, as systems take names of 255. "video" where nothing is left.
    """
    text = unicodedata.normalize("NFC", prompt.lower())
    kept = "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in text)
    try:
        os.fsencode(kept)
    except UnicodeEncodeError:  # a system that has no such names
        kept = re.sub(r"[^a-z0-9]", " ", kept)
    slug = "-".join(kept.split())[:MAX_SLUG]
    while len(slug.encode("utf-8", "replace")) > MAX_SLUG_BYTES:
        slug = slug[:-1]
    return slug.strip("-") or "video"

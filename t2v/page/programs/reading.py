"""The JSON of settings that programs send → settings; the files that it names are never just any of ours.

A clip or picture is one of: an upload of this server's, the name of an example, ``library:ID`` (a video of
the library; as a first frame, its last one), or the file itself as ``data:video/mp4;base64,…``. No path of
this machine and no address is opened.
"""

import base64
import binascii
import os
import secrets
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from t2v.checks import InputError
from t2v.library.continuing import write_last_frame
from t2v.page.studio import Studio
from t2v.page.uploads import allowed_clip, allowed_picture, as_upload, examples
from t2v.tasks import TASKS, Settings, settings_of
from t2v.tasks.clip import ClipSettings
from t2v.tasks.text_to_video import TextToVideoSettings

NOT_HERE = "id is of no video and no run of yours that there is; ask for videos by library."
LIBRARY, DATA = "library:", "data:"
MOST_BYTES = 32 * 2**20  # of a file inside of the JSON; larger ones are uploaded
KEPT_S = 24 * 3600.0  # as uploads are
SENT = "sent-"  # files of ours among the uploads
PICTURES = {
    "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif",
    "image/bmp": ".bmp",
}  # fmt: skip
ENDINGS = {
    "clip": {
        "video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov", "image/gif": ".gif",
        "video/x-matroska": ".mkv", "video/x-msvideo": ".avi",
    },
    "first_frame": PICTURES,
    "picture_prompt": PICTURES,
}  # fmt: skip

Fetch = Callable[[str], Path]  # the file of a video or run by its id; InputError for none of the caller's


def read_settings(studio: Studio, sent: object, files: Mapping[str, object], fetch: Fetch) -> Settings:
    """The settings that a program's JSON asks for, by ``settings_of``, which page and batch read by, too.

    files: field -> a file given beside the JSON, in place of what that names; None for none. The model is
    the app's own where none is named, and null is a field that is left out. InputError for what is no
    settings, or for files that may not be used. Not yet checked.
    """
    if not isinstance(sent, Mapping):
        raise InputError(
            'settings are no JSON object; give one, as {"task": "text-to-video", "prompt": "a car"}.'
        )
    given = {str(name): value for name, value in sent.items() if value is not None}
    given.setdefault("model", studio.default_model)
    beside = {name: file for name, file in files.items() if file is not None}
    kind = TASKS.get(str(given.get("task")))
    of_files = _fields_of_files(kind)
    strangers = [name for name in beside if name not in of_files]
    if kind is not None and strangers:
        raise InputError(f"{strangers[0]} is given, which {kind.task} does not take; leave it out.")
    for name in of_files:
        named = beside.get(name, given.get(name))
        if name == "clip" or named is not None:
            given[name] = _place(name, kind, named, fetch)
    return settings_of(given)


def _fields_of_files(kind: type[Settings] | None) -> tuple[str, ...]:
    if kind is None:
        return ()
    if issubclass(kind, ClipSettings):
        return ("clip", "picture_prompt")
    begins = ("first_frame",) if issubclass(kind, TextToVideoSettings) else ()
    return (*begins, "picture_prompt")


def _place(field: str, kind: Any, named: object, fetch: Fetch) -> str:
    """The path of a file that may be used."""
    allowed = allowed_clip if field == "clip" else partial(allowed_picture, field=field)
    if not isinstance(named, str):
        return allowed(named)
    if named.startswith(DATA):
        return _taken_in(field, named)
    if named.startswith(LIBRARY):
        video = fetch(named.removeprefix(LIBRARY))
        if field == "clip":
            return str(as_upload(video))
        return str(write_last_frame(video, _folder()))
    if os.path.basename(named) == named:
        example = next((one.clip for one in examples(kind.task) if Path(one.clip).name == named), None)
        if field == "clip" and example is not None:
            return example
    return allowed(named)


def _taken_in(field: str, address: str) -> str:
    """A file out of the JSON, put among the uploads."""
    about, comma, data = address.partition(",")
    kind, _, how = about.removeprefix(DATA).partition(";")
    ending = ENDINGS[field].get(kind.strip().lower())
    if not comma or how.strip() != "base64" or ending is None:
        kinds = ", ".join(ENDINGS[field])
        raise InputError(f"{field} is {address[:40]!r}; give data:KIND;base64,… with one of {kinds}.")
    if len(data) > MOST_BYTES * 4 // 3 + 4:
        raise InputError(f"{field} is larger than {MOST_BYTES >> 20} MB; upload it, or give a shorter one.")
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"{field} has no base64 behind its comma; encode the file's bytes so.") from None
    folder = _folder()
    _sweep(folder)
    path = folder / f"{SENT}{secrets.token_hex(12)}{ending}"
    path.write_bytes(content)
    return str(path.resolve())


def _folder() -> Path:
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sweep(folder: Path) -> None:
    """What was sent a day ago goes."""
    for path in folder.glob(f"{SENT}*"):
        try:
            if time.time() - path.stat().st_mtime > KEPT_S:
                path.unlink()
        except OSError:  # gone already
            continue

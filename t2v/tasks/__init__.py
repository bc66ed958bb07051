"""What the program can do: a file a task, found by lying here; TASKS lists them.

It may import checks, video, diffusion.options and .over_time, weights' source, family, figure and card, and
detectors when they are used; nothing here loads torch on import.
"""

import dataclasses
import importlib
import json
import os
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2v.checks import InputError, check_choice, counted, nearest
from t2v.tasks.controlled import Also
from t2v.tasks.recorded import KEY, with_recorded_weights
from t2v.tasks.resolved import Resolved
from t2v.tasks.settings import KINDS, Settings
from t2v.version import __version__
from t2v.video.write import read_settings
from t2v.weights.card import read_card
from t2v.weights.source import BUNDLED, Source

__all__ = ["TASKS", "Resolved", "Settings", "read_json", "settings_in", "settings_of"]

for _found in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_found.name}")
TASKS: dict[str, type[Settings]] = dict(sorted(KINDS.items(), key=lambda item: item[1].tab.order))
MOST_JSON_BYTES = 2**20
MADE_FROM = ("clip", "first_frame", "picture_prompt")  # fields that name a file
ABOUT = ("task", "program", "version", "finished", KEY)  # what a result tells beside its settings


def settings_of(stored: Mapping[str, Any] | str | os.PathLike[str]) -> Settings:
    """The settings of a result again, from its file or what ``read_settings`` found in it; not yet checked.

    "task" says which class it is. The clip of a file's is looked for beside it; of the clip's place nothing
    else is believed. Names of weights lead to the files that they were, in the folder of models before
    others; one whose file is not here is refused by ``check``. A file that ends in .json is such settings as
    JSON, as ``settings_in`` reads them.
    InputError where there are none, where the task is unknown, where a field is none of the task's, or where
    one is missing that has no default.
    """
    if isinstance(stored, (str, os.PathLike)):
        return _settings_in(Path(stored))
    if not isinstance(stored, Mapping):
        raise InputError("settings are not a JSON object; give what a result of this program carries.")
    try:
        kind = TASKS[check_choice("task", stored.get("task"), TASKS)]
        given = {name: value for name, value in stored.items() if name not in ABOUT}
        if "version" in stored or KEY in stored:  # nobody has typed these
            given = with_recorded_weights(given, stored.get(KEY))
        given |= _precision_before({**stored, **given})
        if isinstance(given.get("also"), (list, tuple)):
            given["also"] = tuple(_made(Also, each) for each in given["also"])
        settings: Settings = _made(kind, given)
    except InputError as error:
        version = stored.get("version")
        if not _is_newer(version):
            raise
        told = f"settings are of version {version} and this is {__version__}; update the program"
        raise InputError(f"{told} ({str(error).rstrip('.')}).") from error
    return settings


class NoSettings(InputError):
    """A file that can be read carries no settings of this program."""


def settings_in(told: Mapping[str, Any], folder: Path) -> Settings:
    """Settings that somebody wrote down, as JSON, in a file of a folder: in a batch, or for ``--like``.

    What they are made from is where they say, or beside that file. Else as ``settings_of``.
    """
    given = dict(told)
    for name in MADE_FROM:
        named = given.get(name)
        if isinstance(named, str) and named and not os.path.isfile(named):
            beside = os.path.join(folder, named)
            given[name] = beside if os.path.isfile(beside) else named
    return settings_of(given)


def read_json(text: str) -> dict[str, Any]:
    """One object of settings as text; InputError for anything else."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is no JSON ({str(error)[:100]}); give one object of settings.") from error
    if not isinstance(told, dict):
        example = '{"task": "text-to-video", "prompt": "a red car"}'
        raise InputError(f"it is no JSON object; give one, as {example}.")
    return told


def _settings_in(path: Path) -> Settings:
    if path.suffix.lower() == ".json" and path.is_file():
        return _settings_in_json(path)
    stored = read_settings(path)
    if stored is not None and isinstance(stored.get("pictures"), list):
        shown = counted(len(stored["pictures"]), "picture")
        told = f"{path.name} shows {shown}, each with settings of its own"
        raise InputError(f"{told}; give a video, or the prompt and the --seed that stands over one.")
    if stored is None or not isinstance(stored.get("task"), str):
        raise NoSettings(f"{path.name} carries no settings; give a video that this program made.")
    settings = settings_of(stored)
    named = {name: getattr(settings, name, None) for name in MADE_FROM}
    found: dict[str, Any] = {name: _beside(path, one) for name, one in named.items() if one is not None}
    return dataclasses.replace(settings, **found)


def _settings_in_json(path: Path) -> Settings:
    if path.stat().st_size > MOST_JSON_BYTES:
        told = f"{path.name} is larger than {MOST_JSON_BYTES >> 20} MB"
        raise InputError(f"{told}; give one object of settings.")
    try:
        stored = read_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        told = f"{path.name} cannot be read as text"
        raise InputError(f"{told}; give one object of settings as JSON.") from error
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error
    return settings_in({KEY: {}, **stored}, path.parent)


def _beside(video: Path, named: object) -> str:
    """What a video was made from, where a file of that name lies beside it; else the name alone."""
    name = os.path.basename(str(named)) or "clip"
    beside = str(video.parent / name)
    return beside if os.path.isfile(beside) else name


def _precision_before(stored: Mapping[str, Any]) -> dict[str, str]:
    """Of a result that does not tell its precision: processors drew all models in float32 then.

    Only where that is not what suits today, on any processor: a GPU's is what it was.
    """
    is_result, model = "version" in stored, stored.get("model", BUNDLED)
    if not is_result or "dtype" in stored or not isinstance(model, str):
        return {}
    try:
        return {} if read_card(Source.parse(model)).half is None else {"dtype": "float32"}
    except InputError:  # what is no model's name is refused where it is used
        return {}


def _is_newer(version: object) -> bool:
    """Whether it is a version that comes after this program's."""
    ours, theirs = (re.findall(r"\d{1,9}", str(one))[:3] for one in (__version__, version))
    return [int(part) for part in theirs] > [int(part) for part in ours]


def _made(kind: type, given: Any) -> Any:
    if not isinstance(given, Mapping):
        raise InputError("also is not a list of JSON objects; give what a result of this program carries.")
    known = {field.name: field.default is dataclasses.MISSING for field in dataclasses.fields(kind)}
    foreign = sorted(str(name) for name in given if name not in known)
    if foreign:
        told = f"settings name {', '.join(foreign)[:200]}, which is unknown here"
        raise InputError(f"{told}{nearest(foreign[0], known) or '; leave it out.'}")
    missing = [name for name, is_needed in known.items() if is_needed and name not in given]
    if missing:
        raise InputError(f"settings have no {' and no '.join(missing)}; add it.")
    return kind(**given)

"""What the program can do: a file a task, found by lying here; TASKS lists them.

It may import checks, video, diffusion.options and .over_time, weights' source, family, figure and card, and
detectors when they are used; nothing here loads torch on import.
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from t2v.checks import InputError, check_choice
from t2v.tasks.controlled import Also
from t2v.tasks.settings import KINDS, Resolved, Settings

__all__ = ["TASKS", "Resolved", "Settings", "settings_of"]

for _found in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_found.name}")
TASKS: dict[str, type[Settings]] = dict(sorted(KINDS.items(), key=lambda item: item[1].tab.order))
ABOUT = ("task", "program", "version")  # what a result tells beside its settings


def settings_of(stored: Mapping[str, Any]) -> Settings:
    """The settings of a result again, from what ``read_settings`` found in it; ``check`` is to follow.

    "task" says which class it is. InputError where that is unknown, where a field is none of the task's, or
    where one is missing that has no default.
    """
    if not isinstance(stored, Mapping):
        raise InputError("settings are not a JSON object; give what a result of this program carries.")
    kind = TASKS[check_choice("task", stored.get("task"), TASKS)]
    given = {name: value for name, value in stored.items() if name not in ABOUT}
    if isinstance(given.get("also"), (list, tuple)):
        given["also"] = tuple(_made(Also, each) for each in given["also"])
    settings: Settings = _made(kind, given)
    return settings


def _made(kind: type, given: Any) -> Any:
    if not isinstance(given, Mapping):
        raise InputError("also is not a list of JSON objects; give what a result of this program carries.")
    known = {field.name: field.default is dataclasses.MISSING for field in dataclasses.fields(kind)}
    foreign = sorted(str(name) for name in given if name not in known)
    if foreign:
        raise InputError(f"settings name {', '.join(foreign)[:200]}, which is unknown here; leave it out.")
    missing = [name for name, is_needed in known.items() if is_needed and name not in given]
    if missing:
        raise InputError(f"settings have no {' and no '.join(missing)}; add it.")
    return kind(**given)

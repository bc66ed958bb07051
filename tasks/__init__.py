"""What the program can do: one small file a task, and its line in TASKS, the only registry."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from checks import InputError, check_choice
from tasks.canny import CannySettings
from tasks.clip import ClipSettings
from tasks.controlled import Also
from tasks.depth import DepthSettings
from tasks.pix2pix_video import Pix2PixVideoSettings
from tasks.pose import PoseSettings
from tasks.text_to_video import TextToVideoSettings

Settings = TextToVideoSettings | ClipSettings
TASKS: dict[str, type[Settings]] = {
    kind.task: kind
    for kind in (TextToVideoSettings, CannySettings, PoseSettings, DepthSettings, Pix2PixVideoSettings)
}
ABOUT = ("task", "program", "version")  # what a result tells beside its settings


def settings_of(told: Mapping[str, Any]) -> Settings:
    """The settings of a result again, from what ``utils.read_settings`` found in it; ``check`` is to follow.

    "task" says which class it is. InputError where that is unknown, where a field is none of the task's, or
    where one is missing that has no default.
    """
    if not isinstance(told, Mapping):
        raise InputError("settings are not a JSON object; give what a result of this program carries.")
    kind = TASKS[check_choice("task", told.get("task"), TASKS)]
    given = {name: value for name, value in told.items() if name not in ABOUT}
    if isinstance(given.get("also"), (list, tuple)):
        given["also"] = tuple(_made(Also, each) for each in given["also"])
    return _made(kind, given)


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

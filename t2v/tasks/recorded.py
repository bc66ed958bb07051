"""Weights of settings that a file carries: written with prints of their files, and read so that they fit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from t2v.tasks.controlled import ControlledSettings
from t2v.tasks.settings import Settings
from t2v.weights.recorded import first_in_folder, is_marked, plain, recorded, settled

FIELDS = ("model", "controlnet", "ip_adapter")  # that name weights
KEY = "weights"  # beside the settings, where files are told from others of their names
SomeSettings = TypeVar("SomeSettings", bound=Settings)


def recorded_weights(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> the pieces of its name with prints, of those that name files here; see ``recorded``.

    settings: as a dict, their names as they lead there. "also": such of each further ControlNet.
    """
    named = {name: recorded(settings[name]) for name in FIELDS if settings.get(name) is not None}
    told: dict[str, Any] = {name: list(one) for name, one in named.items() if any(map(is_marked, one))}
    also = [recorded_weights(each) for each in settings.get("also", ())]
    return {**told, "also": also} if any(also) else told


def with_recorded_weights(stored: Mapping[str, Any], told: object) -> dict[str, Any]:
    """Stored settings, their names leading to the files that they were recorded of.

    told: what ``recorded_weights`` gave; of what it does not tell, or tells otherwise as somebody has changed
    the name, what lies in the folder of models goes first. A file that is not here keeps its print in its
    name, which ``Settings.check`` refuses.
    """
    marks: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    read = {
        name: _read(value, marks.get(name)) if name in FIELDS and isinstance(value, str) else value
        for name, value in stored.items()
    }
    also, others = stored.get("also"), marks.get("also")
    if isinstance(also, (list, tuple)):
        others = others if isinstance(others, list) and len(others) == len(also) else [None] * len(also)
        read["also"] = [
            with_recorded_weights(each, mark) if isinstance(each, Mapping) else each
            for each, mark in zip(also, others, strict=True)
        ]
    return read


def with_those_here(settings: SomeSettings) -> tuple[SomeSettings, tuple[str, ...]]:
    """The settings without prints in their names, and a sentence for each name that had one."""
    notes: dict[str, None] = {}

    def cut(name: str | None) -> str | None:
        if name is None or not is_marked(name):
            return name
        notes[_unlike(name)] = None
        return plain(name)

    if isinstance(settings, ControlledSettings):
        also = tuple(replace(each, controlnet=cut(each.controlnet)) for each in settings.also)
        settings = replace(settings, controlnet=cut(settings.controlnet), also=also)
    settings = replace(settings, model=str(cut(settings.model)), ip_adapter=cut(settings.ip_adapter))
    return settings, tuple(notes)


def unlike_told(settings: Mapping[str, Any], told: object) -> tuple[str, ...]:
    """The same sentence for each name of settings that does not lead to the file any more that it was.

    settings: as a dict. told: what ``recorded_weights`` gave of them when the video was made.
    """
    marks: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    now = recorded_weights(settings)
    pairs = [(marks.get(name), now.get(name)) for name in FIELDS]
    further = marks.get("also") or []
    for was, each in zip(further, now.get("also", [{}] * len(further)), strict=False):
        pairs.append((was.get("controlnet"), each.get("controlnet")))
    others = [piece for was, here in pairs for piece in was or () if piece not in (here or ())]
    return tuple(dict.fromkeys(map(_unlike, others)))


def _unlike(name: str) -> str:
    told = "with which this video was made, is not here, or is another file"
    return f"{plain(name)}, {told}: choose the one that it was, or it will look different."


def _read(name: str, pieces: object) -> str:
    is_told = isinstance(pieces, list) and bool(pieces) and all(isinstance(one, str) for one in pieces)
    if is_told and plain("+".join(pieces)) == name:  # type: ignore[arg-type]
        return settled(pieces)  # type: ignore[arg-type]
    return first_in_folder(name)

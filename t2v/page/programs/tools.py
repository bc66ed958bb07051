"""The tools of the MCP server, as JSON schemas: one a task, which draws and waits, and the desk's methods.

What a field means is read from the docstrings of the settings, what it may be from their limits and choices:
the tools have no tables of their own.
"""

import inspect
import re
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

import gradio as gr

from t2v.checks import InputError, nearest
from t2v.diffusion.course_text import EXAMPLE
from t2v.page.programs.desk import Desk
from t2v.page.programs.endpoints import OPERATIONS, parameters_of
from t2v.page.studio import Studio
from t2v.tasks import TASKS, Settings
from t2v.tasks.choices import CHOICES
from t2v.tasks.controlled import Also, ControlledSettings
from t2v.tasks.settings import WHOLE

CLIP = "the video to follow: an example's name (car.mp4), library:ID, or data:video/mp4;base64,…"
PICTURE = (
    "a picture that the video begins with: data:image/png;base64,…, or library:ID, which goes on from the "
    "last frame of that video"
)
PROMPT = (
    "a picture that is a prompt beside the text, where an IP-Adapter is at hand: data:image/png;base64,…, or "
    "library:ID, the last frame of that video"
)
MOTION = (
    f"how things move over time, in the place of all other numbers of motion: {EXAMPLE} are frame, place in "
    "pixels from the start, and size; 'red car: …' and 'camera: …' in front say of what, a semicolon between"
)
TOLD = {
    "clip": CLIP,
    "first_frame": PICTURE,
    "picture_prompt": PROMPT,
    "motion": MOTION,
}  # what programs give otherwise, or need to know
WAITS = "Draws the video and waits until it is there, telling its progress; submit does not wait."
JSON = {str: "string", bool: "boolean", int: "integer", float: "number"}
READING = {"follow", "runs", "library", "settings", "fetch"}  # tools that change nothing


@dataclass(frozen=True)
class Tool:
    """name, description, and what it takes as a JSON schema; only_reads: whether it changes nothing."""

    name: str
    description: str
    schema: dict[str, Any]
    only_reads: bool = False


def tools_of(studio: Studio) -> tuple[Tool, ...]:
    """All of them: those of the tasks, then those of the desk."""
    of_tasks = (Tool(name, _title(kind), _of_task(studio, kind)) for name, kind in tasks().items())
    of_desk = (Tool(name, _described(name), _of_desk(name), name in READING) for name in OPERATIONS)
    return (*of_tasks, *of_desk)


def tasks() -> dict[str, type[Settings]]:
    """The tasks by the names of their tools, which are those of their endpoints."""
    return {kind.task.replace("-", "_"): kind for kind in TASKS.values()}


def _title(kind: type[Settings]) -> str:
    about = inspect.getdoc(inspect.getmodule(kind)) or kind.task
    return f"{about.splitlines()[0]} {WAITS}"


def _of_task(studio: Studio, kind: type[Settings]) -> dict[str, Any]:
    meanings, hints = meanings_of(kind), typing.get_type_hints(kind)
    properties, needed = {}, []
    for field in kind.in_order():
        described = _described_value(kind, field.name, hints[field.name])
        default = studio.default_model if field.name == "model" else field.default
        if default is MISSING:
            needed.append(field.name)
        elif isinstance(default, (str, int, float)):
            described["default"] = default
        told = TOLD.get(field.name, meanings.get(field.name))
        properties[field.name] = described | ({} if told is None else {"description": told})
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def _described_value(kind: type[Settings], name: str, hint: Any) -> dict[str, Any]:
    if name == "also" and issubclass(kind, ControlledSettings):
        numbers = {one.name: {"type": JSON[one.type]} for one in fields(Also) if one.type in JSON}
        others = [task for task, one in TASKS.items() if issubclass(one, ControlledSettings) and one != kind]
        of_one = numbers | {"task": {"type": "string", "enum": others}}
        return {"type": "array", "items": {"type": "object", "properties": of_one, "required": ["task"]}}
    takes = next((one for one in (*typing.get_args(hint), hint) if one in JSON), str)
    described: dict[str, Any] = {"type": "integer" if name in WHOLE else JSON[takes]}
    if name in CHOICES:
        described["enum"] = list(CHOICES[name])
    if name in kind.limits:
        low, high = kind.limits[name]
        described |= {"minimum": low, "maximum": high}
    return described


def meanings_of(kind: type[Settings]) -> dict[str, str]:
    """What the docstrings of a task's settings say of its fields, each as "name, name: what it is."."""
    names = {field.name for field in fields(kind)}
    found = {name: own.hint for name, own in kind.own.items()}
    for one in reversed(kind.__mro__):
        if not issubclass(one, Settings):
            continue
        for paragraph in (inspect.getdoc(one) or "").split("\n\n"):
            found |= _meanings(" ".join(paragraph.split()), names)
    return found


def _meanings(text: str, names: set[str]) -> dict[str, str]:
    starts = [
        (each, match)
        for match in re.finditer(r"(?:^|(?<=[.;] ))(\w+(?:, \w+)*): ", text)
        if set(each := match[1].split(", ")) <= names
    ]
    ends = [*(match.start() for _, match in starts[1:]), len(text)]
    found: dict[str, str] = {}
    for (each, match), end in zip(starts, ends, strict=False):
        told = text[match.end() : end].strip().rstrip(".;").replace("``", "").replace("None", "null")
        found |= dict.fromkeys(each, told)
    return found


def _described(name: str) -> str:
    return inspect.getdoc(getattr(Desk, name)) or name


def _of_desk(name: str) -> dict[str, Any]:
    """Uploads are left out: a client names files in the settings."""
    taken = [one for one in parameters_of(name) if gr.FileData not in typing.get_args(one.annotation)]
    properties: dict[str, Any] = {}
    for one in taken:
        properties[one.name] = {"type": JSON.get(one.annotation, "object")}
        if one.default is not inspect.Parameter.empty:
            properties[one.name]["default"] = one.default
    needed = [one.name for one in taken if one.default is inspect.Parameter.empty]
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def check_arguments(tool: Tool, arguments: Mapping[str, Any]) -> None:
    """InputError for arguments that a tool does not know, or lacks; values are checked where they go."""
    known = tool.schema["properties"]
    for name in arguments:
        if name not in known:
            otherwise = nearest(name, known) or f"; it takes {', '.join(known)}."
            raise InputError(f"{tool.name} has no {name[:60]!r}{otherwise}")
    lacking = [name for name in tool.schema["required"] if arguments.get(name) is None]
    if lacking:
        raise InputError(f"{lacking[0]} is missing; give it.")

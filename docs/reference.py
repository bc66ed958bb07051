"""Writes docs/reference.md from the docstrings of the public names of t2v: ``python docs/reference.py``."""

import ast
import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from types import FunctionType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HEAD = """# Reference

Made from the docstrings by `python docs/reference.py`: change those, not this file.

## The house

Where to go for what, and what may import what, is told in [CONTRIBUTING.md](../CONTRIBUTING.md).
"""
FOLDERS = ("t2v", "miniature", "benchmarks")
SHARED = "\n## Shared\n\nBase classes of the ones above. Nobody makes these themselves."
LONG = 100  # characters; a longer signature has a line for each parameter
MODULES = re.compile(r"\b(?:t2v|diffusers|collections|typing|pathlib)(?:\.\w+)*\.(?=\w)|\b_C\.|['~]")


def reference() -> str:
    """The whole page: the house, the public names in the package's order, and the classes under them."""
    package = importlib.import_module("t2v")
    public = {name: getattr(package, name) for name in package.__all__}
    parts = [HEAD, *house(), "\n## Names\n"]
    parts += [f"- [`{name}`](#{name.lower()}): {summary(thing)}" for name, thing in public.items()]
    parts += [line for name, thing in public.items() for line in ("", *entry(name, thing))]
    under = {name: kind for name, kind in bases(public.values()).items() if name not in public}
    parts += [SHARED, *(line for name, kind in under.items() for line in ("", *entry(name, kind)))]
    return "\n".join(parts).rstrip() + "\n"


def house() -> Iterator[str]:
    """A line for each folder and file: the first paragraph of its docstring, read without importing it."""
    inside = [sorted((ROOT / name).rglob("*.py"), key=lambda one: (one.parent, one.name)) for name in FOLDERS]
    for path in chain(sorted(ROOT.glob("*.py")), *inside):
        told = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n\n")[0]
        name, is_room = path.relative_to(ROOT).as_posix(), path.name == "__init__.py"
        head = f"\n**`{name.removesuffix('/__init__.py')}`** " if is_room else f"- `{name}`: "
        if told:
            yield head + " ".join(told.replace("``", "`").split())


def bases(things: Iterable[Any]) -> dict[str, type]:
    """The package's own classes that these are derived from, the most general first."""
    kinds = [base for thing in things if isinstance(thing, type) for base in reversed(thing.__mro__[1:])]
    return {kind.__name__: kind for kind in kinds if kind.__module__.startswith("t2v.")}


def entry(name: str, thing: Any) -> Iterator[str]:
    """What there is to say of one name."""
    yield f"### `{name}`\n"
    if not callable(thing):
        yield f"`{shown(thing)}`"
        return
    if inspect.isfunction(thing) or (vars(thing).get("__init__") and not dataclasses.is_dataclass(thing)):
        yield f"```python\n{signature(name, thing)}\n```\n"
    yield f"{prose(thing)}\n\n*In `{thing.__module__}`.*"
    if dataclasses.is_dataclass(thing):
        yield from ["", *field_table(thing)]
    for method, member in own_members(thing) if isinstance(thing, type) else ():
        yield from ["", *method_entry(f"{name}.{method}", member)]


def field_table(kind: Any) -> Iterator[str]:
    """The fields that a dataclass adds to its base's, or changes; those given by position first."""
    base = next((one for one in kind.__mro__[1:] if dataclasses.is_dataclass(one)), None)
    limits, above = getattr(kind, "limits", {}), getattr(base, "limits", {})
    own = {name for name in limits if limits[name] != above.get(name)} | inspect.get_annotations(kind).keys()
    rows = [["field", "type", "default", *(["range"] if limits else [])]]
    rows.append(["---"] * len(rows[0]))
    for name, field in inspect.signature(kind).parameters.items():
        if name in own:
            default = "needed" if field.default is field.empty else f"`{shown(field.default)}`"
            spread = "{:g} to {:.10g}".format(*limits[name]) if name in limits else ""
            rows.append([f"`{name}`", f"`{in_words(field.annotation)}`", default, spread])
    for row in rows if len(rows) > 2 else ():
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row[: len(rows[0])]) + " |"
    if base is not None:
        yield f"\nAnd the fields of [`{base.__name__}`](#{base.__name__.lower()})."


def own_members(kind: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties of a class that say something which its bases do not."""
    for name, member in vars(kind).items():
        code = getattr(member, "__func__", member)
        is_public = not name.startswith("_") or name == "__call__"
        above = ["", *(prose(vars(base)[name]) for base in kind.__mro__[1:] if name in vars(base))]
        if is_public and isinstance(code, (FunctionType, property)) and prose(code) not in above:
            yield name, member


def method_entry(name: str, member: Any) -> Iterator[str]:
    """What there is to say of a method or property."""
    yield f"#### `{name}`\n"
    if not isinstance(member, property):
        own = 0 if isinstance(member, staticmethod) else 1
        yield f"```python\n{signature(name, getattr(member, '__func__', member), own)}\n```\n"
    yield prose(member)


def signature(name: str, thing: Any, own: int = 0) -> str:
    """How it is called. own: parameters at the front that callers do not give."""
    told, parts = inspect.signature(thing), []
    for one in list(told.parameters.values())[own:]:
        if one.kind is one.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        default = "" if one.default is one.empty else f" = {shown(one.default)}"
        parts.append(f"{one.name}: {in_words(one.annotation)}{default}")
    result = told.return_annotation
    end = "" if result in (told.empty, None) else f" -> {in_words(result)}"
    line = f"{name}({', '.join(parts)}){end}"
    return line if len(line) <= LONG else f"{name}(\n" + "".join(f"    {one},\n" for one in parts) + f"){end}"


def in_words(annotation: Any) -> str:
    """A type as it is written, without the modules that names come from."""
    return MODULES.sub("", inspect.formatannotation(annotation))


def shown(value: Any) -> str:
    return re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", repr(value)).replace("'", '"')


def prose(thing: Any) -> str:
    """Its own docstring as Markdown; a plain value has none but its type's."""
    told = inspect.getdoc(thing) or ""
    return "" if told == inspect.getdoc(type(thing)) else told.replace("``", "`")


def summary(thing: Any) -> str:
    """The first sentence about it, on one line; of a plain value, the value."""
    told = re.split(r"(?<=[.;])\s", prose(thing))[0].rstrip(".;") if prose(thing) else f"`{shown(thing)}`"
    return " ".join(told.split())


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    (ROOT / "docs" / "reference.md").write_text(reference(), encoding="utf-8")

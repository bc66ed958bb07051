"""The house: imports point down only, Gradio stays in the page, importing a file does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

# Lowest first, by folder. A room may import from lower floors and from itself; rooms of one floor may not
# import each other. "root" are the files at the top, which the package never imports.
FLOORS = [
    {"checks", "version", "late_compiler", "entry"},
    {"program", "libraries", "devices", "failures", "bar"},
    {"memory"},
    {"video", "diffusion"},
    {"weights", "evaluation"},
    {"detectors", "finishing"},
    {"tasks"},
    {"trained"},
    {"engine"},
    {"library"},
    {"jobs"},
    {"commands", "page"},
    {"root"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
PACKAGE = ROOT / "t2v"
FILES = sorted([*PACKAGE.rglob("*.py"), *ROOT.glob("*.py")])
NOT_SHIPPED = {"miniature", "benchmarks", "docs", "tests", "conftest"}


def room_of(path: Path) -> str:
    if path.parent == ROOT:
        return "root"
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules(path: Path, typing_too: bool = True) -> set[str]:
    """Modules that a file imports, anywhere in it; typing_too: also those under ``if TYPE_CHECKING``."""
    tree = ast.parse(path.read_text())
    skipped: set[ast.AST] = set()
    if not typing_too:
        blocks = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ]
        skipped = {inner for block in blocks for one in block.body for inner in ast.walk(one)}
    found = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "t2v"}
    return found


def rooms(path: Path) -> set[str]:
    """Rooms of the house that a file's imports lead to when it runs."""
    inside = {name.split(".")[1] for name in modules(path, typing_too=False) if name.startswith("t2v.")}
    return inside - {room_of(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    if path == PACKAGE / "__init__.py":
        return  # the package's own names, fetched when they are asked for
    own = room_of(path)
    assert own in FLOOR, f"{own} has no floor yet: add the room to FLOORS"
    assert {room for room in rooms(path) if FLOOR[room] >= FLOOR[own]} == set()


def test_every_room_says_what_it_is_for():
    folders = [path for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE]
    assert len(folders) > 10
    for path in folders:
        told = ast.get_docstring(ast.parse(path.read_text()))
        assert told is not None and len(told.split()) > 8, path


def test_the_package_imports_neither_the_root_nor_what_is_not_shipped():
    doors = {path.stem for path in ROOT.glob("*.py")}
    for path in PACKAGE.rglob("*.py"):
        assert {name.split(".")[0] for name in modules(path)}.isdisjoint(doors | NOT_SHIPPED), path


def test_gradio_is_the_pages_alone():
    users = {
        room_of(path)
        for path in FILES
        if any(name.split(".")[0] == "gradio" for name in modules(path, typing_too=False))
    }
    assert users == {"page"}


def test_only_the_comparisons_use_the_deprecated_pipelines():
    users = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if ".venv" not in path.parts and "pipelines.deprecated" in path.read_text().replace("/", ".")
    }
    assert users <= {"tests", "benchmarks"}


def test_settings_and_refusals_come_without_torch():
    """So that the command line's help and refusals are there at once."""
    light = "t2v, t2v.tasks, t2v.video.write, t2v.commands.order, t2v.engine.check_weights"
    code = f"import sys, {light}; sys.exit('torch' in sys.modules or 'gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0

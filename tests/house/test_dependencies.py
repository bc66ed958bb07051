"""Dependencies stand once, in pyproject.toml: each is pinned, used, and nothing undeclared is imported."""

import ast
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
INSTALLED = PROJECT["project"]["dependencies"]
DEVELOPED = PROJECT["dependency-groups"]["dev"]
CHOSEN = PROJECT["project"]["optional-dependencies"]  # each by name: of what only a flag needs
# the package and the doors beside it, and what stands around them in a clone
APP = (*ROOT.glob("*.py"), *(ROOT / "t2v").rglob("*.py"))
AROUND = tuple(
    path for room in ("tests", "benchmarks", "miniature", "docs") for path in (ROOT / room).rglob("*.py")
)
# names of our own: packages and doors, and what tests import from one another
OURS = {path.stem for path in (*ROOT.iterdir(), *(ROOT / "tests").rglob("*.py"))}
# declared though no file imports it: of CLIP's own package only a file is read, its vocabulary
HELPERS = {"openai-clip"}
# and these are commands and what commands take along
COMMANDS = {"hatchling", "mypy", "pytest-xdist", "ruff"}


def names(requirements: list[str]) -> list[str]:
    return [canonicalize_name(Requirement(line).name) for line in requirements]


def pins(file: str) -> dict[str, str]:
    """The pins of a requirements file: distribution -> version."""
    found = {}
    for line in (ROOT / file).read_text().splitlines():
        if line and line[0] not in "#-":
            name, _, version = line.partition("==")
            assert version, f"{file}: {line} is no exact pin"
            assert canonicalize_name(name) not in found, f"{file}: {name} is pinned twice"
            found[canonicalize_name(name)] = version
    return found


@cache
def imported(files: tuple[Path, ...]) -> dict[str, str]:
    """Other people's distributions that the files import from, anywhere in them -> one file that does."""
    found = {}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0]: path for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found[node.module.split(".")[0]] = path
    comes_with = packages_distributions()
    return {
        canonicalize_name(name): str(path.relative_to(ROOT))
        for module, path in found.items()
        if module not in sys.stdlib_module_names and module not in OURS
        for name in comes_with.get(module, [module])
    }


@pytest.mark.parametrize(
    ("declared", "file"), [(INSTALLED, "requirements.txt"), (DEVELOPED, "requirements-dev.txt")]
)
def test_each_dependency_has_one_pin_within_its_range(declared, file):
    found = pins(file)
    assert sorted(found) == sorted(names(declared))
    for requirement in map(Requirement, declared):
        version = found[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{file}: {requirement} leaves {version} out"


def test_the_builder_that_is_pinned_is_one_that_builds_us():
    (builder,) = map(Requirement, PROJECT["build-system"]["requires"])
    assert builder.specifier.contains(pins("requirements-dev.txt")[builder.name])


@pytest.mark.parametrize(
    ("files", "allowed"),
    [(APP, INSTALLED + CHOSEN["mcp"]), (AROUND, INSTALLED + DEVELOPED)],
    ids=["app", "around"],
)
def test_what_is_imported_is_declared(files, allowed):
    assert {name: file for name, file in imported(files).items() if name not in names(allowed)} == {}


@pytest.mark.parametrize(
    ("files", "declared", "unimported"),
    [(APP, INSTALLED, HELPERS), (AROUND, DEVELOPED, COMMANDS)],
    ids=["app", "around"],
)
def test_what_is_declared_is_imported(files, declared, unimported):
    assert set(names(declared)) - imported(files).keys() == unimported

"""The house: imports point down only, Gradio stays in the app, importing a file does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# lowest first; a file may import from lower floors and from its own
FLOORS = [
    {"version", "checks", "hub", "startup"},
    {"devices", "places", "untrusted"},
    {"choices", "video_in", "video_out"},
    {"cards", "utils", "detectors", "motion", "attention", "sampling", "steps", "preview", "conditions"},
    {"pipeline_checks"},
    {"text_to_video_pipeline"},
    {"tasks"},
    {"model_index", "prompt_notes", "results", "weights"},
    {"controlnets", "original_terms", "original_calls"},
    {"model"},
    {"job", "jobs"},
    {"app_preview", "app_uploads", "app_values", "app_view"},
    {"app_common", "app_notes", "app_panes"},
    {"app_api", "app_clip_fields", "app_fields"},
    {"app_choice"},
    {"app_clip"},
    {"app_canny", "app_depth", "app_pix2pix_video", "app_pose", "app_text_to_video"},
    {"app"},
    {"options"},
    {"command_line"},
    {"generate"},
]
FLOOR = {name: i for i, names in enumerate(FLOORS) for name in names}
FILES = sorted([*ROOT.glob("*.py"), *ROOT.glob("tasks/*.py"), *ROOT.glob("detectors/*.py")])


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports at run time, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names


def typing_only(path: Path) -> set[str]:
    """Names imported under ``if TYPE_CHECKING``: no arrows at run time."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            names |= {inner.module.split(".")[0] for inner in node.body if isinstance(inner, ast.ImportFrom)}
    return names


def own_name(path: Path) -> str:
    return path.stem if path.parent == ROOT else path.parent.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    own = own_name(path)
    assert own in FLOOR, f"{path.name} has no floor yet: add it to FLOORS"
    ours = {name for name in imported(path) - typing_only(path) if name in FLOOR and name != own}
    assert {name for name in ours if FLOOR[name] > FLOOR[own]} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_gradio_is_the_apps_alone(path):
    assert path.stem.startswith("app") or "gradio" not in imported(path)


def test_only_the_comparisons_use_the_deprecated_pipelines():
    users = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if ".venv" not in path.parts and "pipelines.deprecated" in path.read_text().replace("/", ".")
    }
    assert users <= {"tests", "benchmarks"}


def test_the_program_does_not_import_the_miniatures_making():
    assert all("miniature" not in imported(path) for path in FILES)


def test_settings_come_without_torch():
    """So that the command line's help and refusals are there at once."""
    code = "import sys, tasks, utils; sys.exit('torch' in sys.modules or 'gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0

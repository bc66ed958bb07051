"""The motion editor: paths, keys and subjects are drawn on the first frame, in step with their plain text."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def of_motion_editor() -> tuple[Path, tuple[Path, ...]]:
    """Its stylesheet, and its scripts in the order in which they run."""
    return FOLDER / "editor.css", tuple(
        FOLDER / name for name in ("motion_text.js", "sketch.js", "form.js", "editor.js")
    )

"""The tab "Library", and the strip of the newest videos below every tab: places that scripts fill."""

import html
import json
from collections.abc import Sequence
from typing import Any

import gradio as gr

from t2v.page.library.shelf import Shelf
from t2v.page.run_panel import RunPanel
from t2v.page.studio import Studio
from t2v.tasks import TASKS

TAB = "Library"


def build(studio: Studio, panels: Sequence[RunPanel]) -> None:
    """Lays the tab out, behind those of the panels, which it fills in; nothing where there is no library."""
    if studio.shelf is None:
        return
    studio.shelf.forms.update({panel.settings_class.task: panel for panel in panels})
    with gr.Tab(TAB):
        gr.HTML(_place("library-tab", studio.shelf), elem_classes="library-box", apply_default_css=False)


def strip(studio: Studio) -> None:
    """The newest videos, for below the tabs."""
    if studio.shelf is not None:
        gr.HTML(_place("library-strip", studio.shelf), elem_classes="strip-box", apply_default_css=False)


def _place(name: str, shelf: Shelf) -> str:
    words = html.escape(json.dumps(_words(shelf)), quote=True)
    return f'<section class="{name}" aria-label="Your videos" data-words="{words}"></section>'


def _words(shelf: Shelf) -> dict[str, Any]:
    """What tabs and fields are called, in the order of the forms: task -> name of its tab, fields."""
    return {
        task: {
            "tab": kind.tab.name,
            "fields": _fields(shelf.forms[task]) if task in shelf.forms else {},
        }
        for task, kind in TASKS.items()
    }


def _fields(panel: Any) -> dict[str, Any]:
    """Field -> [label, names of its choices by their values]."""
    spoken = {**{name: field.label for name, field in panel.form.items()}, **panel.spoken}
    choices = {
        name: {str(value): shown for shown, value in getattr(field, "choices", None) or ()}
        for name, field in panel.form.items()
    }
    return {name: [label, choices.get(name, {})] for name, label in spoken.items() if label}

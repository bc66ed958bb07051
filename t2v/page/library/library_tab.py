"""The tab "Library", and the strip of the newest videos below every tab: places that scripts fill."""

import html
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import gradio as gr

from t2v.page.model_told import unmarked
from t2v.page.open_file import as_shown
from t2v.page.run_panel import RunPanel
from t2v.page.studio import Studio
from t2v.tasks import TASKS, Settings

TAB = "Library"
# fields whose labels are the paper's letters, which say nothing where the form's hints are not beside them
IN_WORDS = {"t0": "T′: when the frames part", "t1": "T: how free each frame is"}


def build(studio: Studio, panels: Sequence[RunPanel]) -> None:
    """Lays the tab out, behind those of the panels, which it fills in; nothing where there is no library."""
    if studio.shelf is None:
        return
    studio.shelf.forms.update({panel.settings_class.task: partial(_filled, panel) for panel in panels})
    with gr.Tab(TAB):
        gr.HTML(_place("library-tab", panels), elem_classes="library-box", apply_default_css=False)


def strip(studio: Studio, panels: Sequence[RunPanel]) -> None:
    """The newest videos, for below the tabs."""
    if studio.shelf is not None:
        gr.HTML(_place("library-strip", panels), elem_classes="strip-box", apply_default_css=False)


def _filled(panel: RunPanel, settings: Settings) -> list[Any]:
    """What the fields of a tab show for settings, in the form's order, as the browser holds it."""
    return [as_shown(value, panel.form[name]) for name, value in panel.values_again(settings).items()]


def _place(name: str, panels: Sequence[RunPanel]) -> str:
    words = html.escape(json.dumps(_words(panels)), quote=True)
    return f'<section class="{name}" aria-label="Your videos" data-words="{words}"></section>'


def _words(panels: Sequence[RunPanel]) -> dict[str, Any]:
    """What tabs and fields are called, in the order of the forms: task -> name of its tab, fields."""
    fields = {panel.settings_class.task: _fields(panel) for panel in panels}
    return {task: {"tab": kind.tab.name, "fields": fields.get(task, {})} for task, kind in TASKS.items()}


def _fields(panel: RunPanel) -> dict[str, Any]:
    """Field -> [label, names of its choices by their values]."""
    spoken = {**{name: field.label for name, field in panel.form.items()}, **panel.spoken}
    spoken |= {name: words for name, words in IN_WORDS.items() if name in spoken}
    choices = {
        name: {str(value): unmarked(shown) for shown, value in getattr(field, "choices", None) or ()}
        for name, field in panel.form.items()
    }
    return {name: [label, choices.get(name, {})] for name, label in spoken.items() if label}

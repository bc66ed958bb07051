"""What else than the prompt decides the next video, told below Run, with a way to take each out.

A path that was drawn, a picture, an action lie in groups that are folded up, and stay for the next prompt.
The page's script reads the form as this window keeps it; what is taken out is set by hidden buttons.
"""

import html
import json
from collections.abc import Mapping

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from t2v.page.events import QUIET

TAKEN_OUT = (
    "motion",
    "painted",
    "subject",
    "action",
    "motion_x",
    "motion_y",
)  # texts, of which an empty one is nothing
TAKE_OUT = """(...values) => {{
    const names = {names}, out = (window.takesOut || '').split(' ');
    return names.map((name, i) => (out.includes(name) ? '' : values[i]));
}}"""


def place_in_use() -> gr.HTML:
    """The place of the line; call inside of the tab's form."""
    return gr.HTML("", elem_classes="in-use-box", apply_default_css=False)


def in_use_html(task: str, form: Mapping[str, Component]) -> str:
    """What the script needs: the task, and the names of the values that the window keeps, in their order."""
    names = html.escape(json.dumps(list(form)), quote=True)
    return f'<div class="in-use" role="status" data-task="{html.escape(task)}" data-names="{names}"></div>'


def wire_in_use(task: str, place: gr.HTML, form: Mapping[str, Component]) -> Dependency:
    """The event after which what somebody wanted out is out of the form."""
    place.value = in_use_html(task, form)  # the form is complete only now
    fields = [form[name] for name in TAKEN_OUT]
    button = gr.Button(visible="hidden", elem_id=f"take-out-{task}")
    script = TAKE_OUT.format(names=json.dumps(TAKEN_OUT))
    return button.click(None, fields, fields, js=script, **QUIET)

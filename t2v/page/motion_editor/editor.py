"""The editor's place in the form: a picture to draw on, and the two texts that the settings know."""

import gradio as gr
from gradio.components import Component

from t2v.page.motion_editor import FOLDER

HINT = (
    "Frame: place from the start (pixels, or % of the picture), size, turn; as in "
    "0: 0,0 | 7: 25%,-5% x1.3, or red car: line 0,0 25%,0 | ease. Empty: by the numbers below."
)


def fields() -> dict[str, Component]:
    """The fields ``motion`` and ``painted``, below what draws them; call inside of the tab's form."""
    with gr.Accordion("Draw the motion", open=False, elem_classes="motion-accordion"):
        markup = (FOLDER / "editor.html").read_text(encoding="utf-8")
        gr.HTML(markup, elem_classes="motion-box", apply_default_css=False)
        motion = gr.Textbox(
            label="Motion over time",
            info=HINT,
            placeholder="0: 0,0 | 7: 25%,0",
            lines=1,
            max_lines=6,
            elem_classes="motion-text",
        )
        painted = gr.Textbox(label="Painted subject", max_lines=1, elem_classes="painted-text")
    return {"motion": motion, "painted": painted}

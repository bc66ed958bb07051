"""The tab "Text to video": a sentence in, a short video out."""

import gradio as gr
from gradio.components import Component

from t2v.page import form_fields as fields
from t2v.page.endpoints import add_endpoint
from t2v.page.form_fields import number_field
from t2v.page.run_panel import RunPanel
from t2v.page.studio import Studio
from t2v.tasks import acting
from t2v.tasks.actions import ACTIONS
from t2v.tasks.text_to_video import LIMITS, TextToVideoSettings

DEFAULT = TextToVideoSettings(prompt="")
WARPS = [
    ("Smooth: the picture glides", "subcell"),
    ("Whole cells: sharp, in small jumps", "whole-cell"),
    ("As the original program did", "reference"),
]
ACTION_CHOICES = [
    ("What the prompt says", ""),
    ("None: the picture moves", acting.NONE),
    *((name.capitalize(), name) for name in ACTIONS),
]


def build(studio: Studio) -> RunPanel:
    """Lays the tab out; call inside ``gr.Tab``, and ``wire()`` what it returns outside."""
    panel = RunPanel(studio, TextToVideoSettings)
    with gr.Row(elem_classes="two-columns"):
        with gr.Column(scale=6, min_width=300):
            form = _form(studio)
            panel.buttons()
            form |= _advanced(form["prompt"])
        with gr.Column(scale=5, min_width=300, elem_classes="result"):
            panel.result()
    panel.form = form
    add_endpoint(studio, TextToVideoSettings)
    return panel


def _form(studio: Studio) -> dict[str, Component]:
    words = TextToVideoSettings.tab
    prompt = fields.prompt_box(words.prompt_label, words.placeholder, autofocus=True)
    examples = studio.engine.examples(studio.default_model)
    if examples:
        rows = [[text] for text in examples]
        gr.Examples(rows, [prompt], label="Or try one of these", elem_id="prompt-examples")
    return {"prompt": prompt, **fields.model_and_seed(studio, TextToVideoSettings)}


def _advanced(prompt: Component) -> dict[str, Component]:
    with gr.Accordion("Advanced options", open=False, elem_classes="advanced"):
        return {
            **_length(),
            **fields.size(),
            **fields.drawing(DEFAULT, prompt),
            **_motion(),
            **fields.machinery(DEFAULT),
            **_no_motion(),
        }


def _length() -> dict[str, Component]:
    most = fields.SLIDER_FRAMES
    with gr.Row():
        hint = "How many pictures the video has."
        frames = fields.slider(DEFAULT, "num_frames", "Frames", hint, (1, most))
        hint = "How fast they are played."
        fps = fields.slider(DEFAULT, "fps", "Frames per second", hint, (1, LIMITS["fps"][1]))
    return {"num_frames": frames, "fps": fps}


def _motion() -> dict[str, Component]:
    with gr.Row():
        motion_x = number_field("Motion to the right", "Pixels a frame; below 0: left.")
        motion_y = number_field("Motion downwards", "Pixels a frame; below 0: up.")
    with gr.Row():
        t0 = number_field("T′", "How early (999) or late (0) in the drawing the frames are moved.")
        t1 = number_field("T", "Not below T′. The further above, the freer each frame.")
    warp = gr.Dropdown(WARPS, value=DEFAULT.warp, label="Warp", info="How the motion is applied.")
    hint = "Of a figure, along skeletons drawn for it; the motion then moves it alone."
    action = gr.Dropdown(ACTION_CHOICES, value="", label="Action", info=hint)
    return {"action": action, "motion_x": motion_x, "motion_y": motion_y, "t0": t0, "t1": t1, "warp": warp}


def _no_motion() -> dict[str, Component]:
    field = gr.Checkbox(
        DEFAULT.motion_field,
        label="Motion field",
        info="Off, to compare: the frames are not moved on purpose.",
    )
    return {"motion_field": field}

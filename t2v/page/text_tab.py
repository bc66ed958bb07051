"""The tab "Text to video": a sentence in, a short video out."""

import gradio as gr
from gradio.components import Component

from t2v.diffusion.options import PATHS
from t2v.page import form_fields as fields
from t2v.page import presets
from t2v.page.endpoints import add_endpoint
from t2v.page.form_fields import number_field
from t2v.page.length import MOST_FRAMES, length
from t2v.page.motion_editor import editor
from t2v.page.picture_field import PictureField, PicturePanel
from t2v.page.run_panel import RunPanel
from t2v.page.studio import Studio
from t2v.tasks import acting
from t2v.tasks.actions import ACTIONS
from t2v.tasks.text_to_video import LIMITS, TextToVideoSettings

DEFAULT = TextToVideoSettings(prompt="")
MOVE_NAMES = [
    ("The camera", "camera"),
    ("The subject", "subject"),
    ("Both", "both"),
    ("Only life in it", "life"),
]
METHOD_NAMES = [
    ("What suits the model", ""),
    ("One picture under a camera: steady", "canvas"),
    ("The paper's: each frame drawn anew", "paper"),
]
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
    panel = PicturePanel(studio, TextToVideoSettings)
    panel.picture = PictureField()
    with gr.Row(elem_classes=["two-columns", "text-tab"]):
        with gr.Column(scale=6, min_width=300):
            form = _prompt(studio)
            panel.buttons()  # before all that may be left as it is: it is seen without scrolling
            form |= {"move": _move(), **fields.model_and_seed(studio, TextToVideoSettings)}
            long = length(DEFAULT.num_frames, DEFAULT.fps)
            chosen = presets.choose_preset(studio.default_model)
            panel.ways_to_try()
            form |= panel.prompt_picture.place(DEFAULT, studio.default_model)
            form |= panel.picture.place()
            form |= editor.fields()
            advanced, keeping = _advanced(studio, form["prompt"])
            form |= advanced
            long.follow(form["num_frames"], form["fps"])
            presets.wire(studio, presets.PresetRow(*chosen, *keeping), form, panel.keep)
        with gr.Column(scale=5, min_width=300, elem_classes="result"):
            panel.result()
    panel.form = form
    add_endpoint(studio, TextToVideoSettings)
    return panel


def _prompt(studio: Studio) -> dict[str, Component]:
    words = TextToVideoSettings.tab
    prompt = fields.prompt_box(words.prompt_label, words.placeholder, autofocus=True)
    examples = studio.engine.examples(studio.default_model)
    if examples:
        rows = [[text] for text in examples]
        gr.Examples(rows, [prompt], label="Or try one of these", elem_id="prompt-examples")
    return {"prompt": prompt}


def _move() -> Component:
    return gr.Radio(MOVE_NAMES, value=DEFAULT.move, label="What moves", elem_classes="what-moves")


def _advanced(studio: Studio, prompt: Component) -> tuple[dict[str, Component], presets.Keeping]:
    with gr.Accordion("Advanced options", open=False, elem_classes="advanced"):
        fields.headed("Length and size")
        form = {**_length(), **fields.size()}
        fields.headed("How it is drawn")
        form |= fields.drawing(DEFAULT, prompt)
        machinery = fields.machinery(studio, DEFAULT)
        fields.headed("How it moves")
        form |= {**_motion(), **machinery, **_no_motion()}
        return form, presets.keep_preset()


def _length() -> dict[str, Component]:
    with gr.Row():
        hint = "How many pictures the video has."
        frames = fields.slider(DEFAULT, "num_frames", "Frames", hint, (1, MOST_FRAMES))
        hint = "How fast they are played."
        fps = fields.slider(DEFAULT, "fps", "Frames per second", hint, (1, LIMITS["fps"][1]))
    return {"num_frames": frames, "fps": fps}


def _motion() -> dict[str, Component]:
    with gr.Row():
        motion_x = number_field(
            "Motion to the right", "Of what moves, pixels a frame; below 0: left. Empty: it stays in view."
        )
        motion_y = number_field("Motion downwards", "Pixels a frame; below 0: up.")
    hint = "Of a figure, along skeletons drawn for it; the motion then moves it alone."
    action = gr.Dropdown(ACTION_CHOICES, value="", label="Action", info=hint)
    moved = {"motion_x": motion_x, "motion_y": motion_y, "action": action}
    return {**moved, **_what_moves(), **_camera(), **_paper()}


def _what_moves() -> dict[str, Component]:
    with gr.Row():
        subject = gr.Textbox(
            label="Subject",
            info="Words of the prompt that say what moves.",
            placeholder="the first ones",
            max_lines=1,
            min_width=120,
        )
        path = gr.Dropdown(
            list(PATHS), value=DEFAULT.motion_path, label="Path", info="The way it takes.", min_width=120
        )
    with gr.Row():
        limits = LIMITS["background_x"]
        hint = "Pixels a frame, where both move."
        x = gr.Number(
            0, label="Background to the right", info=hint, minimum=limits[0], maximum=limits[1], min_width=120
        )
        y = gr.Number(
            0, label="Background downwards", info=hint, minimum=limits[0], maximum=limits[1], min_width=120
        )
    return {"subject": subject, "motion_path": path, "background_x": x, "background_y": y}


def _camera() -> dict[str, Component]:
    with gr.Row():
        hint = "Size of the picture, times this a frame."
        zoom = fields.slider(DEFAULT, "zoom", "Zoom", hint, LIMITS["zoom"], step=0.005)
        hint = "Degrees a frame, clockwise."
        turn = fields.slider(DEFAULT, "turn", "Turn", hint, (-15, 15), step=0.5)
    return {"zoom": zoom, "turn": turn}


def _paper() -> dict[str, Component]:
    method = gr.Dropdown(METHOD_NAMES, value="", label="Method", info="How frames come from the first one.")
    with gr.Row():
        t0 = number_field("T′", "How early (999) or late (0) in the drawing the frames part.")
        t1 = number_field("T", "Not below T′. The further above, the freer each frame.")
    hint = "How the paper's method applies the motion."
    warp = gr.Dropdown(WARPS, value=DEFAULT.warp, label="Warp", info=hint)
    hint = "How much the background keeps to the first frame's, in the paper's method."
    smooth = fields.slider(DEFAULT, "smooth_bg", "Smooth background", hint, LIMITS["smooth_bg"], step=0.1)
    return {"method": method, "t0": t0, "t1": t1, "warp": warp, "smooth_bg": smooth}


def _no_motion() -> dict[str, Component]:
    field = gr.Checkbox(
        DEFAULT.motion_field,
        label="Motion field",
        info="Off, to compare: the frames are not moved on purpose.",
    )
    return {"motion_field": field}

"""The tab "Text to video": a sentence in, a short video out."""

import gradio as gr
from gradio.components import Component

from app_api import add_endpoint
from app_common import STABLE_DIFFUSION, RunPanel, Studio, number_field
from sampling import SCHEDULERS
from tasks.text_to_video import LIMITS, TextToVideoSettings

DEFAULT = TextToVideoSettings(prompt="")
SLIDER_FRAMES = 64  # longer videos are for programs: a slider to the limit could not be aimed
WARPS = [
    ("Smooth: the picture glides", "subcell"),
    ("Whole cells: sharp, in small jumps", "whole-cell"),
    ("As the original program did", "reference"),
]


def build(studio: Studio, page: gr.Blocks) -> None:
    """Lays the tab out and connects it; call inside ``gr.Tab``."""
    panel = RunPanel(studio, TextToVideoSettings)
    with gr.Row(elem_classes="two-columns"):
        with gr.Column(scale=6, min_width=300):
            form = _form(studio)
            panel.buttons()
            form |= _advanced()
        with gr.Column(scale=5, min_width=300, elem_classes="result"):
            panel.result()
    panel.wire(form, page)
    add_endpoint(studio, TextToVideoSettings)


def _form(studio: Studio) -> dict[str, Component]:
    prompt = gr.Textbox(
        label="What should the video show?",
        placeholder="a red car on a street",
        lines=1,  # one line, so that Enter runs
        max_lines=5,
        autofocus=True,
        elem_classes="prompt",
    )
    examples = studio.model.examples(studio.default_model)
    if examples:
        rows = [[text] for text in examples]
        gr.Examples(rows, [prompt], label="Or try one of these", elem_id="prompt-examples")
    with gr.Row():
        choices = [("Miniature (bundled)", "miniature"), ("Stable Diffusion 1.5", STABLE_DIFFUSION)]
        if studio.default_model not in dict(choices).values():
            choices.append((studio.default_model, studio.default_model))
        model = gr.Dropdown(
            choices,
            value=studio.default_model,
            label="Model",
            allow_custom_value=True,
            scale=3,
            min_width=190,
            info="The miniature is quick and knows few words. You may type a Hugging Face id or a folder.",
        )
        seed = number_field("Seed", "Empty: a new video each time.", placeholder="random")
    return {"prompt": prompt, "model": model, "seed": seed}


def _advanced() -> dict[str, Component]:
    with gr.Accordion("Advanced options", open=False, elem_classes="advanced"):
        return _shape() | _drawing() | _motion() | _machinery()


def _slider(field: str, label: str, info: str, low: float, high: float) -> gr.Slider:
    value = getattr(DEFAULT, field)
    return gr.Slider(low, high, value, step=1, label=label, info=info, min_width=210, buttons=[])


def _shape() -> dict[str, Component]:
    with gr.Row():
        frames = _slider("num_frames", "Frames", "How many pictures the video has.", 1, SLIDER_FRAMES)
        fps = _slider("fps", "Frames per second", "How fast they are played.", 1, LIMITS["fps"][1])
    with gr.Row():
        width = number_field("Width", "In pixels, a multiple of 8.")
        height = number_field("Height", "In pixels, a multiple of 8.")
    return {"num_frames": frames, "fps": fps, "width": width, "height": height}


def _drawing() -> dict[str, Component]:
    negative = gr.Textbox(label="Negative prompt", info="What the video should not show.", max_lines=3)
    with gr.Row():
        steps = number_field("Steps", "More take longer and draw finer.")
        guidance = number_field("Guidance", "How strictly the prompt is followed.")
    sampler = gr.Dropdown(
        list(SCHEDULERS), value=DEFAULT.scheduler, label="Sampler", info="How noise is turned into a picture."
    )
    return {
        "negative_prompt": negative,
        "num_inference_steps": steps,
        "guidance_scale": guidance,
        "scheduler": sampler,
    }


def _motion() -> dict[str, Component]:
    with gr.Row():
        motion_x = number_field("Motion to the right", "Pixels a frame; below 0: left.")
        motion_y = number_field("Motion downwards", "Pixels a frame; below 0: up.")
    with gr.Row():
        t0 = number_field("T′", "How early (999) or late (0) in the drawing the frames are moved.")
        t1 = number_field("T", "Not below T′. The further above, the freer each frame.")
    warp = gr.Dropdown(WARPS, value=DEFAULT.warp, label="Warp", info="How the motion is applied.")
    return {"motion_x": motion_x, "motion_y": motion_y, "t0": t0, "t1": t1, "warp": warp}


def _machinery() -> dict[str, Component]:
    hint = "Frames computed at once, 0 for all. Fewer need less memory."
    chunk = _slider("chunk_size", "Chunk size", hint, 0, SLIDER_FRAMES)
    cross = gr.Checkbox(
        DEFAULT.cross_frame_attention,
        label="Frames follow the first frame",
        info="Off, to compare: each frame invents its own subject.",
    )
    field = gr.Checkbox(
        DEFAULT.motion_field,
        label="Motion field",
        info="Off, to compare: the frames are not moved on purpose.",
    )
    return {"chunk_size": chunk, "cross_frame_attention": cross, "motion_field": field}

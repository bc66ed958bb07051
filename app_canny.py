"""The tab "Edges": a clip redrawn along its edges, also in the style of a DreamBooth model."""

import gradio as gr
from gradio.components import Component

import app_clip
from app_clip_fields import ready
from app_common import RunPanel, Studio
from app_fields import models, slider
from choices import DREAMBOOTH
from tasks.canny import CannySettings

STYLES = [
    (f"{model.rsplit('-')[-1].capitalize()} style: write “{keyword}”", model)
    for model, keyword in DREAMBOOTH.items()
]


def build(studio: Studio) -> RunPanel:
    """Lays the tab out; call inside ``gr.Tab``, and ``wire()`` what it returns outside."""
    tab = app_clip.ClipTab(
        CannySettings,
        "What should the video show?",
        "a yellow car on the street at night",
        [*models(), *STYLES],
        _own,
    )
    return app_clip.build(studio, tab)


def _own(default: CannySettings) -> dict[str, Component]:
    limits = default.limits
    with gr.Row():
        hint = "Lower: edges go on further."
        low = slider(default, "low_threshold", "Low threshold", hint, limits["low_threshold"])
        hint = "Lower: more edges."
        high = slider(default, "high_threshold", "High threshold", hint, limits["high_threshold"])
    edges = ready("My clip already shows edges, white on black")
    return {"low_threshold": low, "high_threshold": high, **edges}

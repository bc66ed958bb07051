"""The tab "Instructions": a clip changed as a sentence says."""

from gradio.components import Component

import app_clip
from app_common import RunPanel, Studio
from app_fields import OTHER_MODELS, editors, number_field
from tasks.pix2pix_video import Pix2PixVideoSettings


def build(studio: Studio) -> RunPanel:
    """Lays the tab out; call inside ``gr.Tab``, and ``wire()`` what it returns outside."""
    tab = app_clip.ClipTab(
        Pix2PixVideoSettings,
        "What should be changed?",
        "make it night",
        editors(),
        _own,
        f"The miniature is quick and knows few instructions. {OTHER_MODELS}",
        "Instruction",
    )
    return app_clip.build(studio, tab)


def _own(default: Pix2PixVideoSettings) -> dict[str, Component]:
    hint = "How much of the clip stays: 1 little, 2 a lot."
    return {"image_guidance_scale": number_field("Image guidance", hint)}

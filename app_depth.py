"""The tab "Depth": a clip redrawn in its own space, with what is near and far where it was."""

import app_clip
from app_clip_fields import ready
from app_common import RunPanel, Studio
from app_fields import models
from tasks.depth import DepthSettings


def build(studio: Studio) -> RunPanel:
    """Lays the tab out; call inside ``gr.Tab``, and ``wire()`` what it returns outside."""
    tab = app_clip.ClipTab(
        DepthSettings,
        "What should the video show?",
        "a green car in the desert",
        models(),
        lambda default: ready("My clip already shows depth, near things bright"),
    )
    return app_clip.build(studio, tab)

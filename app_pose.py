"""The tab "Pose": somebody else moves as the people in a clip do."""

import app_clip
from app_clip_fields import ready
from app_common import RunPanel, Studio
from app_fields import models
from tasks.pose import PoseSettings


def build(studio: Studio) -> RunPanel:
    """Lays the tab out; call inside ``gr.Tab``, and ``wire()`` what it returns outside."""
    tab = app_clip.ClipTab(
        PoseSettings,
        "Who should move like that, and where?",
        "a white panda is dancing on the beach",
        models(),
        lambda default: ready("My clip already shows skeletons, as OpenPose draws them"),
    )
    return app_clip.build(studio, tab)

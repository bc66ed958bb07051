"""The pickers of models follow the folder of models: whoever opens the page anew sees what lies there now."""

import gradio as gr

from t2v.page.events import QUIET
from t2v.page.form_fields import model_choices
from t2v.page.run_panel import RunPanel
from t2v.page.studio import Studio


def follow_models_folder(studio: Studio, page: gr.Blocks, panels: list[RunPanel]) -> None:
    """Call inside the page, when all tabs are laid out. What is chosen stays."""
    kinds = [panel.settings_class for panel in panels]
    pickers = [panel.form["model"] for panel in panels]

    def choices() -> list[object]:
        return [gr.update(choices=model_choices(studio, kind)) for kind in kinds]

    page.load(choices, None, pickers, **QUIET)

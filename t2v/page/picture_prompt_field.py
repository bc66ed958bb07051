"""The part of every tab in which a picture is chosen as a prompt; there where an adapter fits the model."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.components import Component

from t2v.page import form_fields
from t2v.page.chosen_picture import ChosenPicture
from t2v.page.model_told import Known
from t2v.tasks import Settings
from t2v.weights.picture_adapters import adapters_for, told_width

FITTING = "One that fits the model"
Choices = list[tuple[str, str]]


class PicturePromptField(ChosenPicture):
    """``place()`` lays it out and gives the form's fields; ``wire()`` connects it with its panel."""

    field = "picture_prompt"
    called = "The picture that is a prompt"
    choose = "Choose a prompt picture"
    leave_out = "Without the prompt picture"
    kind = "prompt-picture"

    def place(self, default: Settings, model: str) -> dict[str, Component]:
        """model: that is chosen at first."""
        names = adapters_for(told_width(model))
        with gr.Accordion(
            "A picture as a prompt", open=False, elem_classes="picture-prompt", visible=bool(names)
        ) as self.group:
            self.place_choice("Picture prompt")
            hint = "How much the picture says beside the prompt; at 1 the prompt is hardly heard."
            field = "picture_prompt_strength"
            strength = form_fields.slider(default, field, "Picture's say", hint, default.limits[field], 0.05)
            self.adapter = gr.Dropdown(
                _choices(names), value="", label="IP-Adapter", info="What makes a prompt of the picture."
            )
        return {"picture_prompt": self.path, field: strength, "ip_adapter": self.adapter}

    def shown_for(self, known: Known) -> Callable[[Any, Any], list[Any]]:
        """What the group and the choice of adapters are for a model and the picture that is chosen.

        A picture that is chosen stays to be seen: a run with it would be refused.
        """

        def show(model: object, path: object) -> list[Any]:
            full = known(model) if isinstance(model, str) else None
            names = () if full is None else adapters_for(told_width(full))
            return [gr.update(visible=bool(names) or bool(path)), gr.update(choices=_choices(names))]

        return show


def _choices(names: tuple[str, ...]) -> Choices:
    return [(FITTING, ""), *((name, name) for name in names)]

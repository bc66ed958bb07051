"""The part of the text tab in which a picture is chosen to begin with; folded up, as few need it."""

from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from t2v.checks import InputError
from t2v.page import form_fields
from t2v.page.ahead import ahead_html
from t2v.page.chosen_picture import ChosenPicture
from t2v.page.in_use import place_in_use, wire_in_use
from t2v.page.model_told import LATEST
from t2v.page.tries import TryingPanel
from t2v.page.visitors import visitor
from t2v.tasks.first_frame import OF_A_PICTURE
from t2v.tasks.text_to_video import LIMITS, TextToVideoSettings
from t2v.weights.index import check_model


class PictureField(ChosenPicture):
    """``place()`` lays it out and gives the form's fields; ``wire()`` connects it with its panel."""

    field = "first_frame"
    called = "The picture that the video starts with"
    choose = "Choose a picture"
    leave_out = "Without this picture"
    kind = "picture"

    def place(self) -> dict[str, Component]:
        default = TextToVideoSettings("")
        with gr.Accordion("Start from a picture", open=False, elem_classes="from-picture"):
            self.place_choice("First frame")
            hint = "1 keeps the picture as it is; lower, the prompt draws it anew in its layout."
            strength = form_fields.slider(default, "strength", "Strength", hint, LIMITS["strength"], 0.05)
            skip = gr.Checkbox(
                False,
                label="Begin after the picture",
                info="The video does not show the picture itself: its first frame is what comes next.",
            )
        return {"first_frame": self.path, "strength": strength, "skip_first_frame": skip}


class PicturePanel(TryingPanel):
    """A run panel whose form may name a picture, and more that is folded up."""

    picture: PictureField

    def buttons(self) -> None:
        super().buttons()
        self.in_use = place_in_use()
        self.plan = gr.HTML("", elem_classes="plan-box", apply_default_css=False)

    def wire(self) -> Dependency:
        restored = super().wire()
        self.picture.wire(self)
        taken_out = wire_in_use(self.settings_class.task, self.in_use, self.form)
        self.kept_after(taken_out)
        self.told.then(self._ahead, [*self.form.values()], [self.plan], **LATEST)
        return restored

    def _ahead(self, *values: Any) -> str:
        """How long a run of the form takes; nothing while it is none, as Run says what is wrong."""
        try:
            settings = self.settings(self.typed(list(self.form), values))
            settings.check()
            check_model(settings.model)
            ended = [one for one in self.studio.jobs.runs(visitor(self.studio)) if one.finished]
            return ahead_html(settings, ended)
        except InputError:
            return ""

    def chosen_again(self, restored: Dependency) -> Dependency:
        return self.picture.again(self, super().chosen_again(restored))

    def settings(self, values: dict[str, Any]) -> Any:
        if not values.get("first_frame"):  # then what the form says of one means nothing
            values = {name: value for name, value in values.items() if name not in OF_A_PICTURE}
        return super().settings(values)

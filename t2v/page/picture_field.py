"""The part of the text tab in which a picture is chosen to begin with; folded up, as few need it."""

import base64
import html
import io
from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency
from PIL import Image

from t2v.checks import InputError
from t2v.jobs.job import JobView
from t2v.page import form_fields
from t2v.page.ahead import ahead_html
from t2v.page.events import QUIET, RAW
from t2v.page.in_use import place_in_use, wire_in_use
from t2v.page.model_told import LATEST
from t2v.page.notes import WITHOUT_ERROR
from t2v.page.run_panel import RunPanel
from t2v.page.tries import TryingPanel
from t2v.page.uploads import allowed_picture, renewed, with_kept_source
from t2v.page.visitors import visitor
from t2v.tasks.first_frame import OF_A_PICTURE
from t2v.tasks.text_to_video import LIMITS, TextToVideoSettings
from t2v.video.picture import read_picture
from t2v.weights.index import check_model

SMALL_PX = 320  # the longer side of what is shown of a picture
NOTHING = ""


class PictureField:
    """``place()`` lays it out and gives the form's fields; ``wire()`` connects it with its panel."""

    def place(self) -> dict[str, Component]:
        default = TextToVideoSettings("")
        with gr.Accordion("Start from a picture", open=False, elem_classes="from-picture"):
            with gr.Row(elem_classes="choose-row"):
                # any kind of file: whoever reads another refuses it in a sentence
                self.upload = gr.UploadButton(
                    "Choose a picture", size="sm", elem_classes="upload", scale=0, min_width=150
                )
                self.leave_out = gr.Button(
                    "Without this picture", size="sm", scale=0, min_width=150, visible=False
                )
            self.shown = gr.HTML(NOTHING, elem_classes="picture-box", apply_default_css=False)
            self.path = gr.Textbox(visible=False, label="First frame")
            hint = "1 keeps the picture as it is; lower, the prompt draws it anew in its layout."
            strength = form_fields.slider(default, "strength", "Strength", hint, LIMITS["strength"], 0.05)
            skip = gr.Checkbox(
                False,
                label="Begin after the picture",
                info="The video does not show the picture itself: its first frame is what comes next.",
            )
        return {"first_frame": self.path, "strength": strength, "skip_first_frame": skip}

    def wire(self, panel: "PicturePanel") -> None:
        """A choice is shown at once, and kept by the window as the form is."""
        outputs = [self.path, self.shown, self.leave_out, panel.note]
        chosen = self.upload.upload(self._chosen(panel), [self.upload], outputs, **RAW)
        # pressed by the page's script, from where it tells what is in use
        drop = gr.Button(visible="hidden", elem_id=f"drop-picture-{panel.settings_class.task}")
        left = gr.on([self.leave_out.click, drop.click], _none, None, outputs[:3], **QUIET)
        left.then(None, [panel.note], [panel.note], js=WITHOUT_ERROR, **QUIET)
        for event in (chosen, left):  # a hidden field tells of no change itself
            panel.kept_after(event)

    def again(self, panel: RunPanel, restored: Dependency) -> Dependency:
        """The event after which a page whose form is filled in again shows the picture, too."""

        def show(path: str) -> tuple[Any, ...]:
            return self._again(renewed(panel.studio, visitor(panel.studio), path) if path else path)

        outputs = [self.path, self.shown, self.leave_out]
        return restored.then(show, [self.path], outputs, **QUIET)

    def _chosen(self, panel: RunPanel) -> Any:
        def show(given: Any) -> tuple[Any, ...]:
            path = given.get("path") if isinstance(given, Mapping) else None
            try:
                return *_shown(allowed_picture(path)), NOTHING
            except InputError as error:
                return gr.skip(), gr.skip(), gr.skip(), panel.error(str(error))

        return show

    def _again(self, path: str) -> tuple[Any, ...]:
        try:
            return _shown(allowed_picture(path)) if path else _none()
        except InputError:  # it is gone, and a run would be refused
            return _none()


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

    def kept_after(self, changed: Dependency) -> None:
        """After what fills in fields that are folded up: of those the page hears no change itself."""
        changed.then(None, list(self.form.values()), None, js=self.keep, **QUIET).then(
            None, None, None, js=self.tell_soon, **QUIET
        )

    def chosen_again(self, restored: Dependency) -> Dependency:
        return self.picture.again(self, restored)

    def with_clip(self, view: JobView) -> Any:
        return with_kept_source(view)

    def settings(self, values: dict[str, Any]) -> Any:
        if not values.get("first_frame"):  # then what the form says of one means nothing
            values = {name: value for name, value in values.items() if name not in OF_A_PICTURE}
        return super().settings(with_picture(values))


def with_picture(values: dict[str, Any]) -> dict[str, Any]:
    """A form's or a program's values, with the path of a picture that may be used; InputError for others."""
    if values.get("first_frame") in (None, NOTHING):
        return values
    return {**values, "first_frame": allowed_picture(values["first_frame"])}


def _none() -> tuple[Any, ...]:
    return NOTHING, NOTHING, gr.update(visible=False)


def _shown(path: str) -> tuple[Any, ...]:
    """The path, a small copy of the picture as HTML, and that it can be left out; InputError for none."""
    picture = Image.fromarray(read_picture(path))
    size = f"{picture.width}\u00d7{picture.height}"
    picture.thumbnail((SMALL_PX, SMALL_PX))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=85)
    source = base64.b64encode(data.getvalue()).decode("ascii")
    label = html.escape(f"The picture that the video starts with, {size}")
    shown = f'<img class="first-picture" alt="{label}" src="data:image/jpeg;base64,{source}">'
    return path, shown, gr.update(visible=True)

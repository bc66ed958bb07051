"""A place where a picture is chosen: uploaded, seen small, left out again, kept as the form is."""

import base64
import html
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import gradio as gr
from gradio.events import Dependency
from PIL import Image

from t2v.checks import InputError
from t2v.page.events import QUIET, RAW
from t2v.page.notes import WITHOUT_ERROR
from t2v.page.uploads import allowed_picture, renewed
from t2v.page.visitors import visitor
from t2v.video.picture import read_picture

if TYPE_CHECKING:
    from t2v.page.run_panel import RunPanel

SMALL_PX = 320  # the longer side of what is shown of a picture
NOTHING = ""


class ChosenPicture:
    """``place_choice()`` lays it out, ``path`` is the form's field; ``wire()`` connects it with its panel.

    field: of the settings. called: what the picture is to the video, for who cannot see it. choose,
    leave_out: what stands on the buttons. kind: the class of what is shown, and in the ids of what the page's
    script presses.
    """

    field: ClassVar[str]
    called: ClassVar[str]
    choose: ClassVar[str]
    leave_out: ClassVar[str]
    kind: ClassVar[str]

    def place_choice(self, label: str) -> None:
        """label: of the hidden field, for programs that read the form."""
        with gr.Row(elem_classes="choose-row"):
            # any kind of file: whoever reads another refuses it in a sentence
            self.upload = gr.UploadButton(
                self.choose, size="sm", elem_classes="upload", scale=0, min_width=150
            )
            self.left = gr.Button(self.leave_out, size="sm", scale=0, min_width=150, visible=False)
        self.shown = gr.HTML(NOTHING, elem_classes="picture-box", apply_default_css=False)
        self.path = gr.Textbox(visible=False, label=label)

    def wire(self, panel: "RunPanel") -> None:
        """A choice is shown at once, and kept by the window as the form is."""
        outputs = [self.path, self.shown, self.left, panel.note]
        chosen = self.upload.upload(self._chosen(panel), [self.upload], outputs, **RAW)
        # pressed by the page's script, from where it tells what is in use
        drop = gr.Button(visible="hidden", elem_id=f"drop-{self.kind}-{panel.settings_class.task}")
        left = gr.on([self.left.click, drop.click], _none, None, outputs[:3], **QUIET)
        left.then(None, [panel.note], [panel.note], js=WITHOUT_ERROR, **QUIET)
        for event in (chosen, left):  # a hidden field tells of no change itself
            panel.kept_after(event)

    def again(self, panel: "RunPanel", restored: Dependency) -> Dependency:
        """The event after which a page whose form is filled in again shows the picture, too."""

        def show(path: str) -> tuple[Any, ...]:
            return self._again(renewed(panel.studio, visitor(panel.studio), path) if path else path)

        return restored.then(show, [self.path], [self.path, self.shown, self.left], **QUIET)

    def _chosen(self, panel: "RunPanel") -> Any:
        def show(given: Any) -> tuple[Any, ...]:
            path = given.get("path") if isinstance(given, Mapping) else None
            try:
                return *self._small(allowed_picture(path, self.field)), NOTHING
            except InputError as error:
                return gr.skip(), gr.skip(), gr.skip(), panel.error(str(error))

        return show

    def _again(self, path: str) -> tuple[Any, ...]:
        try:
            return self._small(allowed_picture(path, self.field)) if path else _none()
        except InputError:  # it is gone, and a run would be refused
            return _none()

    def _small(self, path: str) -> tuple[Any, ...]:
        """The path, a small copy as HTML, and that it can be left out; InputError where it is no picture."""
        picture = Image.fromarray(read_picture(path, self.field))
        size = f"{picture.width}\u00d7{picture.height}"
        picture.thumbnail((SMALL_PX, SMALL_PX))
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=85)
        source = base64.b64encode(data.getvalue()).decode("ascii")
        label = html.escape(f"{self.called}, {size}")
        shown = f'<img class="{self.kind}-shown" alt="{label}" src="data:image/jpeg;base64,{source}">'
        return path, shown, gr.update(visible=True)


def _none() -> tuple[Any, ...]:
    return NOTHING, NOTHING, gr.update(visible=False)

"""A video's settings back into the page: a file chosen or dropped anywhere opens its tab, filled in.

What a file says is as good as what somebody typed: it is checked so, fills a form, and nothing that it names
(a model, a clip) is looked for or opened by reading it, but for weights in the folder of models and where the
program was started, which are compared with those that it was made with.
"""

import html
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from t2v.checks import InputError
from t2v.page.clip.part import use_in_html
from t2v.page.events import QUIET
from t2v.page.notes import note_html
from t2v.page.run_panel import RunPanel
from t2v.page.studio import Studio
from t2v.page.uploads import allowed_clip, examples
from t2v.page.visitors import check_offered
from t2v.tasks import NoSettings, Settings, settings_of
from t2v.tasks.clip import ClipSettings
from t2v.tasks.first_frame import without_picture
from t2v.tasks.picture_prompt import without_picture_prompt
from t2v.tasks.recorded import with_those_here
from t2v.video.formats import PNG, ZIP

logger = logging.getLogger(__name__)

LABEL = "Open a video's settings"
OWN_FAULT = "The program itself failed in reading this file ({kind}); the details are in its log."
READING = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "preprocess": False,
    "concurrency_limit": 2,
}
# As after a reload: what the form is to show is kept by the window, and restored. A clip of that name that is
# chosen already stays.
FILL = """(told) => {
    const show = () => document.querySelector('.open-note .note')?.scrollIntoView({ block: 'nearest' });
    setTimeout(show, 100);
    if (!told) return '';
    const { task, tab, clip, named, values } = JSON.parse(told);
    if (clip !== null) {
        const chosen = sessionStorage.getItem(`clip-of-${task}`) || '';
        values[0] = clip || (chosen.split(/[\\\\/]/).pop() === named ? chosen : '');
        sessionStorage.setItem(`clip-of-${task}`, values[0]);
        sessionStorage.setItem(`wants-of-${task}`, values[0] ? '' : named || '');
    }
    sessionStorage.setItem(`form-of-${task}`, JSON.stringify(values));
    const tabs = [...document.querySelectorAll('button[role=tab], .overflow-dropdown button')];
    const own = tabs.find((one) => one.textContent.trim() === tab);
    if (own) own.click();
    document.getElementById(`restore-${task}`).click();
    return '';
}"""


class OpenFile:
    """The button for the keyboard and for phones, to which the page's script gives what is dropped."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._panels: Mapping[str, RunPanel] = {}

    def place(self) -> None:
        with gr.Row(elem_classes="open-row"):
            # Any kind of file: the page's script offers ours alone, and another is refused with a sentence.
            self.button = gr.UploadButton(LABEL, size="sm", elem_classes="open-file", scale=0, min_width=190)
        self.note = gr.HTML("", elem_classes=["notes", "open-note"], apply_default_css=False)
        self.opened = gr.Textbox(visible=False)

    def wire(self, panels: Sequence[RunPanel]) -> None:
        """Connects it with the tabs that are on the page."""
        self._panels = {panel.settings_class.task: panel for panel in panels}
        read = self.button.upload(self._read, [self.button], [self.note, self.opened], **READING)
        read.then(None, [self.opened], [self.opened], js=FILL, queue=False, show_progress="hidden")
        hush = gr.Button(visible="hidden", elem_id="open-note-hush")  # pressed by the page's script
        hush.click(None, None, [self.note], js="() => ''", **QUIET)

    def _read(self, given: Any) -> tuple[str, str]:
        """The note, and what the browser is to fill in, as JSON; empty for nothing."""
        try:
            path = Path(allowed_clip(given))
            settings = settings_of(path)
            filled = self._filled(path, settings)
        except NoSettings as error:
            return self._no_settings(path, str(error)), ""
        except InputError as error:
            return note_html("error", str(error)), ""
        except Exception as error:
            logger.exception("A file's settings could not be read.")
            return note_html("error", OWN_FAULT.format(kind=type(error).__name__)), ""
        return note_html("hint", _told(path, filled)), json.dumps(filled)

    def _no_settings(self, path: Path, sentence: str) -> str:
        """The note on somebody's own file, with the tabs that follow a clip where it is one."""
        tabs = {
            task: panel.settings_class.tab.name
            for task, panel in self._panels.items()
            if issubclass(panel.settings_class, ClipSettings)
        }
        if not tabs or path.suffix.lower() in (PNG, ZIP):
            return note_html("error", sentence)
        told = f"{path.name} was not made by this program, so it has no settings to open."
        told += " It can be redrawn as a clip of yours."
        place = html.escape(str(path), quote=True)
        return note_html("hint", told, f'<div class="ways" data-own-clip="{place}">{use_in_html(tabs)}</div>')

    def _filled(self, path: Path, settings: Settings) -> dict[str, Any]:
        """What to open and fill in. clip: of a task that follows one, its path or "" where it is not here."""
        panel = self._panels.get(settings.task)
        if panel is None:
            raise InputError(f"{path.name} was made by {settings.tab.name}, which is not on this page.")
        settings, unlike = with_those_here(settings)
        settings, prompt = without_picture_prompt(settings)  # of pictures only the names are known here
        clip = named = picture = None
        if isinstance(settings, ClipSettings):
            named = Path(settings.clip).name
            clip = next((one.clip for one in examples(settings.task) if Path(one.clip).name == named), "")
            replace(settings, clip=str(path)).check()  # of the clip itself nothing is known here
            settings = replace(settings, clip=clip)
        else:
            settings, picture = without_picture(settings)
            settings.check()
        settings = check_offered(self._studio, settings)
        shown = panel.values_again(settings)
        values = [as_shown(value, panel.form[name]) for name, value in shown.items()]
        about = {"task": settings.task, "tab": settings.tab.name, "clip": clip, "named": named}
        return {**about, "unlike": unlike, "picture": picture, "prompt": prompt, "values": values}


def as_shown(value: Any, field: Any) -> Any:
    """A value as the browser holds it: texts in the fields that are typed into."""
    if not isinstance(field, gr.Textbox):
        return value
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)


def _told(path: Path, filled: Mapping[str, Any]) -> str:
    again = f"The settings of {path.name} are in the form below; Run draws the video again."
    again = " ".join((again, *filled["unlike"]))
    if filled["prompt"] is not None:
        again += f" The picture {Path(filled['prompt']).name} was a prompt: choose that there again."
    if filled["picture"] is not None:
        return f"{again} It starts from the picture {Path(filled['picture']).name}: choose that there again."
    if filled["clip"] != "":
        return again
    return f"{again} It follows {filled['named']}: choose that clip, unless it is there already."

"""Choosing the clip of a tab: an upload or an example, which the page remembers over a reload."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from t2v.jobs.job import JobView
from t2v.page.clip import clip_fields
from t2v.page.clip.elsewhere import Elsewhere
from t2v.page.clip.part import PART, PartRow
from t2v.page.events import QUIET, RAW
from t2v.page.notes import WITHOUT_ERROR
from t2v.page.uploads import examples
from t2v.tasks.clip import ClipSettings

OF_A_CLIP = ("control_ready", *PART)  # belong to one clip: another starts without them


class Choice:
    """``place()`` lays upload and examples out, ``wire()`` connects them; ``clip`` holds the chosen path.

    ``form``: the tab's fields by the settings' names, of which a choice fills in some; set before ``wire``.
    What it filled in people may write over, and a reload brings back what they wrote.
    view, kept: those of the tab's RunPanel. renew: what gives a path for one of an earlier program.
    part: what says which part of a new clip is taken.
    """

    def __init__(
        self,
        settings_class: type[ClipSettings],
        view: Callable[[str], JobView | None],
        kept: Callable[[JobView | None], JobView | None],
        renew: Callable[[str], str],
        part: PartRow,
    ):
        self.form: Mapping[str, Component] = {}
        self._fresh = settings_class(clip="", prompt="")
        self._view, self._kept, self._renew, self._part = view, kept, renew, part
        self._elsewhere = Elsewhere(settings_class)
        self._examples = examples(settings_class.task)
        self._key = f"clip-of-{settings_class.task}"  # in the browser's session storage

    def place(self) -> None:
        with gr.Row(elem_classes="choose-row"):
            # Any kind of file: the page's script offers clips alone, and whoever reads another refuses it.
            self.upload = gr.UploadButton("Upload a clip", elem_classes="upload", scale=0, min_width=150)
            if self._examples:
                self.picks = gr.Dataset(
                    components=[gr.Textbox(render=False)],
                    samples=[[example.title] for example in self._examples],
                    type="index",
                    label="Or try one of these",
                    elem_classes="clip-examples",
                )
        self.clip = gr.Textbox(visible=False, label="Clip")

    def wire(self, note: Component, keep: str) -> list[Dependency]:
        """The events after which there is another clip; the page remembers it, and the note's error goes.

        keep: what the browser runs on the form's values to keep them for a reload.
        """
        outputs = self._filled()
        chosen = [self.upload.upload(self._uploaded, [self.upload], outputs, **RAW)]
        if self._examples:
            chosen.append(self.picks.click(self._picked, [self.picks], outputs, **RAW))
        chosen.append(self._elsewhere.wire(self.form))
        for event in chosen:
            self.remember(event)
            # a hidden field and a box that is ticked for somebody tell of no change themselves
            event.then(None, list(self.form.values()), None, js=keep, **QUIET)
            event.then(None, [note], [note], js=WITHOUT_ERROR, **QUIET)
        return chosen

    def wire_again(self, restored: Dependency, job_id: Component) -> Dependency:
        """The event after which a reloaded page, its form being restored, has the clip chosen last."""
        recall = f"(id) => [id, sessionStorage.getItem('{self._key}') || '']"
        inputs, outputs = [job_id, gr.Textbox(visible=False)], [job_id, self.clip]
        again = restored.then(self._choose_again, inputs, outputs, js=recall, **QUIET)
        self.remember(again)  # it may lie elsewhere now
        return again

    def remember(self, event: Dependency) -> None:
        """After the event the window knows the clip that is chosen then."""
        keep = f"(clip) => {{ sessionStorage.setItem('{self._key}', clip || ''); }}"
        event.then(None, [self.clip], None, js=keep, **QUIET)

    def name(self, clip: str) -> str:
        """What a clip is called on the page."""
        return next((one.title for one in self._examples if one.clip == clip), Path(clip).name)

    def _filled(self) -> list[Component]:
        """What a choice of a clip fills in."""
        return [self.clip, *(self.form[name] for name in self._of_a_clip({})), self.form["prompt"]]

    def _uploaded(self, given: Any) -> list[Any]:
        """Of Gradio's description of the file only the path is kept; whoever uses it checks it first."""
        path = given.get("path") if isinstance(given, Mapping) else None
        part = dict(zip(PART, self._part.begin(path), strict=True)) if isinstance(path, str) else {}
        return [path, *self._of_a_clip(part).values(), gr.skip()]

    def _picked(self, index: object) -> list[Any]:
        if not isinstance(index, int) or not 0 <= index < len(self._examples):  # sent by no page
            return [gr.skip()] * len(self._filled())
        example = self._examples[index]
        return [example.clip, *self._of_a_clip(example.settings).values(), example.prompt]

    def _choose_again(self, job_id: str, clip: str) -> list[Any]:
        """After a reload: the clip that was chosen last, unless the run shown was made from it.

        Of an earlier run that failed nothing is told any more; what was made before it stays.
        """
        view = self._view(job_id)
        if not clip or (view is not None and view.settings.clip == clip):
            return [gr.skip(), gr.skip()]
        is_of_run = view is not None and view.asked_from == clip  # of an earlier program
        clip = self._renew(clip)
        if view is None or view.error is None or is_of_run:
            return [gr.skip(), clip]
        kept = self._kept(view)
        return ["" if kept is None or kept is view else kept.id, clip]

    def _of_a_clip(self, given: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: clip_fields.value(self._fresh, name) for name in OF_A_CLIP if name in self.form}
        return {name: given.get(name, value) for name, value in values.items()}

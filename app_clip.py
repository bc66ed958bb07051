"""What the tabs that follow a clip share: choosing one, seeing at once what the model will see, running."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

import app_clip_fields as clip_fields
import app_fields
from app_api import add_endpoint
from app_common import RAW, RunPanel, Studio
from app_panes import Panes
from app_preview import FRAMES_BY, PICTURES_BY, seen_by
from app_uploads import allowed_clip, examples
from app_view import Stage
from checks import InputError
from jobs import JobView
from tasks.clip import ClipSettings

# One of a kind at a time in a page, where the newest change replaces those that wait; two on the server.
PREVIEW = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "preprocess": False,
    "trigger_mode": "always_last",
    "concurrency_limit": 2,
}
OF_A_CLIP = ("control_ready", "start_s", "end_s")  # belong to one clip: another starts without them
OF_CONTROLS = (*PICTURES_BY, *clip_fields.ALSO)  # change nothing in the clip's own pane


@dataclass(frozen=True)
class ClipTab:
    """What makes a tab its task's.

    models: (name on the page, what settings call it). own: builds the fields below the panes that only this
    task has, from the settings' defaults.
    """

    settings_class: type[ClipSettings]
    prompt_label: str
    placeholder: str
    models: Sequence[tuple[str, str]]
    own: Callable[[Any], dict[str, Component]]
    model_info: str = app_fields.MODEL_INFO


def build(studio: Studio, tab: ClipTab) -> RunPanel:
    """Lays a tab out; call inside ``gr.Tab``, and ``wire()`` what it returns outside."""
    panel = ClipPanel(studio, tab.settings_class)
    default = tab.settings_class(clip="", prompt="")
    squares = "three-squares" if panel.panes.controlled else "two-squares"
    with gr.Column(elem_classes=["clip-tab", squares]):
        panel.choose()
        with gr.Row(elem_classes="two-columns"):
            with gr.Column(min_width=300):
                panel.panes.place()
                form = {"prompt": app_fields.prompt_box(tab.prompt_label, tab.placeholder)}
                panel.buttons()
                form |= tab.own(default) | app_fields.model_and_seed(studio, tab.models, tab.model_info)
                form |= clip_fields.advanced(default)
            with gr.Column(min_width=300, elem_classes="result"):
                panel.result()
    panel.form = {"clip": panel.clip, **form}
    add_endpoint(studio, tab.settings_class)
    return panel


class ClipPanel(RunPanel):
    """A run panel with a clip: ``choose()`` places upload and examples, ``panes`` shows them."""

    def __init__(self, studio: Studio, settings_class: type[ClipSettings]):
        super().__init__(studio, settings_class)
        self.panes = Panes(studio.previews, settings_class)
        self.examples = examples(settings_class.task)

    def choose(self) -> None:
        with gr.Row(elem_classes="choose-row"):
            self.upload = gr.UploadButton(
                "Upload a clip", file_types=["video", ".gif"], elem_classes="upload", scale=0, min_width=150
            )
            if self.examples:
                self.picks = gr.Dataset(
                    components=[gr.Textbox(render=False)],
                    samples=[[example.title] for example in self.examples],
                    type="index",
                    label="Or try one of these",
                    elem_classes="clip-examples",
                )
        self.clip = gr.Textbox(visible=False, label="Clip")

    def wire(self) -> Dependency:
        restored = super().wire()
        self.watched = [name for name in self.form if name in ("clip", *FRAMES_BY, *OF_CONTROLS)]
        panes = self.panes.components
        inputs = [self.job_id, *panes, *(self.form[name] for name in self.watched)]
        task = self.settings_class.task
        clip = {"inputs": inputs, "outputs": panes, "concurrency_id": f"clip-{task}", **PREVIEW}
        other_frames = _changes(self.form[name] for name in self.watched if name not in OF_CONTROLS)
        shown = [choice.then(self._show_clip, **clip) for choice in self._wire_choices()]
        shown.append(gr.on(other_frames, self._show_clip, **clip))
        shown.append(restored.then(self._show_clip, **clip))
        if self.panes.controlled:
            controls = {"inputs": inputs, "outputs": panes[1], "concurrency_id": f"see-{task}", **PREVIEW}
            for event in shown:
                event.then(self._show_controls, **controls)
            other_controls = _changes(self.form[name] for name in self.watched if name in OF_CONTROLS)
            gr.on(other_controls, self._show_controls, **controls)
        return restored

    def _wire_choices(self) -> list[Dependency]:
        """The events after which there is another clip."""
        outputs = [self.clip, *(self.form[name] for name in self._of_a_clip({}))]
        chosen = [self.upload.upload(self._uploaded, [self.upload], outputs, **RAW)]
        if self.examples:
            outputs = [*outputs, self.form["prompt"]]
            chosen.append(self.picks.click(self._picked, [self.picks], outputs, **RAW))
        return chosen

    def followers(self) -> list[Component]:
        return [*super().followers(), *self.panes.components]

    def shown(self, stage: Stage, view: JobView | None) -> tuple:
        """As of every run, and what this one saw."""
        panes = (gr.skip() if html is None else html for html in self.panes.of_run(view))
        return (*super().shown(stage, view), *panes)

    def settings(self, told: dict[str, Any]) -> ClipSettings:
        told = {**told, "clip": allowed_clip(told["clip"])}
        return super().settings(clip_fields.with_also(told) if self.panes.controlled else told)

    def values(self, settings: ClipSettings) -> dict[str, Any]:
        return {name: clip_fields.value(settings, name) for name in self.form}

    def _uploaded(self, told: Any) -> list[Any]:
        """Of Gradio's description of the file only the path is kept; whoever uses it checks it first."""
        path = told.get("path") if isinstance(told, Mapping) else None
        return [path, *self._of_a_clip({}).values()]

    def _picked(self, index: int) -> list[Any]:
        example = self.examples[index]
        return [example.clip, *self._of_a_clip(example.settings).values(), example.prompt]

    def _of_a_clip(self, told: Mapping[str, Any]) -> dict[str, Any]:
        fresh = self.settings_class(clip="", prompt="")
        values = {name: clip_fields.value(fresh, name) for name in OF_A_CLIP if name in self.form}
        return {name: told.get(name, value) for name, value in values.items()}

    # The panes' handlers. They are told what the panes show: what has not changed is not sent again, as the
    # videos would start over.

    def _show_clip(self, job_id: str, *shown_and_values: Any) -> Any:
        shown, told = self._split(shown_and_values)
        try:
            panes = self._clip(job_id, told)
        except InputError as error:
            panes = self.panes.refused(self.in_labels(str(error)))
        return _one_or_all([gr.skip() for _ in panes] if panes[0] == shown[0] else panes)

    def _clip(self, job_id: str, told: dict[str, Any]) -> list[str]:
        if not told["clip"]:
            return self.panes.empty()
        settings = self._seen_settings(told)
        is_known = self._of_run(job_id, settings)[0] is not None
        made = self.panes.empty() if is_known else self.panes.clip(settings)
        return [own or other for own, other in zip(self._of_run(job_id, settings), made, strict=True)]

    def _show_controls(self, job_id: str, *shown_and_values: Any) -> Any:
        shown, told = self._split(shown_and_values)
        try:
            settings = self._seen_settings(told)
            self.panes.clip(settings)
        except InputError:  # stands in the clip's own pane already
            return self.panes.empty()[1]
        try:
            controls = self._of_run(job_id, settings)[1] or self.panes.controls(settings)
            controls = self._of_run(job_id, settings)[1] or controls
        except InputError as error:
            controls = self.panes.refused_controls(self.in_labels(str(error)))
        return gr.skip() if controls == shown[1] else controls

    def _of_run(self, job_id: str, settings: ClipSettings) -> list[str | None]:
        """What the window's run saw itself, if of the same frames; it may begin while a preview is made."""
        view = self.view(job_id)
        is_same = view is not None and seen_by(view.settings) == seen_by(settings)
        return self.panes.of_run(view if is_same else None)

    def _split(self, shown_and_values: Sequence[Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        count = len(self.panes.components)
        return shown_and_values[:count], self.told(self.watched, shown_and_values[count:])

    def _seen_settings(self, told: dict[str, Any]) -> ClipSettings:
        return self.settings({**told, "prompt": ""})


def _one_or_all(outputs: list[Any]) -> Any:
    return outputs[0] if len(outputs) == 1 else outputs


def _changes(components: Any) -> list[Any]:
    """When a person has changed one of the fields: while a slider moves, but not while a number is typed."""
    events = []
    for one in components:
        events += [one.blur, one.submit] if isinstance(one, gr.Textbox) else [one.input]
    return events

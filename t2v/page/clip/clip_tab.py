"""What the tabs that follow a clip share: choosing one, seeing at once what the model will see, running."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from functools import partial, wraps
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from t2v.checks import InputError
from t2v.jobs.job import JobView
from t2v.page import form_fields
from t2v.page.clip import clip_fields
from t2v.page.clip.choice import Choice
from t2v.page.clip.network_pickers import NetworkPickers
from t2v.page.clip.panes import Panes
from t2v.page.clip.part import PartRow
from t2v.page.clip.plan import Plans
from t2v.page.clip.seen import SeenPanel
from t2v.page.endpoints import add_endpoint
from t2v.page.events import QUIET
from t2v.page.glance_frames import FRAMES_BY
from t2v.page.notes import CLIP, WITHOUT_ERROR, is_by
from t2v.page.run_panel import RunPanel
from t2v.page.stage_markup import Stage
from t2v.page.studio import Studio
from t2v.page.turns import Turns
from t2v.page.uploads import allowed_clip, renewed
from t2v.page.visitors import visitor
from t2v.tasks import TASKS
from t2v.tasks.clip import ClipSettings

logger = logging.getLogger(__name__)

# One of a kind at a time in a page, where the newest change replaces those that wait; on the server they take
# turns of our own.
PREVIEW = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "preprocess": False,
    "trigger_mode": "always_last",
    "concurrency_limit": None,
}
STEPS = "num_inference_steps"
PACE_BY = (STEPS, "upscale", "steady")  # beside what decides the frames


def build(studio: Studio, kind: type[ClipSettings], tasks: Collection[str] = ()) -> RunPanel:
    """Lays the tab of a task out; call inside ``gr.Tab``, and ``wire()`` what it returns outside.

    tasks: whose tabs are on the page.
    """
    panel, words = ClipPanel(studio, kind, tasks), kind.tab
    panel.spoken = {"prompt": words.prompt_name, "clip": "Clip"}
    default = kind(clip="", prompt="")
    squares = "three-squares" if panel.panes.controlled else "two-squares"
    with gr.Column(elem_classes=["clip-tab", squares]):
        panel.choice.place()
        with gr.Row(elem_classes="two-columns"):
            with gr.Column(min_width=300):
                panel.panes.place()
                panel.part.place()
                form = {"prompt": form_fields.prompt_box(words.prompt_label, words.placeholder)}
                panel.buttons()
                form |= clip_fields.own(default) | form_fields.model_and_seed(studio, kind)
                form |= panel.networks.place()
                form |= panel.prompt_picture.place(default, studio.default_model)
                form |= clip_fields.advanced(studio, default, form["prompt"], panel.networks)
            with gr.Column(min_width=300, elem_classes="result"):
                panel.result()
    panel.form = panel.choice.form = {"clip": panel.choice.clip, **form}
    add_endpoint(studio, kind)
    return panel


class ClipPanel(SeenPanel):
    """A run panel with a clip: ``choice`` places upload and examples, ``panes`` shows what was chosen."""

    def __init__(
        self, studio: Studio, settings_class: type[ClipSettings], tasks: Collection[str] = ()
    ) -> None:
        super().__init__(studio, settings_class)
        self.others = {
            task: kind.tab.name
            for task, kind in TASKS.items()
            if task in tasks and issubclass(kind, ClipSettings) and kind is not settings_class
        }
        self.panes = Panes(studio.glances, settings_class)
        self.networks = NetworkPickers(studio, settings_class)
        self.part = PartRow(studio.glances, settings_class, self.others)
        self.plans = Plans(studio, self.part)
        self.choice = Choice(settings_class, self.view, self.kept, self._renewed, self.part)

    def buttons(self) -> None:
        super().buttons()
        self.plan = gr.HTML("", elem_classes="plan-box", apply_default_css=False)

    def wire(self) -> Dependency:
        restored = super().wire()
        self.networks.follow(self.form["model"])
        of_controls = {*self.settings_class.own, *clip_fields.also_fields()}  # nothing in the clip's own pane
        by = {"clip", *FRAMES_BY, *of_controls, *PACE_BY}
        self.watched = [name for name in self.form if name in by]
        panes = self.panes.components
        inputs = [self.job_id, self.note, *panes, *(self.form[name] for name in self.watched)]
        other_frames = [self.form[name] for name in self.watched if name not in of_controls]
        clip = {"inputs": inputs, "outputs": [self.note, self.plan, *panes]}
        # what a failed run saw is gone when it ends
        parted = self.part.wire(self.form, self._of_clip)
        other_clip = [*self.choice.wire(self.note, self.keep), restored, self.filled]
        self.choice.remember(self.filled)
        for event in parted:
            event.then(None, list(self.form.values()), None, js=self.keep, **QUIET)
        before = [*other_clip, *parted, *self.followed]
        show_clip = self._in_turn(self.studio.glances.looking, self._show_clip)
        shown = [event.then(show_clip, **clip, **PREVIEW) for event in before]
        shown.append(gr.on(_changes(other_frames), show_clip, **clip, **PREVIEW))
        strip = {"inputs": [self.form["clip"], self.part.strip], "outputs": [self.part.strip]}
        for event in shown[: len(other_clip)]:
            event.then(self._show_strip, **strip, **PREVIEW)
        plan = {"inputs": inputs, "outputs": [self.note, self.plan, self.part.choice]}
        for event in shown:
            event.then(self._show_plan, **plan, **PREVIEW)
        again = gr.Button(visible="hidden", elem_id=f"plan-{self.settings_class.task}")
        again.click(self._show_plan, **plan, **PREVIEW)  # the page's script asks once more
        if self.panes.controlled:
            show_controls = self._in_turn(self.studio.glances.detecting, self._show_controls)
            seen = {"inputs": inputs, "outputs": [self.note, panes[1]]}
            other_controls = _changes(self.form[name] for name in self.watched if name in of_controls)
            gr.on(other_controls, show_controls, **seen, **PREVIEW)
            fetch = gr.Button(visible="hidden", elem_id=f"fetch-{self.settings_class.task}")
            fetched = fetch.click(self._fetch, inputs[2:], [self.note], **PREVIEW)
            fetched.success(show_controls, **seen, **PREVIEW)
            for event in shown:
                event.then(show_controls, **seen, **PREVIEW)
        typed = [one.change for one in other_frames if isinstance(one, gr.Textbox)]
        gr.on(typed, None, [self.note], [self.note], js=WITHOUT_ERROR, **QUIET)
        return restored

    def chosen_again(self, restored: Dependency) -> Dependency:
        return super().chosen_again(self.choice.wire_again(restored, self.job_id))

    def followers(self) -> list[Component]:
        return [*super().followers(), *self.panes.components]

    def shown(self, stage: Stage, view: JobView | None) -> tuple[Any, ...]:
        """As of every run, and what this one saw."""
        panes = (gr.skip() if html is None else html for html in self.panes.of_run(view))
        return (*super().shown(stage, view), *panes)

    def settings(self, values: dict[str, Any]) -> ClipSettings:
        values = {**values, "clip": allowed_clip(values["clip"])}
        settings: ClipSettings = super().settings(
            clip_fields.with_also(values) if self.panes.controlled else values
        )
        return settings

    def values(self, settings: ClipSettings) -> dict[str, Any]:
        return {name: clip_fields.value(settings, name) for name in self.form}

    def _renewed(self, clip: str) -> str:
        return renewed(self.studio, visitor(self.studio), clip)

    def about(self, view: JobView | None) -> str:
        return "" if view is None else self.choice.name(view.settings.clip)

    # The panes' handlers. They are told what the panes show: what has not changed is not sent again, as the
    # videos would start over.

    def _in_turn(self, turns: Turns, show: Callable[..., list[Any]]) -> Callable[..., Awaitable[list[Any]]]:
        """The handler, waiting for its turn first."""

        @wraps(show)
        async def shown(*inputs: Any) -> list[Any]:
            return await turns.take(partial(self._is_large, inputs[2:]), show, *inputs)

        return shown

    def _is_large(self, shown_and_values: Sequence[Any]) -> bool:
        try:
            return self.studio.glances.is_large(self._seen_settings(self._split(shown_and_values)[1]))
        except Exception:  # whoever looks at it tells it
            return False

    def _show_clip(self, job_id: str, note: str, *shown_and_values: Any) -> list[Any]:
        shown, values = self._split(shown_and_values)
        try:
            panes, said = self._clip(job_id, values), "" if is_by(note, CLIP) else gr.skip()
        except Exception as error:
            why = self.in_words(str(error)) if isinstance(error, InputError) else None
            panes, said = self.panes.refused(why), self._unshown(error, CLIP)
        is_same = panes[0] == shown[0]
        return [said, *([gr.skip()] * (1 + len(panes)) if is_same else ["", *panes])]

    def _clip(self, job_id: str, values: dict[str, Any]) -> list[str]:
        if not values["clip"]:
            return self.panes.empty()
        settings = self._seen_settings(values)
        is_known = self._of_run(job_id, settings)[0] is not None
        made = self.panes.empty() if is_known else self.panes.clip(settings)
        return [own or other for own, other in zip(self._of_run(job_id, settings), made, strict=True)]

    async def _show_plan(self, job_id: str, _: str, *shown_and_values: Any) -> AsyncIterator[list[Any]]:
        """How many frames the run will draw, how long that takes, and which parts there are."""
        values, is_large = self._split(shown_and_values)[1], partial(self._is_large, shown_and_values)
        try:
            settings = self._seen_settings(values)
            first = await self.studio.glances.looking.take(is_large, self.studio.glances.clip, settings)
        except Exception:  # _show_clip tells it
            yield [gr.skip(), "", self.part.none()]
            return
        try:
            async for told in self.plans.told(settings, first, is_large):
                yield [gr.skip(), *told]
        except Exception as error:
            yield [self._unshown(error, CLIP), "", self.part.none()]

    def _show_strip(self, clip: str, shown: str) -> Any:
        return self.part.show(clip, shown)

    def _of_clip(self, clip: str) -> ClipSettings:
        """Settings of the whole clip, to look at it; InputError for a file that may not be used."""
        return self.settings({"clip": clip, "prompt": "a glance"})


def _changes(components: Any) -> list[Any]:
    """When a person has changed one of the fields: while a slider moves, but not while a number is typed."""
    events = []
    for one in components:
        events += [one.blur, one.submit] if isinstance(one, gr.Textbox) else [one.input]
    return events

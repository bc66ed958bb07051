"""What every tab shares: the run panel (submit, follow, stop, result) and the endpoint for programs.

Handlers only submit, follow and stop; the work happens in ``t2v.jobs``. Which run a page shows is kept in
the browser's session storage: it outlives a reload, and two windows do not share it.
"""

import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from t2v.checks import InputError
from t2v.engine.check_weights import check_weights
from t2v.jobs.job import JobView
from t2v.library.owner import is_theirs
from t2v.page import markup, model_told, notes
from t2v.page.events import QUIET, RAW
from t2v.page.following import HEARTBEAT_S as HEARTBEAT_S
from t2v.page.following import Following
from t2v.page.form_fields import model_choices
from t2v.page.notes import note_html, prompt_notes_html
from t2v.page.picture_prompt_field import PicturePromptField
from t2v.page.queue_told import added_html
from t2v.page.run_scripts import (
    CHANGED,
    KEEP_SHOWN,
    RECALL,
    SHOW_STAGE,
    SHOWN_AGAIN,
    SOON,
    TAKE_SETTINGS_OF,
    TAKE_SHOWN,
    TYPED_AGAIN,
)  # fmt: skip
from t2v.page.save_as import SaveAs
from t2v.page.studio import Studio
from t2v.page.uploads import with_kept_source
from t2v.page.visitors import source, visitor
from t2v.tasks import Settings
from t2v.tasks.tries import Tries
from t2v.weights.index import check_model

logger = logging.getLogger(__name__)

TYPING_MS = 700  # after the last letter
NOT_IN_LIST = "This run is not in your list any more."
EDITED = (
    "This run was taken out of the queue. Change it here and press Run or Add to queue; it goes to its end."
)
DOUBLE_S = 1.5  # the same run asked for twice within so long is a double click


class RunPanel(Following):
    """Run and Stop, the stage, progress, seed and download of one tab.

    ``buttons()`` and ``result()`` place it; ``wire()`` connects it all.
    """

    def __init__(self, studio: Studio, settings_class: type[Settings]) -> None:
        super().__init__(studio, settings_class)
        self.prompt_picture = PicturePromptField()

    def buttons(self) -> None:
        with gr.Row(elem_classes="run-row"):
            self.run = gr.Button("Run", variant="primary", elem_classes="run", scale=3, min_width=140)
            self.stop = gr.Button("Stop", interactive=False, elem_classes="stop", scale=1, min_width=90)
        self.note = gr.HTML("", elem_classes="notes", apply_default_css=False)

    def result(self) -> None:
        self.stage = gr.HTML(markup.Stage().html(None), elem_classes="stage-box", apply_default_css=False)
        self.status = gr.HTML(markup.status_html(None), elem_classes="status-box", apply_default_css=False)
        self.caption = gr.HTML("", elem_classes="caption-box", apply_default_css=False)
        with gr.Row(elem_classes="facts-row"):
            self.facts = gr.HTML("", elem_classes="facts-box", min_width=200, apply_default_css=False)
            self.reuse = gr.Button(
                "Use this seed", size="sm", visible=False, elem_classes="reuse", scale=0, min_width=130
            )
        self.job_id = gr.Textbox(visible=False)
        self.save_as = SaveAs(self.studio.copies, self._video)
        self.save_as.place()

    def wire(self) -> Dependency:
        """Connects form and panel, outside of all tabs; prompt's Enter runs, like the button.

        Returns the event after which a page that was reloaded has its form.
        """
        form = self.form
        self.find_groups()
        self.name_fields()
        self._follow_it = follow = {
            "fn": self._follow,
            "inputs": [self.job_id, self.note],
            "outputs": [self.note, *self.followers()],
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": None,
        }
        key = f"run-of-{self.settings_class.task}"
        self._remember_it = f"(id) => {{ sessionStorage.setItem('{key}', id || ''); }}"
        recall = RECALL.format(task=self.settings_class.task)
        known = [self.job_id, self.note]

        self.followed: list[Dependency] = []
        self.started: list[Dependency] = []
        offers = partial(model_choices, self.studio, self.settings_class)
        is_offered = model_told.offered(offers, self.studio.is_open)
        model_told.follow_defaults(self.settings_class, form, is_offered)
        submit = [self.run.click, form["prompt"].submit]
        self.starts(submit, self._start, [self.job_id, *form.values()], **RAW)
        # Gradio's .input of a text is for keys that write: it misses what is pasted, deleted or an example's
        changed = [one.change if isinstance(one, gr.Textbox) else one.input for one in form.values()]
        tell = gr.Button(visible="hidden", elem_id=f"tell-{self.settings_class.task}")
        # the last one counts: a slow server would leave the note of what was typed before
        told: dict[str, Any] = {**RAW, "trigger_mode": "always_last"}
        self.told = tell.click(self._told, [self.note, *form.values()], [self.note], **told)
        self.tell_soon = asked = SOON.format(id=tell.elem_id, after_ms=TYPING_MS)
        form["model"].change(None, None, None, js=asked, **QUIET)
        noted = CHANGED.format(keep=self.keep, ask=asked, note=notes.WITHOUT_RUNS_ERROR)
        gr.on(changed, None, [self.note, *form.values()], [self.note], js=noted, **QUIET)
        self.stop.click(self._stop, [self.job_id], None, **QUIET)
        self.reuse.click(self._seed, [self.job_id], [form["seed"]], **QUIET)
        self.save_as.wire(self.job_id)
        # the page's script presses it if this window has shown a run: others need not ask
        restore = gr.Button(visible="hidden", elem_id=f"restore-{self.settings_class.task}")
        restored = restore.click(self._reattach, [self.job_id], [*known, *form.values()], js=recall, **QUIET)
        # what was typed since then, or never run; also where the server has forgotten all
        again = TYPED_AGAIN.format(task=self.settings_class.task, names=json.dumps(list(form)))
        restored = restored.then(None, list(form.values()), list(form.values()), js=again, **QUIET)
        restored = self.chosen_again(restored)
        self.followed.append(restored.then(**follow))
        self.followed[-1].then(None, None, None, js=asked, **QUIET)  # of the form, which may have gone on
        self._keep_shown(self._shown_again(self.followed[-1]))
        restored.then(None, list(form.values()), None, js=self.keep, **QUIET)
        fill = gr.Button(visible="hidden", elem_id=f"fill-{self.settings_class.task}")
        self.filled = fill.click(
            self._fill, [self.job_id], [self.note, *form.values()], js=TAKE_SETTINGS_OF, **QUIET
        )
        self.filled.then(None, list(form.values()), None, js=self.keep, **QUIET)
        self._wire_show(known)
        self._wire_prompt_picture(is_offered)
        return restored

    def _wire_prompt_picture(self, is_offered: Callable[[str], bool]) -> None:
        """It is there for models that an adapter is at hand for; a run of the list brings its own."""
        place = self.prompt_picture
        place.wire(self)
        place.again(self, self.filled)
        asked = [self.form["model"], place.path]
        show = place.shown_for(is_offered)
        shown = [place.group, place.adapter]
        self.form["model"].change(show, asked, shown, **model_told.LATEST)
        self.filled.then(show, asked, shown, **QUIET)

    def _wire_show(self, known: list[Any]) -> None:
        """Another run of the list is shown; the form stays as it is."""
        show = gr.Button(visible="hidden", elem_id=f"show-{self.settings_class.task}")
        showing = show.click(self._show, known, known, js=TAKE_SHOWN, **QUIET)
        showing.then(None, [self.job_id], None, js=self._remember_it, **QUIET)
        # of two the later one is followed, also while the earlier one is still drawn
        self.followed.append(showing.then(**self._follow_it, trigger_mode="multiple"))
        self._keep_shown(self.followed[-1])

    def starts(self, triggers: list[Any], begin: Callable[..., Any], inputs: list[Any], **how: Any) -> None:
        """Let events start a run, by what gives its id and a note, and follow it."""
        started = gr.on(triggers, begin, inputs, [self.job_id, self.note], **how)
        self.started.append(started)
        started.then(None, [self.job_id], None, js=self._remember_it, **QUIET)
        started.then(None, None, None, js=SHOW_STAGE, **QUIET)
        self.followed.append(started.then(**self._follow_it))
        self._keep_shown(self.followed[-1])

    def _keep_shown(self, followed: Dependency) -> None:
        """The window keeps the result that is shown once a run was followed to its end."""
        keep = KEEP_SHOWN.format(task=self.settings_class.task)
        followed.then(None, [self.job_id, *self.followers()[:4]], None, js=keep, **QUIET)

    def _shown_again(self, followed: Dependency) -> Dependency:
        """A server that was started anew knows no such run: the window shows what it kept of it."""
        shown, again = self.followers()[:4], SHOWN_AGAIN.format(task=self.settings_class.task)
        outputs = [self.note, *shown]
        return followed.then(None, [self.job_id, *outputs], outputs, js=again, **QUIET)

    def chosen_again(self, restored: Dependency) -> Dependency:
        """The event after which a reloaded page also has what was chosen since the run that it shows."""
        shown = self.prompt_picture.again(self, restored)  # beside all else, which need not wait for it
        shown.then(None, list(self.form.values()), None, js=self.keep, **QUIET)
        return restored

    def kept_after(self, changed: Dependency) -> None:
        """After what fills in fields that are folded up: of those the page hears no change itself."""
        changed.then(None, list(self.form.values()), None, js=self.keep, **QUIET).then(
            None, None, None, js=self.tell_soon, **QUIET
        )

    def as_tried(self, before: JobView | None, settings: Any) -> Any:
        """The settings to run after what the page shows."""
        return settings

    def _start(self, job_id: str, *values: Any) -> tuple[Any, str]:
        return self.start(job_id, values)

    def start(
        self, job_id: str, values: Sequence[Any], tried: Callable[[Any], Tries] | None = None
    ) -> tuple[Any, str]:
        """Queue a run of the form, or what is tried of it; the id of the run to follow, and the note.

        job_id: of the run that the page shows.
        """
        try:
            settings = self.settings(self.typed(list(self.form), values))
            under_way, who = self.view(job_id), visitor(self.studio)
            alike = [one for one in self.studio.jobs.runs(who) if (one.tries is None) == (tried is None)]
            if any(self._is_double(one, settings) for one in alike):
                return gr.skip(), note_html("hint", "This run is in the queue.", by=notes.BUSY)
            settings.check()
            check_weights(settings)  # at once, and not when it is the run's turn
            tries = None if tried is None else tried(settings)
            settings = settings if tries is not None else self.as_tried(under_way, settings)
            new = self.studio.jobs.submit(settings, who, source(self.studio), tries)
        except InputError as error:
            return gr.skip(), self.error(str(error))
        if under_way is not None and not under_way.finished:  # which the page goes on showing
            added = added_html(self.studio.jobs.follow(new), self.studio.jobs.runs(who))
            return gr.skip(), added + prompt_notes_html(self.studio.engine, settings)
        self._remember(new, under_way)
        return new, prompt_notes_html(self.studio.engine, settings)

    def _told(self, note: str, *values: Any) -> Any:
        """The note while somebody types: what there is to tell of the prompt for the model that is chosen.

        Nothing is sent where that stays as it is: another note may have come in the meantime.
        """
        if note and not notes.is_by(note, notes.PROMPT):
            return gr.skip()
        try:
            settings = self.settings(self.typed(list(self.form), values))
            settings.check()
            check_model(settings.model)
            told = prompt_notes_html(self.studio.engine, settings)
        except InputError:  # nothing is asked for yet, and Run says what is wrong
            told = ""
        return gr.skip() if told == (note or "") else told

    def _is_double(self, view: JobView, settings: Settings) -> bool:
        """Whether a run under way is the one that is being asked for, by a double click."""
        return not view.finished and view.asked_s < DOUBLE_S and view.settings == settings

    def _stop(self, job_id: str) -> None:
        try:
            self.studio.jobs.stop(job_id)
        except InputError as error:
            logger.info("Nothing to stop: %s", error)  # the page's follower tells the user

    def _video(self, job_id: str) -> Path | None:
        view = self.kept(self.view(job_id))
        return None if view is None else view.output

    def _seed(self, job_id: str) -> Any:
        view = self.kept(self.view(job_id))
        return gr.skip() if view is None or view.resolved is None else view.resolved.seed

    def _fill(self, asked: str) -> list[Any]:
        """The form as it was for a run of the list; "edit 0123…" also takes that out of the queue."""
        what, _, job_id = str(asked).partition(" ")
        try:
            view = self.studio.jobs.follow(job_id)
            if not is_theirs(view.visitor, visitor(self.studio)):
                raise InputError(NOT_IN_LIST)
            values = self.values(self.with_clip(view))
            if what == "edit":
                self.studio.jobs.remove(job_id)
        except InputError as error:
            return [note_html("hint", str(error)), *(gr.skip() for _ in self.form)]
        return [note_html("hint", EDITED) if what == "edit" else "", *values.values()]

    def _show(self, job_id: str, note: str) -> tuple[Any, Any]:
        """The run to be shown, and the note: an error of the form stays."""
        view = self.view(job_id)
        if view is None or not is_theirs(view.visitor, visitor(self.studio)):
            return gr.skip(), note_html("hint", NOT_IN_LIST)
        self._made_before.pop(job_id, None)  # whoever asks for this one is not shown another in its place
        return job_id, gr.skip() if notes.is_error(note) else ""

    def with_clip(self, view: JobView) -> Any:
        """The settings of a run, for a form; what it was made from is a new upload where the old one went."""
        return with_kept_source(view)

    def _reattach(self, job_id: str) -> tuple[Any, ...]:
        """After a reload: the run this window was showing, and the form as it was when it was started."""
        untouched = [gr.skip()] * len(self.form)
        if not job_id:
            return ("", "", *untouched)
        try:
            view = self.studio.jobs.follow(job_id)
        except InputError as error:
            return ("", note_html("hint", str(error)), *untouched)
        note = prompt_notes_html(self.studio.engine, view.settings)
        return (job_id, note, *self.values(self.with_clip(view)).values())

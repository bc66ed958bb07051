"""What a tab's buttons do: a run of its form is begun, stopped, shown again, or filled in.

Handlers only submit, follow and stop; the work happens in ``t2v.jobs``.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from t2v.checks import InputError
from t2v.engine.check_weights import check_weights
from t2v.jobs.job import JobView
from t2v.library.owner import is_theirs
from t2v.library.results import unlike_by_now
from t2v.page import notes
from t2v.page.following import Following
from t2v.page.notes import note_html
from t2v.page.queue_told import added_html
from t2v.page.uploads import with_kept_source
from t2v.page.visitors import source, visitor
from t2v.tasks import Settings
from t2v.tasks.tries import Tries
from t2v.weights.index import check_model

logger = logging.getLogger(__name__)

NOT_IN_LIST = "This run is not in your list any more."
EDITED = (
    "This run was taken out of the queue. Change it here and press Run or Add to queue; it goes to its end."
)
DOUBLE_S = 1.5  # the same run asked for twice within so long is a double click


class Running(Following):
    """The handlers of one tab: each takes what Gradio gives it, and gives what Gradio is to show."""

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
            return gr.skip(), added + self.prompt_notes(settings)
        self._remember(new, under_way)
        return new, self.prompt_notes(settings)

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
            told = self.prompt_notes(settings)
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
            values, unlike = self.values(self.with_clip(view)), self._unlike(view)
            if what == "edit":
                self.studio.jobs.remove(job_id)
        except InputError as error:
            return [note_html("hint", str(error)), *(gr.skip() for _ in self.form)]
        told = [EDITED] if what == "edit" else unlike
        return ["".join(note_html("hint", one) for one in told), *values.values()]

    def _unlike(self, view: JobView) -> Sequence[str]:
        """What is to be told of weights that were replaced since a run made its video."""
        if view.output is None or view.resolved is None:
            return ()
        return unlike_by_now(view.output, view.resolved.filled())

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
        note = self.prompt_notes(view.settings)
        return (job_id, note, *self.values(self.with_clip(view)).values())

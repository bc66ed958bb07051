"""Following a run: what a tab shows of one while it is drawn, and after it has ended."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.context import LocalContext

from t2v.checks import InputError
from t2v.jobs.job import JobView
from t2v.jobs.latest import Latest
from t2v.jobs.queue import Jobs
from t2v.page import notes, status_markup
from t2v.page.run_form import RunForm
from t2v.page.stage_markup import Stage
from t2v.page.studio import Studio
from t2v.tasks import Settings

KEPT_RUNS = 1000  # of which it is known what their windows showed before
# A streaming handler notices a closed page or a stop only when it yields; and each time that it does, the
# page has work to do, often on the processor that draws the video.
HEARTBEAT_S = 0.4
LOOK_S = 0.03  # how often a run is looked at for whether it has ended: then it is shown at once


async def heartbeat(jobs: Jobs, job_id: str) -> None:
    """Waits for the next one, or until the run has ended."""
    ends_s = time.monotonic() + HEARTBEAT_S
    while not jobs.has_ended(job_id) and (left_s := ends_s - time.monotonic()) > 0:
        await asyncio.sleep(min(LOOK_S, left_s))


def run_label(is_busy: bool) -> str:
    """What stands on the Run button. is_busy: whether a run of this visitor waits or is drawn."""
    return "Add to queue" if is_busy else "Run"


class Following(RunForm):
    """The stage, what stands below it and on the buttons, of a tab that its panel lays out."""

    stage: gr.HTML
    status: gr.HTML
    caption: gr.HTML
    facts: gr.HTML
    run: gr.Button
    stop: gr.Button
    reuse: gr.Button

    def __init__(self, studio: Studio, settings_class: type[Settings]) -> None:
        super().__init__(studio, settings_class)
        self._followed_in: Latest[str, object] = Latest(KEPT_RUNS)  # window -> a mark of what it follows
        self._made_before: Latest[str, str] = Latest(
            KEPT_RUNS
        )  # run -> the last one of its window that made a video

    def followers(self) -> list[Component]:
        """What a run changes while it is followed; ``shown`` gives a value for each."""
        return [self.stage, self.status, self.caption, self.facts, self.run, self.stop, self.reuse]

    def shown(self, stage: Stage, view: JobView | None) -> tuple[Any, ...]:
        """The followers' values for a run as it stands, None where there is none.

        A run that fails or is stopped takes nothing away: the last video that was made here is shown again.
        """
        kept = self.kept(view)
        seed_known = kept is not None and kept.resolved is not None and kept.error is None
        busy = view is not None and not view.finished
        may_stop = view is not None and busy and not view.stopping
        return (
            stage.html(kept),
            status_markup.status_html(kept, None if view is None or kept is view else view.state),
            status_markup.caption_html(kept, self.about(kept)),
            status_markup.facts_html(kept),
            gr.update(value=run_label(busy or self._has_others(view))),
            gr.update(interactive=may_stop),
            gr.update(visible=seed_known),
        )

    def _has_others(self, view: JobView | None) -> bool:
        """Whether a run of the same visitor waits or is drawn."""
        mine = [] if view is None else self.studio.jobs.runs(view.visitor)
        return any(not one.finished for one in mine)

    def kept(self, view: JobView | None) -> JobView | None:
        """The run that the page shows: this one, or where it made no video the last one that did."""
        if view is None or not view.finished or view.state == "done":
            return view
        earlier = self.view(self._made_before.get(view.id, ""))
        return view if earlier is None else earlier

    def view(self, job_id: str) -> JobView | None:
        """How a run stands; None where nothing was run here yet or the server was restarted."""
        try:
            return self.studio.jobs.follow(job_id)
        except InputError:
            return None  # the page starts afresh

    def about(self, view: JobView | None) -> str:
        """What the run shown was made from, beside its prompt; empty for nothing."""
        return ""

    def _remember(self, job_id: str, before: JobView | None) -> None:
        made = None
        if before is not None:
            made = before.id if before.state == "done" else self._made_before.get(before.id)
        if made is not None:
            self._made_before[job_id] = made

    async def _follow(self, job_id: str, note: str) -> AsyncIterator[tuple[Any, ...]]:
        stage, view = Stage(), self.view(job_id)
        shown: tuple[Any, ...] | None = None
        if notes.is_by(note, notes.BUSY):  # followed already
            yield (gr.skip(),) * (1 + len(self.followers()))
            return
        is_refused = notes.is_by(note, notes.RUN)  # then the run shown is an earlier one
        if is_refused and (view is None or view.finished):  # and nothing has become of it since
            yield (gr.skip(),) * (1 + len(self.followers()))
            return
        is_latest = self._begin_to_follow()
        while is_latest():
            view = self.view(job_id)
            error = None if view is None or is_refused else view.error
            said: Any = self._came_up(view, note) if error is None else self.error(error)
            now = (said, *self.shown(stage, view))
            # what has not changed is not sent again: the video would start over, the page would flicker
            yield (
                now
                if shown is None
                else tuple(gr.skip() if new == old else new for new, old in zip(now, shown, strict=True))
            )
            shown = now
            if view is None or view.finished:
                return
            await heartbeat(self.studio.jobs, job_id)
        # Gradio sends the last values once more at the end, which would lie over those of the run shown now
        yield (gr.skip(),) * (1 + len(self.followers()))

    def _begin_to_follow(self) -> Callable[[], bool]:
        """What tells whether this window has not begun to follow another run in this tab since."""
        request = LocalContext.request.get(None)
        window = str(getattr(request, "session_hash", None))
        this = self._followed_in[window] = object()
        return lambda: self._followed_in.get(window) is this

    def _came_up(self, view: JobView | None, note: str) -> Any:
        """The note below Run when a video is made: what came up while it was drawn, beside what was known."""
        if view is None or view.state != "done" or notes.is_error(note):
            return gr.skip()
        known = self.prompt_notes(view.settings)
        return known if known != note else gr.skip()

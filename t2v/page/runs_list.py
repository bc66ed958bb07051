"""The list of one's runs below the tabs: for every tab, the same in all windows, there after a restart.

The page's script (static/runs.js) asks for it now and then and after what was done; what has not changed is
not sent. A press of a button in it comes as one text: what is to be done, and with which run.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from t2v.checks import InputError
from t2v.engine.check_weights import check_weights
from t2v.jobs.job import JobView
from t2v.page.events import QUIET
from t2v.page.following import run_label
from t2v.page.notes import in_labels
from t2v.page.run_panel import RunPanel
from t2v.page.runs_markup import is_busy, runs_html, version_of
from t2v.page.studio import Studio
from t2v.page.uploads import with_kept_source
from t2v.page.visitors import check_offered, source, visitor

logger = logging.getLogger(__name__)

ENDED = ("done", "failed", "stopped")


class RunsList:
    """``place`` it below the tabs, ``wire`` it when all tabs are."""

    def __init__(self, studio: Studio, panels: Sequence[RunPanel]) -> None:
        self._studio, self._panels = studio, panels
        self._tasks = [panel.settings_class.task for panel in panels]

    def place(self) -> None:
        self._box = gr.HTML("", elem_classes="runs-box", elem_id="runs", apply_default_css=False)
        self._version = gr.Textbox(visible=False)

    def wire(self) -> None:
        outputs = [self._box, self._version, *(panel.run for panel in self._panels)]
        asked = gr.Textbox(visible=False)
        refresh = gr.Button(visible="hidden", elem_id="runs-refresh")
        refresh.click(self._shown, [self._version], outputs, **QUIET)
        act = gr.Button(visible="hidden", elem_id="runs-act")
        take = "(version) => [version, window.runsAct || '']"
        act.click(self._act, [self._version, asked], outputs, js=take, trigger_mode="multiple", **QUIET)
        for panel in self._panels:
            for started in panel.started:
                started.then(None, None, None, js=NOW, **QUIET)

    def _shown(self, version: str, told: str = "") -> list[Any]:
        """The list, its version and what stands on the Run buttons, as far as they are not there yet."""
        views = [self._in_words(view) for view in self._studio.jobs.runs(visitor(self._studio))]
        markup, busy = runs_html(views, self._tasks, told), is_busy(views)
        now = version_of(markup, busy)
        if now == version:
            return [gr.skip()] * (2 + len(self._panels))
        is_same = now.split()[0] == (version or "").partition(" ")[0]
        label = gr.skip() if is_same else gr.update(value=run_label(busy))
        return [markup, now, *(label for _ in self._panels)]

    def _in_words(self, view: JobView) -> JobView:
        """A run whose error is told in the words of its task's form, where that is on this page."""
        if view.error is None:
            return view
        panels = (one for one in self._panels if one.settings_class.task == view.settings.task)
        labels = next((one.labels for one in panels), {})
        return replace(view, error=in_labels(view.error, labels))

    def _act(self, version: str, asked: str) -> list[Any]:
        """Does what was asked for with one of the visitor's own runs: "stop 0123…"."""
        what, _, job_id = str(asked).partition(" ")
        try:
            if what == "clear":
                self._clear()
            elif what in self._acts():
                self._check_own(job_id)
                self._acts()[what](job_id)
        except InputError as error:
            logger.info("Nothing was done with a run: %s", error)
            return self._shown(version, in_labels(str(error), {}))
        return self._shown(version)

    def _acts(self) -> dict[str, Callable[[str], None]]:
        jobs = self._studio.jobs
        return {
            "stop": jobs.stop,
            "remove": jobs.remove,
            "again": self._again,
            "up": lambda job_id: jobs.move(job_id, -1),
            "down": lambda job_id: jobs.move(job_id, 1),
        }

    def _again(self, job_id: str) -> None:
        """An interrupted run waits once more; one that was stopped is asked for anew, with its seed."""
        jobs, view = self._studio.jobs, self._studio.jobs.follow(job_id)
        if view.state != "stopped":
            jobs.again(job_id)
            return
        settings = with_kept_source(view)
        if view.tries is None and view.resolved is not None:
            settings = replace(settings, seed=view.resolved.seed)
        settings = check_offered(self._studio, settings)
        settings.check()
        check_weights(settings)
        jobs.submit(settings, visitor(self._studio), source(self._studio), view.tries)

    def _check_own(self, job_id: str) -> None:
        """InputError for a run of somebody else, as for one that is not known: nothing is told of it."""
        if job_id not in {view.id for view in self._studio.jobs.runs(visitor(self._studio))}:
            raise InputError("This run is not in your list any more.")

    def _clear(self) -> None:
        for view in self._studio.jobs.runs(visitor(self._studio)):
            if view.state in ENDED:
                self._studio.jobs.remove(view.id)


NOW = "() => { document.dispatchEvent(new Event('runs-changed')); }"

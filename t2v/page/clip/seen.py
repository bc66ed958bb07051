"""A panel with a clip, and what of that is seen: control pictures, nothing in them, weights that lack."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import gradio as gr

from t2v.checks import InputError
from t2v.page.clip.fetches import (
    TRIED,
    failed_html,
    lacking_html,
    nothing_found_html,
    progress_html,
    weights_of,
)
from t2v.page.clip.panes import Panes
from t2v.page.following import HEARTBEAT_S
from t2v.page.glance_frames import seen_by
from t2v.page.glances import Lacking
from t2v.page.notes import RUN, SEEN, is_by
from t2v.page.run_panel import RunPanel
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import ControlledSettings

logger = logging.getLogger(__name__)

OWN_FAULT = "The program itself failed in looking at this clip ({kind}); the details are in its log."


class SeenPanel(RunPanel):
    """A run panel with panes. others: tabs of the other tasks with clips, by task. watched: fields of the
    form whose values the panes' handlers are told, behind what the panes show."""

    panes: Panes
    others: dict[str, str]
    watched: list[str]

    def _show_controls(self, job_id: str, note: str, *shown_and_values: Any) -> list[Any]:
        shown, values = self._split(shown_and_values)
        try:
            settings = self._seen_settings(values)
            self.panes.clip(settings)
        except Exception:  # _show_clip tells it
            return [gr.skip(), self.panes.empty()[1]]
        assert isinstance(settings, ControlledSettings)  # only their tabs have this pane
        try:
            controls = self._of_run(job_id, settings)[1]
            told = "" if controls else self._seen_note(settings)
            controls = controls or self.panes.controls(settings)
            controls = self._of_run(job_id, settings)[1] or controls
            said = told or ("" if is_by(note, SEEN) else gr.skip())
        except Lacking as lacking:
            controls = self.panes.refused_controls()
            said = gr.skip() if TRIED in (note or "") else self._lacking(lacking, SEEN)
        except Exception as error:
            controls, said = self.panes.refused_controls(), self._unshown(error, SEEN)
        return [said, gr.skip() if controls == shown[1] else controls]

    def _lacking(self, lacking: Lacking, by: str) -> str:
        assert issubclass(self.settings_class, ControlledSettings)
        return lacking_html(lacking, self.settings_class, self.others, by)

    def _seen_note(self, settings: ControlledSettings) -> str:
        """What there is to say where the detector found nothing; "" for nothing."""
        own = self.studio.glances.controls(settings)[settings.task]
        return nothing_found_html(type(settings), self.others, SEEN) if own.is_blank else ""

    def start(self, job_id: str, values: Sequence[Any], tried: Any = None) -> tuple[Any, str]:
        """As of every panel; where a detector's weights are missing that is told at once."""
        try:
            settings = self._seen_settings(self.typed(list(self.form), values))
            if isinstance(settings, ControlledSettings):
                self.studio.glances.check_detectors(settings)
        except Lacking as lacking:
            return gr.skip(), self._lacking(lacking, RUN)
        except Exception as error:  # the run tells it
            logger.debug("A clip's detectors were not checked: %s", error)
        return super().start(job_id, values, tried)

    async def _fetch(self, *shown_and_values: Any) -> AsyncIterator[str]:
        """Fetch the detectors' weights that the form's clip lacks, and tell how far that is."""
        settings = self._seen_settings(self._split(shown_and_values)[1])
        assert isinstance(settings, ControlledSettings)
        fetches, weights = self.studio.fetches, weights_of([part.task for part in settings.parts()])
        fetches.start(weights)
        while not (state := fetches.state(weights)).is_over:
            yield progress_html(state, SEEN)
            await asyncio.sleep(HEARTBEAT_S)
        yield "" if state.error is None else failed_html(state, SEEN)

    def _unshown(self, error: Exception, by: str) -> str:
        """The note for a glance that could not be made; what nobody thought of is in the log."""
        if isinstance(error, InputError):
            return self.error(str(error), by)
        logger.error("A glance at a clip failed.", exc_info=error)
        return self.error(OWN_FAULT.format(kind=type(error).__name__), by)

    def _of_run(self, job_id: str, settings: ClipSettings) -> list[str | None]:
        """What the window's run saw itself, if of the same frames; it may begin while a preview is made."""
        view = self.kept(self.view(job_id))
        is_same = view is not None and seen_by(view.settings) == seen_by(settings)
        return self.panes.of_run(view if is_same else None)

    def _split(self, shown_and_values: Sequence[Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        count = len(self.panes.components)
        return shown_and_values[:count], self.typed(self.watched, shown_and_values[count:])

    def _seen_settings(self, values: dict[str, Any]) -> ClipSettings:
        return self.settings({**values, "prompt": ""})

"""What a run from a clip will come to, told before it begins: how many frames, and how long they take."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import gradio as gr

from t2v.page.clip import markup
from t2v.page.clip.part import PartRow, rounded
from t2v.page.glances import Lacking, Shown
from t2v.page.studio import Studio
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import ControlledSettings

COUNTED_PIXELS = 600_000_000  # of a whole clip that is decoded to count it, when only a part of it is taken


class Plans:
    """The line below Run and the parts that are offered, for a form as it stands."""

    def __init__(self, studio: Studio, part: PartRow) -> None:
        self._studio, self._part = studio, part

    async def told(
        self, settings: ClipSettings, first: Shown, is_large: Callable[[], bool]
    ) -> AsyncIterator[tuple[str, Any]]:
        """The line as HTML and the choice's update; a long clip is counted for it, and told again then.

        first: the glance at what is taken. InputError where the clip cannot be read.
        """
        glances = self._studio.glances
        size, count = (first.width, first.height), first.num_frames
        if first.is_partial:
            yield markup.plan_html(count, counting=True), gr.skip()
            count = await glances.counting.take(is_large, glances.count, settings)
        whole = await self._whole(settings, is_large)
        costs = self._studio.jobs.clip_costs
        is_new = not costs.is_known(settings, size) and self._has_detectors(settings)
        is_timed = is_new and self._studio.jobs.measure_cost(settings, size)
        seconds = partial(self._seconds, settings, size)
        offers = self._part.offers(settings, seconds, whole)
        takes = seconds(count)
        told = None if takes is None else rounded(takes)
        yield markup.plan_html(count, told, is_timed=is_timed), offers

    def _has_detectors(self, settings: ClipSettings) -> bool:
        """Whether a run would find its detectors' weights here: timing one must not fetch them."""
        try:
            if isinstance(settings, ControlledSettings):
                self._studio.glances.check_detectors(settings)
        except Lacking:
            return False
        return True

    def _seconds(self, settings: ClipSettings, size: tuple[int, int], num_frames: int) -> float | None:
        return self._studio.jobs.clip_costs.expected_s(settings, num_frames, size)

    async def _whole(self, settings: ClipSettings, is_large: Callable[[], bool]) -> int | None:
        """How many frames the whole clip has; None where that would take long to tell."""
        glances = self._studio.glances
        about = glances.about(settings)
        if about.num_frames * about.width * about.height > COUNTED_PIXELS:
            return None
        return await glances.counting.take(is_large, glances.count_whole, settings)

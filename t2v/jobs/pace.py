"""How long runs take, judged by what runs like them took."""

from collections.abc import Iterable
from typing import Any

from t2v.jobs.job import JobView
from t2v.jobs.profile import kind_of

WORK = ("num_frames", "width", "height", "num_inference_steps")  # a run takes as long as their product


def expected_s(settings: Any, ended: Iterable[JobView]) -> float | None:
    """Seconds that a run will take; None where none of the same task and model has ended yet.

    ended: the latest first. What the settings leave open is taken to be as it was then.
    """
    for view in ended:
        if view.state == "done" and view.tries is None and kind_of(view.settings) == kind_of(settings):
            return view.seconds_elapsed * _share(settings, view.resolved)
    return None


def _share(settings: Any, before: Any) -> float:
    """Of the work of an earlier run."""
    share = 1.0
    for name in WORK:
        asked, was = getattr(settings, name), getattr(before, name)
        share *= 1.0 if asked is None else asked / was
    return share

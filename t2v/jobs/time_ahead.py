"""How long a run takes that waits, judged by what runs like it took that have ended."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from t2v.jobs.job import JobView
from t2v.jobs.kinds import kind_of

WORK = ("num_frames", "width", "height", "num_inference_steps")  # a run takes as long as their product


def expected_s(settings: Any, ended: Iterable[JobView]) -> float | None:
    """Seconds that a run will take; None where none of the same task and model has ended yet.

    ended: the latest first. What the settings leave open is taken to be as it was then. A first guess of one
    that is doubled, or is not, is what the other took.
    """
    guess = None
    for view in ended:
        if view.state != "done" or view.tries is not None:
            continue
        asked, was = kind_of(settings, view.resolved), kind_of(view.settings, view.resolved)
        if asked == was:
            return view.seconds_elapsed * _share(settings, view.resolved)
        if guess is None and asked == replace(was, upscale=asked.upscale):
            guess = view.seconds_elapsed * _share(settings, view.resolved)
    return guess


def _share(settings: Any, before: Any) -> float:
    """Of the work of an earlier run."""
    share = 1.0
    for name in WORK:
        asked, was = getattr(settings, name), getattr(before, name)
        share *= 1.0 if asked is None else asked / was
    return share

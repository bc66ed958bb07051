"""How long the next video takes, told before Run where every frame is drawn: many frames take long then."""

from collections.abc import Iterable
from typing import Any

from t2v.jobs.job import JobView
from t2v.jobs.kinds import kind_of
from t2v.jobs.time_ahead import expected_s
from t2v.page.markup import plan_words, seconds_in_words
from t2v.tasks.travel import USUAL_FRAMES
from t2v.weights.told import told_method


def ahead_html(settings: Any, ended: Iterable[JobView]) -> str:
    """The line below Run for settings of a video from text; empty where it is soon there.

    ended: runs of who asks, the latest first. Of one picture under a camera more frames cost next to nothing.
    """
    frames = int(settings.num_frames)
    is_drawn = kind_of(settings).acts or settings.drawn_by(told_method(settings.model)) == "paper"
    if not is_drawn or frames < 2 * USUAL_FRAMES:
        return ""
    takes = expected_s(settings, ended)
    if takes is not None:
        return plan_words(f"Each of its {frames} frames is drawn, in {seconds_in_words(takes)} altogether.")
    times = frames / USUAL_FRAMES
    return plan_words(
        f"Each of its {frames} frames is drawn: about {times:.2g} times as long as {USUAL_FRAMES} frames."
    )

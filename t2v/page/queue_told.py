"""What is told of a run that has been added to the queue: its place, and when it begins."""

from collections.abc import Sequence

from t2v.checks import counted
from t2v.jobs.job import JobView
from t2v.jobs.time_ahead import expected_s
from t2v.page.markup import seconds_in_words
from t2v.page.notes import BUSY, note_html

SHOW = '<button type="button" class="show-runs">Show your runs</button>'


def added_html(view: JobView, mine: Sequence[JobView]) -> str:
    """The note for a run that was added while another one is shown. mine: all runs of the same visitor."""
    before = f"{counted(view.ahead, 'run')} before it" if view.ahead else "next in turn"
    begins = begins_in_s(view, mine)
    when = "" if begins is None else f", so it begins in {seconds_in_words(begins)}"
    return note_html("hint", f"Added to the queue: {before}{when}.", SHOW, by=BUSY)


def begins_in_s(view: JobView, mine: Sequence[JobView]) -> float | None:
    """When a waiting run begins; None where others come before it, or how long one takes is not known."""
    if view.others_ahead:
        return None
    ended = [one for one in mine if one.finished]
    waiting = [one for one in mine if one.state == "queued" and one.ahead < view.ahead]
    running = [one.seconds_left for one in mine if one.state == "running"]
    takes = [None if one.tries is not None else expected_s(one.settings, ended) for one in waiting]
    known = [seconds for seconds in (*running, *takes) if seconds is not None]
    return sum(known) if len(known) == len(running) + len(takes) else None

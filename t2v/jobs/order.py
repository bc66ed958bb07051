"""Who is drawn next: people take turns, and each one's own runs keep their order.

Each run belongs to a round, and the rounds are drawn one after the other (start-time fair queueing with runs
of equal weight: P. Goyal, H. Vin, H. Cheng, 1996). A run joins the round that is being drawn, or the one
after its own person's last. So somebody with one run waits for at most one of everybody else, and who is
alone is served as it comes. A place in the queue is (round, number); numbers grow with each run that is asked
for.
"""

from collections.abc import Iterable

from t2v.jobs.job import Job


def join(job: Job, jobs: Iterable[Job], round_now: int) -> None:
    """Gives a run its place behind its person's others. round_now: of the run that was begun last."""
    others = [other for other in jobs if other is not job]
    last = max((other.round for other in others if other.visitor == job.visitor), default=0)
    job.round = max(round_now, last + 1)
    job.number = 1 + max((other.number for other in others), default=0)


def leave(job: Job, waiting: Iterable[Job]) -> list[Job]:
    """A run gives up its place; the person's later ones move up, and are returned."""
    later = [other for other in own(job, waiting) if other.slot > job.slot]
    free = [job.slot, *(other.slot for other in later)]
    for other, slot in zip(later, free, strict=False):
        other.round, other.number = slot
    job.round = 0  # of none: it was never drawn
    return later


def swap(job: Job, waiting: Iterable[Job], by: int) -> list[Job]:
    """A run changes places with its person's one before it (by = -1) or after it (1): both, or none."""
    mine = own(job, waiting)
    place = mine.index(job) + by
    if not 0 <= place < len(mine):
        return []
    other = mine[place]
    (other.round, other.number), (job.round, job.number) = job.slot, other.slot
    return [job, other]


def own(job: Job, waiting: Iterable[Job]) -> list[Job]:
    """The waiting runs of the same person, in order."""
    return in_order(other for other in waiting if other.visitor == job.visitor)


def in_order(waiting: Iterable[Job]) -> list[Job]:
    """Runs as they will be drawn."""
    return sorted(waiting, key=lambda job: job.slot)

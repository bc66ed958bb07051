"""A run that ends: what stays of it for its list, and what goes."""

import contextvars
import logging
import time

from t2v.jobs.job import Job
from t2v.jobs.picture import picture_of

logger = logging.getLogger(__name__)


def settle(job: Job, state: str, error: str | None = None) -> None:
    """The run has ended in this state; error: the sentence for whoever asked for it. The lock is held."""
    job.state, job.error, job.ended_s = state, error, time.monotonic()
    job.context = contextvars.Context()
    if state != "stopped":
        job.preview = None
    if job.picture is None and job.preview is not None:
        job.picture = picture_of(job.preview[0])
    if state != "done":
        tidy(job)


def tidy(job: Job) -> None:
    """What led to no video is of no use to anybody."""
    for path in job.seen.values():
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s could not be removed: %s", path, error)
    job.seen = {}

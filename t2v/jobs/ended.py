"""A run that ends: what stays of it for its list, and what goes."""

import contextvars
import logging
import time

import numpy as np

from t2v.jobs.job import Job
from t2v.jobs.picture import picture_of

logger = logging.getLogger(__name__)

KEPT_FRAMES = 16  # of a stopped run's preview


def settle(job: Job, state: str, error: str | None = None) -> None:
    """The run has ended in this state; error: the sentence for whoever asked for it. The lock is held."""
    job.state, job.error, job.ended_s = state, error, time.monotonic()
    job.context = contextvars.Context()
    job.preview = _thinned(job.preview) if state == "stopped" else None
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


def _thinned(preview: np.ndarray | None) -> np.ndarray | None:
    """As many of a preview's frames as a page shows, to be kept for long."""
    if preview is None or len(preview) <= KEPT_FRAMES:
        return preview
    return preview[np.linspace(0, len(preview) - 1, KEPT_FRAMES).round().astype(int)]

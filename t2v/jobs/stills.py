"""Pictures instead of a video: a job that draws one of each of several settings in turn.

They are kept with the job, small, and no file is written: what is made of one of them is a video.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from threading import Condition
from typing import Any

import cv2
import numpy as np

from t2v.diffusion.progress import Step
from t2v.engine.engine import Engine
from t2v.jobs.cadence import Cadence
from t2v.jobs.job import Job
from t2v.tasks import Resolved

MOST_PX = 512  # the longer side of a picture as it is kept
QUALITY = 92


@dataclass(frozen=True, eq=False)
class Still:
    """A picture that was drawn: of which run, what it is called, and itself as WebP."""

    resolved: Resolved[Any]
    label: str
    picture: bytes


def draw_stills(engine: Engine, job: Job, changed: Condition, stop_if_asked: Callable[[Job], None]) -> None:
    """Draw a picture of each of the job's tries, one after the other, each there as soon as it is drawn.

    stop_if_asked: raises Cancelled where that is so. Those that are drawn by then stay.
    """
    tries = job.tries
    assert tries is not None
    previews = Cadence(engine.preview)
    for number, (settings, label) in enumerate(zip(tries.each, tries.labels, strict=True)):
        stop_if_asked(job)
        resolved = engine.resolve(settings)
        with changed:
            job.resolved = resolved
        on_step = partial(_on_step, previews, job, changed, number, len(tries.each), stop_if_asked)
        drawn = Still(resolved, label, encoded(engine.still(resolved, on_step, last=tries.last)))
        with changed:
            job.stills = (*job.stills, drawn)


def _on_step(
    previews: Cadence,
    job: Job,
    changed: Condition,
    number: int,
    count: int,
    stop_if_asked: Callable[[Job], None],
    step: Step,
) -> None:
    """A step of picture ``number``, as one of all of them."""
    stop_if_asked(job)
    preview = previews.of(step.latents[:, -1:] if job.tries and job.tries.last else step.latents[:, :1])
    of_all = replace(
        step,
        done=number * step.total + step.done,
        total=count * step.total,
        fraction=(number + step.fraction) / count,
        label="pictures",
    )
    with changed:
        job.took(of_all, preview)


def encoded(picture: np.ndarray) -> bytes:
    """A picture, uint8 RGB (h, w, 3), as a WebP of at most MOST_PX a side."""
    height, width = picture.shape[:2]
    scale = min(1.0, MOST_PX / max(height, width))
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    found = cv2.imencode(".webp", picture[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1]
    return found.tobytes()

"""Pictures that were tried, as PNG: one as it is, several in a zip, each with the settings of its video."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from t2v.jobs.stills import Still
from t2v.library.results import settings_dict, slug_of
from t2v.page.save_as import Copies
from t2v.video.formats import PNG, ZIP
from t2v.video.write import write_video


def save_stills(copies: Copies, job_id: str, stills: Sequence[Still]) -> Path:
    """The file of a run's pictures, of which there is one at least, under the copies. OSError if writing
    fails."""
    name = slug_of(stills[0].resolved.asked.prompt)
    if len(stills) == 1:
        only = stills[0]
        return copies.made((job_id, PNG), f"{name}-{only.resolved.seed}{PNG}", lambda path: _png(path, only))
    return copies.made((job_id, len(stills)), f"{name}{ZIP}", lambda path: _zip(path, stills))


def _png(path: Path, still: Still) -> None:
    picture = cv2.imdecode(np.frombuffer(still.picture, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None  # we have encoded it
    settings = settings_dict(still.resolved.filled())
    write_video(path, iter([picture[..., ::-1]]), still.resolved.fps, settings)


def _zip(path: Path, stills: Sequence[Still]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as made:
        for number, still in enumerate(stills, start=1):
            one = path.with_name(f"{number:02}-{slug_of(still.label)}{PNG}")
            _png(one, still)
            made.write(one, one.name)
            one.unlink()

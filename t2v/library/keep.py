"""A run's video into the library: what the index is told when a run has made one."""

import logging
import sqlite3
from pathlib import Path
from typing import Any

from t2v.library.index import Library, Made
from t2v.library.results import FILES, WEIGHTS, settings_dict
from t2v.tasks import Resolved

logger = logging.getLogger(__name__)

PRIVATE = {*FILES, *WEIGHTS}  # of which files carry names alone


def keep(library: Library | None, path: Path, resolved: Resolved[Any], maker: str | None) -> Path:
    """Tell the index of a finished video, and give its path; what goes wrong is in the log alone.

    The video is there all the same, and a later scan finds it.
    """
    if library is None:
        return path
    made = resolved.filled()  # a ControlNet that was chosen lies somewhere, too
    told = settings_dict(made)
    places = {name: getattr(made, name, None) for name in PRIVATE}
    private = {name: place for name, place in places.items() if place not in (None, told.get(name))}
    try:
        library.add(path, Made(maker, private, told))
    except (sqlite3.Error, OSError, ValueError) as error:
        logger.warning("%s is not in the library yet: %s", path.name, error)
    return path

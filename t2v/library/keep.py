"""A run's video into the library: what the index is told when a run has made one."""

import logging
import sqlite3
from pathlib import Path
from typing import Any

from t2v.library.index import Library, Made
from t2v.library.results import settings_dict
from t2v.tasks import Resolved
from t2v.tasks.clip import ClipSettings

logger = logging.getLogger(__name__)


def keep(library: Library | None, path: Path, resolved: Resolved[Any], maker: str | None) -> Path:
    """Tell the index of a finished video, and give its path; what goes wrong is in the log alone.

    The video is there all the same, and a later scan finds it.
    """
    if library is None:
        return path
    asked = resolved.asked
    clip = asked.clip if isinstance(asked, ClipSettings) else None
    try:
        library.add(path, Made(maker, clip, settings_dict(resolved.filled())))
    except (sqlite3.Error, OSError, ValueError) as error:
        logger.warning("%s is not in the library yet: %s", path.name, error)
    return path

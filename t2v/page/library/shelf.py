"""The library as a page holds it: who may see what, and what goes on beside: scans, thumbnails."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from t2v.library import bin as deleted
from t2v.library.entry import Entry
from t2v.library.index import Library
from t2v.library.owner import is_theirs
from t2v.library.thumbs import Thumbs
from t2v.page.library.finishes import Finishes

logger = logging.getLogger(__name__)

REST_S = 3.0  # between two looks at the folder; a look at thousands of files takes some hundredths
MOST_SHARE = 0.02  # of the time that goes into looking, where it takes longer
SWEEP_S = 600.0
NOBODY = ""  # the maker of nothing


# What the fields of a tab show for settings, as the browser holds it.
Fill = Callable[[Any], list[Any]]


class Shelf:
    """A library and its thumbnails. is_open: whether others than the owner of this machine are served.

    forms: by task, how its tab is filled in; the page that is built puts them here.
    """

    def __init__(self, library: Library, is_open: bool = False) -> None:
        self.library = library
        self.thumbs = Thumbs(library)
        self.finishes = Finishes(library)
        self.is_open = is_open
        self.forms: dict[str, Fill] = {}
        self._looking = threading.Lock()
        self._next_s = self._swept_s = float("-inf")

    def close(self) -> None:
        """Ends what goes on beside, and lets go of the index."""
        self.finishes.close()
        self.thumbs.close()
        with self._looking:
            self.library.close()

    def look(self, wait: bool = False) -> None:
        """See what came into the folder and what went, in a thread, unless that was just done."""
        if wait:
            self._look()
        elif time.monotonic() > self._next_s and not self._looking.locked():
            threading.Thread(target=self._look, name="library", daemon=True).start()

    def maker(self, who: str | None) -> str | None:
        """Whose videos somebody may see, as a Query takes it."""
        return (NOBODY if who is None else who) if self.is_open else None

    def may_see(self, entry: Entry, who: str | None) -> bool:
        """Alone on one's machine everything; where others are served everybody one's own."""
        return not self.is_open or (who is not None and is_theirs(entry.maker, who))

    def shown(self, video: object, who: str | None) -> Entry | None:
        """The video of an id, if there is one that this visitor may see."""
        entry = self.library.find(video) if isinstance(video, str) else None
        return entry if entry is not None and self.may_see(entry, who) else None

    def gives_out(self, path: Path, who: str | None) -> bool | None:
        """Whether the file at a real path may go to a visitor; None where it is none of the library's."""
        entry = self.library.holding(path)
        return None if entry is None else self.may_see(entry, who)

    def thumbnail(self, name: str, who: str | None) -> Path | None:
        """The file of a thumbnail by its name, as ``Thumbs.path`` makes it, if this visitor may see it."""
        fingerprint, _, ending = name.removesuffix(".webp").partition("-")
        if not fingerprint.isalnum() or ending not in ("", "still"):
            return None
        if not any(self.may_see(entry, who) for entry in self.library.with_content(fingerprint)):
            return None
        path = self.thumbs.path(fingerprint, is_still=ending == "still")
        return path if path.is_file() else None

    def _look(self) -> None:
        with self._looking:
            started_s = time.monotonic()
            try:
                self.library.scan()
                if time.monotonic() - self._swept_s > SWEEP_S:
                    deleted.sweep(self.library)
                    self.thumbs.tidy()
                    self._swept_s = time.monotonic()
            except Exception:  # the page goes on with what is known
                logger.exception("The folder of videos could not be looked through.")
            now_s = time.monotonic()
            self._next_s = now_s + max(REST_S, (now_s - started_s) / MOST_SHARE)


def opened(folder: Path, is_open: bool) -> Shelf | None:
    """The shelf of a folder, being filled; None, and a line in the log, where there can be no index."""
    try:
        shelf = Shelf(Library(folder), is_open)
    except (sqlite3.Error, OSError) as error:
        logger.warning("The page has no library: %s takes no index (%s).", folder, error)
        return None
    shelf.look()
    return shelf


def told(entry: Entry, url: str, has_thumbnail: bool) -> Mapping[str, Any]:
    """What a browser is told of a video to show it among others; its maker and its clip are not."""
    kept = ("id", "task", "prompt", "model", "seed", "frames", "fps", "width", "height", "made_s", "star",
            "size_bytes", "fingerprint", "twins", "deleted")  # fmt: skip
    about = {name: getattr(entry, name) for name in kept}
    return about | {"name": Path(entry.file).name, "url": url, "has_thumbnail": has_thumbnail}

"""Clips and pictures of runs, kept beside the queue: uploads are thrown away, by the next program at once.

Each has a folder named as its run, in which lies a hard link to the upload or, on another disk, a copy; of
one file that several runs are made from there is one copy. Those of ended runs stay for their settings to be
used again, as long as the list knows the run and all together are not too large.
"""

import logging
import os
import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from t2v.checks import InputError
from t2v.jobs.sources import PROMPT, prompt_of, source_of
from t2v.jobs.workshop import told
from t2v.program import bundled
from t2v.tasks import Settings

logger = logging.getLogger(__name__)

KEPT_BYTES = 2 * 1024**3  # of ended runs


class KeptSources:
    """What is kept in a folder, which is there while it holds something; None: nothing can be kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def keep(self, job_id: str, settings: Settings) -> Path | None:
        """The clip or picture of a run, kept for it; None where there is none, or none that may go.

        InputError where it cannot be kept.
        """
        return self._keep(job_id, source_of(settings), "")

    def keep_picture(self, job_id: str, settings: Settings) -> Path | None:
        """The same of the picture that is a prompt."""
        return self._keep(job_id, prompt_of(settings), PROMPT)

    def picture(self, job_id: str, settings: Settings) -> Path | None:
        """What is kept of that; None where there is nothing."""
        asked_from = prompt_of(settings)
        if self._folder is None or asked_from is None:
            return None
        kept = self._folder / job_id / PROMPT / Path(asked_from).name
        return kept if kept.is_file() else None

    def _keep(self, job_id: str, asked_from: str | None, inside: str) -> Path | None:
        """inside: the folder in the run's own."""
        if self._folder is None or asked_from is None:
            return None
        source = Path(asked_from).resolve()
        if source.is_relative_to(bundled("examples").resolve()):
            return None
        kept = self._folder / job_id / inside / source.name
        try:
            kept.parent.mkdir(parents=True)
            self._link(source, kept)
            with suppress(OSError), kept.open("rb") as file:  # on the disk before the run is noted
                os.fsync(file.fileno())
        except OSError as error:
            self.drop(job_id)
            logger.error("What a run is made from could not be kept: %s", error)
            raise InputError(told(error)) from error
        return kept

    def drop(self, job_id: str) -> None:
        """Nobody knows the run any more, or it was never noted."""
        if self._folder is not None:
            shutil.rmtree(self._folder / job_id, ignore_errors=True)
            with suppress(OSError):  # others are still in it
                self._folder.rmdir()

    def drop_all_but(self, wanted: Collection[str]) -> None:
        """wanted: runs that are known."""
        if self._folder is not None and self._folder.is_dir():
            for path in list(self._folder.iterdir()):
                if path.name not in wanted:
                    self.drop(path.name)

    def make_room(self, ended: Iterable[str]) -> None:
        """Drop those of ended runs, the last first, that together with later ones are too large."""
        seen: set[tuple[int, int]] = set()
        total = 0
        for job_id in ended:
            for path in [] if self._folder is None else list((self._folder / job_id).rglob("*")):
                about = path.stat()
                if path.is_file() and (about.st_dev, about.st_ino) not in seen:
                    seen.add((about.st_dev, about.st_ino))
                    total += about.st_size
            if total > KEPT_BYTES:
                self.drop(job_id)

    def _link(self, source: Path, kept: Path) -> None:
        for one in (source, *self._copies(source)):
            with suppress(OSError):  # another disk, or a kind of disk without links
                os.link(one, kept)
                return
        shutil.copy2(source, kept)

    def _copies(self, source: Path) -> list[Path]:
        """Copies of this very file that other runs are made from."""
        about = source.stat()
        assert self._folder is not None
        kept = (*self._folder.glob("*/*"), *self._folder.glob(f"*/{PROMPT}/*"))
        of_name = [one for one in kept if one.name == source.name and one != source and one.is_file()]
        same = (about.st_size, about.st_mtime_ns)
        return [one for one in of_name if (one.stat().st_size, one.stat().st_mtime_ns) == same]

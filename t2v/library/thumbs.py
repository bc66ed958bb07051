"""Thumbnails: a small loop of each video, and its first frame for who wants nothing to move; made once."""

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from t2v.checks import InputError
from t2v.library.entry import Entry
from t2v.library.index import Library
from t2v.video.guarded_ffmpeg import MAX_PIXELS
from t2v.video.video import clip_frames
from t2v.video.write import replacing

logger = logging.getLogger(__name__)

THUMBS = ".thumbs"
SIDE_PX = 192
MOST_FRAMES, MOST_FPS = 24, 8.0
QUALITY = 70
PICTURES = (".png", ".webp")  # which ffmpeg is not let read
WAITING = 120  # more are not on anybody's screen


class Thumbs:
    """The thumbnails of a library, in a hidden folder, by fingerprint; one thread makes them."""

    def __init__(self, library: Library) -> None:
        self.folder = library.folder / THUMBS
        self._library = library
        self._wanted: deque[Entry] = deque(maxlen=WAITING)
        self._failed: set[str] = set()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def path(self, fingerprint: str, is_still: bool = False) -> Path:
        """Where the loop of a video lies, or its still, once it is made."""
        return self.folder / f"{fingerprint}{'-still' if is_still else ''}.webp"

    def ready(self, entries: Iterable[Entry]) -> set[str]:
        """Fingerprints of those whose thumbnails are there; the others are made meanwhile.

        Those that cannot be made are there too, as nothing else will come.
        """
        there = set()
        with self._changed:
            for entry in entries:
                if entry.fingerprint in self._failed or self.path(entry.fingerprint).is_file():
                    there.add(entry.fingerprint)
                elif not self._closed and entry not in self._wanted:
                    self._wanted.append(entry)
            if self._wanted and not self._closed and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="thumbnails", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return there

    def close(self) -> None:
        """No more are made; waits for the one under way."""
        with self._changed:
            self._closed = True
            self._wanted.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(10)

    def tidy(self) -> None:
        """Removes those of videos that are not known any more."""
        with self._library.database.reading() as connection:
            known = {row[0] for row in connection.execute("SELECT fingerprint FROM videos")}
        for path in self.folder.glob("*.webp"):
            if path.stem.removesuffix("-still") not in known:
                path.unlink(missing_ok=True)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._closed)
                if self._closed:
                    return
                entry = self._wanted.pop()
            try:
                if not self.path(entry.fingerprint).is_file():
                    self.make(entry)
            except (InputError, OSError, ValueError) as error:
                logger.info("%s has no thumbnail: %s", entry.file, error)
                self._failed.add(entry.fingerprint)

    def make(self, entry: Entry) -> None:
        """The loop and the still of a video; InputError or OSError where there can be none."""
        self.folder.mkdir(exist_ok=True)
        fps = min(entry.fps, MOST_FPS) if entry.fps > 0 else MOST_FPS
        pictures = list(_pictures(self._library.path(entry), fps))
        still, loop = (self.path(entry.fingerprint, is_still) for is_still in (True, False))
        how: dict[str, Any] = {"format": "WEBP", "quality": QUALITY, "method": 2}
        with replacing(still) as part:
            pictures[0].save(part, **how)
        with replacing(loop) as part:  # last: where it lies the still does too
            how |= {"save_all": True, "append_images": pictures[1:], "duration": round(1000 / fps), "loop": 0}
            pictures[0].save(part, **how)


def _pictures(path: Path, fps: float) -> Iterator[Image.Image]:
    """The first frames, made small one by one."""
    if path.suffix.lower() not in PICTURES:
        for frame in clip_frames(path, fps=fps, max_frames=MOST_FRAMES):
            yield _small(Image.fromarray(frame))
        return
    with Image.open(path, formats=("PNG", "WEBP")) as file:
        if file.width * file.height > MAX_PIXELS:
            raise InputError(f"{path.name} has more than {MAX_PIXELS:,} pixels.")
        for number in range(min(getattr(file, "n_frames", 1), MOST_FRAMES)):
            file.seek(number)
            yield _small(file.convert("RGB"))


def _small(picture: Image.Image) -> Image.Image:
    picture.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    return picture

"""Finishing steps on videos of the library: one after the other, followed and stopped by the page."""

import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from t2v.checks import InputError, check_choice
from t2v.diffusion.progress import Cancelled
from t2v.finishing.finish import Finish, finish_video, new_name
from t2v.jobs.workshop import workshop
from t2v.library.entry import Entry
from t2v.library.index import Library, Made
from t2v.video.formats import FORMATS, PNG, ZIP
from t2v.video.guarded_ffmpeg import heeding

logger = logging.getLogger(__name__)

MOST_WAITING = 8
KEPT = 100  # of those that have ended
KINDS = [ending for ending in FORMATS if ending not in (PNG, ZIP)]  # what a library shows
OWN_FAULT = "The program itself failed in finishing this ({kind}); the details are in its log."
UNKNOWN = "This finishing step is not known any more; begin it again."
FULL = "Too many videos wait to be finished; try again in a few minutes."


@dataclass(eq=False)
class Step:
    """One of them. state: "waiting", "running", "done", "failed" or "stopped"; done of total frames.

    name, video: of what came of it, the file's and the library's id.
    """

    who: str | None
    state: str = "waiting"
    done: int = 0
    total: int = 0
    error: str = ""
    name: str = ""
    video: str = ""
    stop_asked: bool = False


class Finishes:
    """``start`` one, ask for it by ``told``, ``stop`` it; a thread each, of which one works at a time."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._steps: dict[str, Step] = {}
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def start(self, entry: Entry, values: Mapping[str, Any], who: str | None) -> str:
        """Begins what the page asks for on a video; its id. InputError where that cannot be done.

        values: upscale, fps (None: the video's own) and kind (an ending).
        """
        finish = Finish(values.get("upscale", 1), values.get("fps"))
        finish.check()
        ending = check_choice("kind", values.get("kind"), KINDS)
        if finish == Finish() and Path(entry.file).suffix.lower() == ending:
            raise InputError("Nothing would change; choose another rate, size or kind.")
        step, name = Step(who), secrets.token_hex(12)
        with self._lock:
            if sum(one.state in ("waiting", "running") for one in self._steps.values()) >= MOST_WAITING:
                raise InputError(FULL)
            ended = [key for key, one in self._steps.items() if one.state not in ("waiting", "running")]
            for key in ended[: max(0, len(ended) - KEPT)]:
                del self._steps[key]
            self._steps[name] = step
        work = partial(self._work, step, entry, finish, ending)
        threading.Thread(target=work, name="finishing", daemon=True).start()
        return name

    def told(self, name: object, who: str | None) -> Mapping[str, Any]:
        """How it stands. InputError where somebody has no such step."""
        step = self._step(name, who)
        return {key: getattr(step, key) for key in ("state", "done", "total", "error", "name", "video")}

    def stop(self, name: object, who: str | None) -> None:
        """Ends it at its next frame, and leaves nothing."""
        self._step(name, who).stop_asked = True

    def close(self) -> None:
        """Stops all; waits for the frame under way."""
        with self._lock:
            for step in self._steps.values():
                step.stop_asked = True
        if self._turn.acquire(timeout=10):
            self._turn.release()

    def _step(self, name: object, who: str | None) -> Step:
        with self._lock:
            step = self._steps.get(name) if isinstance(name, str) else None
        if step is None or step.who != who:
            raise InputError(UNKNOWN)
        return step

    def _work(self, step: Step, entry: Entry, finish: Finish, ending: str) -> None:
        with self._turn:
            try:
                self._heed(step)
                step.state = "running"
                with heeding(partial(self._heed, step)):
                    made, added = self._made(step, entry, finish, ending)
                step.name, step.video = made.name, "" if added is None else added.id
                step.state = "done"
            except Cancelled:
                step.state = "stopped"
            except InputError as error:
                step.error, step.state = str(error), "failed"
            except Exception as error:
                logger.exception("%s could not be finished.", entry.file)
                step.error, step.state = OWN_FAULT.format(kind=type(error).__name__), "failed"

    def _made(self, step: Step, entry: Entry, finish: Finish, ending: str) -> tuple[Path, Entry | None]:
        """The new video beside the old one, and in the library as its maker's."""
        video = self._library.path(entry)
        with workshop(self._library.folder) as place:
            target = new_name(video, finish, ending)
            made = finish_video(video, finish, place / target.name, on_frame=partial(self._on_frame, step))
            path = made.path.replace(new_name(video, finish, ending))
        return path, self._library.add(path, Made(entry.maker, entry.private, entry.settings))

    def _on_frame(self, step: Step, done: int, total: int) -> None:
        self._heed(step)
        step.done, step.total = done, total

    def _heed(self, step: Step) -> None:
        if step.stop_asked:
            raise Cancelled

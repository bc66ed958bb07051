"""Where programs ask: each public method of ``Desk`` is an endpoint of the API and a tool of the MCP server.

Names, parameters and descriptions of both are the methods' own, so that they cannot differ. What a program
submits goes into the same queue and the same library as what the page does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from t2v.checks import InputError
from t2v.engine.check_weights import check_weights
from t2v.jobs.job import JobView
from t2v.jobs.picture import picture_of
from t2v.jobs.time_ahead import expected_s
from t2v.library.entry import Entry
from t2v.library.owner import is_theirs
from t2v.library.results import WEIGHTS, settings_dict
from t2v.library.search import Query, search
from t2v.page.addresses import webp_address
from t2v.page.library.shelf import Shelf, told
from t2v.page.programs.reading import NOT_HERE, read_settings
from t2v.page.studio import Studio
from t2v.page.visitors import check_offered, source_of, visitor_of
from t2v.tasks import Settings

NO_LIBRARY = "This app keeps no library, as its output folder takes no index."
NOT_YOURS = "run is none of yours that is known here; ask for those that there are by runs."
MOST_WORDS = 500


@dataclass(frozen=True)
class Caller:
    """Who asks: visitor, whose runs and videos are whose; source, from where. None on an app for oneself."""

    visitor: str | None = None
    source: str | None = None

    @classmethod
    def of(cls, studio: Studio, request: Any) -> "Caller":
        """request: Gradio's or Starlette's."""
        return cls(visitor_of(studio, request), source_of(studio, request))


class Desk:
    """What one caller may do. InputError, one sentence, for what cannot be done."""

    def __init__(self, studio: Studio, caller: Caller) -> None:
        self._studio, self._caller = studio, caller

    def submit(
        self,
        settings: dict[str, Any],
        clip: gr.FileData | None = None,
        first_frame: gr.FileData | None = None,
        picture_prompt: gr.FileData | None = None,
    ) -> dict[str, Any]:
        """Puts a run into the queue and tells at once how it stands; "run" is its id, to follow it by.

        settings: the JSON that every video of this program carries, or a part of it: "task", "prompt" and
        whatever else is not left to the program. clip, first_frame, picture_prompt: uploaded files, in place
        of those that the settings name.
        """
        files = {"clip": clip, "first_frame": first_frame, "picture_prompt": picture_prompt}
        return self.follow(self.queue(self.read(settings, files)))

    def follow(self, run: str) -> dict[str, Any]:
        """How a run stands now.

        state: queued, running, done, failed, stopped or interrupted (the program ended meanwhile). stopping:
        whether it will end within a step. ahead: runs before it in the queue, others_ahead: those of other
        people. seconds_expected: how long it will take once it is drawn, seconds_left: until it is there;
        null where nothing is known. fraction: 0 to 1. preview: a small picture of its first frame as far as
        it has come, as an address that begins with data:. video: the id of the finished one in the library.
        """
        view = self._view(run)
        return {
            **self._standing(view, self._studio.jobs.runs(self._caller.visitor)),
            "preview": _preview(view),
        }

    def stop(self, run: str) -> dict[str, Any]:
        """Stops a run, within a step where it is drawn, and tells how it stands; one that has ended stays."""
        self._studio.jobs.stop(self._view(run).id)
        return self.follow(run)

    def runs(self) -> list[dict[str, Any]]:
        """Your own runs: what is drawn, what waits in order, what has ended; each as follow tells it."""
        views = self._studio.jobs.runs(self._caller.visitor)
        return [self._standing(view, views) for view in views]

    def library(
        self,
        words: str = "",
        task: str = "",
        model: str = "",
        starred: bool = False,
        offset: int = 0,
        limit: int = 60,
    ) -> dict[str, Any]:
        """The finished videos, the newest first: {"total": of all that fit, "videos": a page of them}.

        words: each has to stand somewhere in the prompt. task, model: only these; empty: all. starred: only
        those with a star. offset: how many to leave out, limit: how many to tell, at most 200.
        """
        shelf = self._shelf()
        shelf.look()
        for name, value in {"words": words, "task": task, "model": model}.items():
            if not isinstance(value, str):
                raise InputError(f"{name} is {repr(value)[:60]}; give a text.")
        maker = shelf.maker(self._caller.visitor)
        query = Query(words[:MOST_WORDS], task, model, starred is True, maker=maker)
        found = search(shelf.library, query, _count("offset", offset), _count("limit", limit))
        return {"total": found.total, "videos": [_told(entry) for entry in found.videos]}

    def settings(self, id: str) -> dict[str, Any]:
        """The settings of a video of the library, or of a run: what submit takes to make it again."""
        entry = self._entry(id)
        if entry is not None:
            return {**entry.settings, **self._weights(entry.private)}
        view = self._view(id, NOT_HERE)
        made = view.settings if view.resolved is None else view.resolved.filled()
        return {**settings_dict(made), **self._weights(vars(made))}

    def fetch(self, id: str) -> Path:
        """The file of a video of the library, or of a run that is done."""
        entry = self._entry(id)
        if entry is not None:
            return self._shelf().library.path(entry)
        view = self._view(id, NOT_HERE)
        if view.output is None:
            raise InputError(f"This run has no video (it is {view.state}); follow it until it is done.")
        return view.output

    # What only we call

    def read(self, settings: object, files: Mapping[str, object] | None = None) -> Settings:
        """Settings that can be run, from JSON. files: field -> what is given for it beside the JSON."""
        return read_settings(self._studio, settings, {} if files is None else files, self.fetch)

    def queue(self, settings: Settings) -> str:
        """Into the queue; the run's id."""
        settings = check_offered(self._studio, settings)
        settings.check()
        check_weights(settings)
        return self._studio.jobs.submit(settings, self._caller.visitor, self._caller.source)

    def _view(self, run: object, otherwise: str = NOT_YOURS) -> JobView:
        """A run of this caller; of others' nothing is told, not even that there are any."""
        try:
            view = self._studio.jobs.follow(run)  # type: ignore[arg-type]  # which says what is no id
        except InputError:
            raise InputError(otherwise) from None
        if not is_theirs(view.visitor, self._caller.visitor):
            raise InputError(otherwise)
        return view

    def _standing(self, view: JobView, mine: Sequence[JobView]) -> dict[str, Any]:
        """A run as ``follow`` tells it, but without its picture. mine: all runs of the caller."""
        ended = [one for one in mine if one.finished]
        entry = None if view.output is None else self._entry_at(view.output)
        return {
            "run": view.id,
            "task": view.settings.task,
            "prompt": view.settings.prompt,
            "state": view.state,
            "stopping": view.stopping,
            "ahead": view.ahead,
            "others_ahead": view.others_ahead,
            "stage": view.label,
            "step": view.step_done,
            "steps": view.step_total,
            "fraction": 1.0 if view.state == "done" else view.fraction,
            "seconds_elapsed": round(view.seconds_elapsed, 3),
            "seconds_left": view.seconds_left,
            "seconds_expected": None if view.tries is not None else expected_s(view.settings, ended),
            "seed": view.settings.seed if view.resolved is None else view.resolved.seed,
            "preview": None,
            "error": view.error,
            "video": None if entry is None else entry.id,
        }

    def _weights(self, places: Mapping[str, Any]) -> dict[str, Any]:
        """Where a run's weights lie, of which files carry names alone; only the owner hears of folders."""
        if self._studio.is_open:
            return {}
        return {name: places[name] for name in sorted(WEIGHTS) if places.get(name) is not None}

    def _shelf(self) -> Shelf:
        if self._studio.shelf is None:
            raise InputError(NO_LIBRARY)
        return self._studio.shelf

    def _entry(self, video: object) -> Entry | None:
        shelf = self._studio.shelf
        entry = None if shelf is None else shelf.shown(video, self._caller.visitor)
        return None if entry is None or entry.deleted else entry

    def _entry_at(self, path: Path) -> Entry | None:
        shelf = self._studio.shelf
        return None if shelf is None else shelf.library.holding(path)


def _told(entry: Entry) -> dict[str, Any]:
    about = {**told(entry, "", False)}
    for name in ("url", "has_thumbnail", "fingerprint", "deleted"):
        del about[name]
    return about


def _preview(view: JobView) -> str | None:
    picture = view.picture
    if picture is None and view.preview is not None:
        picture = picture_of(view.preview[0])
    return None if picture is None else webp_address(picture)


def _count(name: str, value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise InputError(f"{name} is {repr(value)[:60]}; give a whole number from 0.")
    return value

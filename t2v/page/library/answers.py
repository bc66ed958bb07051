"""What the page asks the library, and is answered as JSON: a gate before Gradio, as light as files are."""

import json
from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response

from t2v.checks import InputError
from t2v.library import bin as deleted
from t2v.library.days import day_of
from t2v.library.entry import Entry
from t2v.library.search import Query, neighbours, nothing_found, overview, search
from t2v.library.spelling import nearest
from t2v.page.door.gates import API, Gate, path_of, refusal
from t2v.page.library.again import Again, Renew, again, going_on
from t2v.page.library.shelf import Shelf, told
from t2v.page.library.usual import usual
from t2v.page.markup import file_url

BELOW = f"{API}/library/"
THUMBNAIL = "thumbnail/"
MAX_BODY = 2**20
MAX_IDS = 5000
NOT_HERE = "This video is not in the library any more."
LEAST_LIMIT, MOST_LIMIT = 0, 2**50
KEPT = {"cache-control": "private, max-age=31536000, immutable"}  # its name is its content's

Values = Mapping[str, Any]
Run = Callable[[Any], str]


def library_answers(
    shelf: Shelf,
    who: Callable[[Request], str | None],
    run: Callable[[Request, Any], str],
    renew: Callable[[str | None, str], str] = lambda _, path: path,
) -> Gate:
    """Answers what the page asks of its library.

    who: asks. run: runs settings for who asks; the run's id. renew: for who asks, the path of an upload that
    went with an earlier program.
    """

    async def gate(request: Request) -> Response | None:
        path = path_of(request)
        if not path.startswith(BELOW):
            return None
        name, visitor = path.removeprefix(BELOW), who(request)
        if name.startswith(THUMBNAIL) and request.method in ("GET", "HEAD"):
            found = await run_in_threadpool(shelf.thumbnail, name.removeprefix(THUMBNAIL), visitor)
            return refusal(404, NOT_HERE) if found is None else FileResponse(found, headers=KEPT)
        answers = Answers(shelf, visitor, partial(run, request), partial(renew, visitor))
        try:
            if request.method == "GET" and name in QUESTIONS:
                answer = await run_in_threadpool(QUESTIONS[name], answers, dict(request.query_params))
            elif request.method == "POST" and name in ORDERS:
                answer = await run_in_threadpool(ORDERS[name], answers, await _body(request))
            else:
                return refusal(404, "There is nothing at this address.")
        except InputError as error:
            return refusal(400, str(error))
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    return gate


async def _body(request: Request) -> Values:
    """A JSON object; InputError for anything else. Its type is told: no other page's form can send that."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise InputError("The body is no JSON; send it as application/json.")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY:
                break
        values = None if len(body) > MAX_BODY else json.loads(body)
    except (ValueError, RecursionError, ClientDisconnect):
        values = None
    if not isinstance(values, dict):
        raise InputError(f"The body is no JSON object of at most {MAX_BODY:,} bytes.")
    return values


class Answers:
    """The answers to one visitor; each takes the values that came with the question."""

    def __init__(self, shelf: Shelf, who: str | None, run: Run, renew: Renew) -> None:
        self._shelf, self._library, self._who, self._run = shelf, shelf.library, who, run
        self._renew = renew

    def videos(self, values: Values) -> Values:
        """A page of videos."""
        self._shelf.look()
        query = self._query(values)
        revision = self._library.revision
        offset, limit = (_whole(values, name) for name in ("offset", "limit"))
        found = search(self._library, query, offset, limit or 60)
        meant = "" if found.total else nearest(self._library, query)
        return {
            "videos": self._told(found.videos),
            "total": found.total,
            "revision": revision,
            "meant": meant,
            "nothing": "" if found.total else nothing_found(query),
        }

    def neighbours(self, values: Values) -> Values:
        """The videos before and behind one among those that fit."""
        found = neighbours(self._library, self._query(values), self._one(values))
        told = (None if one is None else self._told([one])[0] for one in found)
        return dict(zip(("newer", "older"), told, strict=True))

    def overview(self, values: Values) -> Values:
        """What there is altogether."""
        found, limit = overview(self._library, self._shelf.maker(self._who)), None
        if not self._shelf.is_open:
            limit = self._library.fact(deleted.LIMIT)
        return {
            "total": found.total,
            "size_bytes": found.size_bytes,
            "tasks": found.tasks,
            "models": found.models,
            "may_clean_up": not self._shelf.is_open,
            "limit_bytes": limit,
        }

    def revision(self, values: Values) -> Values:
        """Whether something has changed; it costs next to nothing."""
        self._shelf.look()
        return {"revision": self._library.revision}

    def video(self, values: Values) -> Values:
        """One video with its settings."""
        entry = self._one(values)
        about = {"settings": entry.settings, "usual": usual(entry.settings)}
        return {**self._told([entry])[0], **about, "same_as": self._told(self._twins(entry))}

    def form(self, values: Values) -> Values:
        """What its tab shows with its settings, and whatever could not be taken of them."""
        entry = self._one(values)
        return self._filled(again(entry, values.get("seed") == "yes", self._renew))

    def go_on(self, values: Values) -> Values:
        """The same for what follows it: a video that begins with its last frame."""
        entry = self._one(values)
        return self._filled(going_on(entry, self._library.path(entry)))

    def _filled(self, found: Again) -> Values:
        fill = self._shelf.forms.get(found.settings.task)
        if fill is None:
            raise InputError("This page has no tab for it; start the app with all of them.")
        told = {"task": found.settings.task, "values": fill(found.settings), "notes": found.notes}
        return told | {"clip": getattr(found.settings, "clip", None), "lacks": found.lacks}

    def would_go(self, values: Values) -> Values:
        """What a clean-up to a limit would remove."""
        self._only_owner()
        going = deleted.would_go(self._library, _limit(values))
        freed = sum(entry.size_bytes for entry in going)
        in_bin = deleted.bytes_in_bin(self._library)
        return {"videos": self._told(going), "size_bytes": freed, "bin_bytes": in_bin}

    def thumbnails(self, values: Values) -> Values:
        """Of these videos the fingerprints whose thumbnails are there; the others are made now."""
        entries = [entry for entry in self._all(values) if not entry.deleted]
        return {"ready": sorted(self._shelf.thumbs.ready(entries))}

    def star(self, values: Values) -> Values:
        """Star on or off."""
        self._library.star(self._one(values).id, values.get("on") is True)
        return {}

    def delete(self, values: Values) -> Values:
        """Into the bin."""
        return {"done": deleted.delete(self._library, self._all(values))}

    def restore(self, values: Values) -> Values:
        """Out of the bin."""
        return {"done": deleted.restore(self._library, self._all(values))}

    def again(self, values: Values) -> Values:
        """Run it with a new seed: the run's id, beside what ``form`` tells."""
        found = again(self._one(values), False, self._renew)
        if not found.is_whole:
            what = "picture" if found.lacks is None else f"clip {found.lacks}"
            raise InputError(f"Its {what} is not here any more; use its settings and choose one.")
        return {**self._filled(found), "run": self._run(found.settings)}

    def finish(self, values: Values) -> Values:
        """Begin a finishing step on a video; its id."""
        return {"step": self._shelf.finishes.start(self._one(values), values, self._who)}

    def finishing(self, values: Values) -> Values:
        """How a finishing step stands."""
        return self._shelf.finishes.told(values.get("id"), self._who)

    def finish_stop(self, values: Values) -> Values:
        """End a finishing step."""
        self._shelf.finishes.stop(values.get("id"), self._who)
        return {}

    def clean_up(self, values: Values) -> Values:
        """Remove what was shown to go, and empty the bin; the limit is kept for the next time."""
        self._only_owner()
        self._library.remember(deleted.LIMIT, _limit(values))
        return {"freed_bytes": deleted.clean_up(self._library, self._all(values))}

    def _twins(self, entry: Entry) -> list[Entry]:
        """Its maker's other videos of the very same content."""
        alike = self._library.with_content(entry.fingerprint) if entry.twins else []
        return [one for one in alike if one.id != entry.id and one.maker == entry.maker and not one.deleted]

    def _query(self, values: Values) -> Query:
        return Query(
            words=str(values.get("words", ""))[:500],
            task=str(values.get("task", "")),
            model=str(values.get("model", "")),
            starred=values.get("starred") == "yes",
            deleted=values.get("deleted") == "yes",
            maker=self._shelf.maker(self._who),
            day=day_of(str(values.get("day", ""))),
            zone=_zone(values),
        )

    def _told(self, entries: Any) -> list[Values]:
        thumbs, library = self._shelf.thumbs, self._library
        return [
            told(one, file_url(library.path(one)), thumbs.path(one.fingerprint).is_file()) for one in entries
        ]

    def _one(self, values: Values) -> Entry:
        entry = self._shelf.shown(values.get("id"), self._who)
        if entry is None:
            raise InputError(NOT_HERE)
        return entry

    def _all(self, values: Values) -> list[Entry]:
        """Those of the videos named that there are, and that this visitor may see."""
        ids = values.get("ids")
        if not isinstance(ids, list) or len(ids) > MAX_IDS:
            raise InputError(f"ids is no list of at most {MAX_IDS} videos.")
        found = (self._shelf.shown(one, self._who) for one in ids)
        return [entry for entry in found if entry is not None]

    def _only_owner(self) -> None:
        if self._shelf.is_open:
            raise InputError("Only the owner of the server cleans up its folder.")


Answer = Callable[[Answers, Values], Values]
QUESTIONS: dict[str, Answer] = {
    "videos": Answers.videos, "overview": Answers.overview, "revision": Answers.revision,
    "video": Answers.video, "neighbours": Answers.neighbours,
    "finishing": Answers.finishing, "form": Answers.form, "would_go": Answers.would_go,
}  # fmt: skip
ORDERS: dict[str, Answer] = {
    "thumbnails": Answers.thumbnails, "star": Answers.star, "delete": Answers.delete,
    "restore": Answers.restore, "again": Answers.again, "go_on": Answers.go_on,
    "clean_up": Answers.clean_up,
    "finish": Answers.finish, "finish_stop": Answers.finish_stop,
}  # fmt: skip


def _whole(values: Values, name: str) -> int:
    text = str(values.get(name, "0"))
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _zone(values: Values) -> tzinfo | None:
    """Where days begin for who asks, as browsers name it; this machine's where that says nothing."""
    name = str(values.get("zone", ""))
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a machine may have no table of zones
        return None


def _limit(values: Values) -> int:
    try:
        limit = int(values.get("limit_bytes", ""))
    except (TypeError, ValueError):
        limit = -1
    if not LEAST_LIMIT <= limit <= MOST_LIMIT:
        raise InputError("The limit is no size; give one of 0 or more.")
    return limit

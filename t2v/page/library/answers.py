"""What the library answers one visitor of the page: a method for each question and order."""

from collections.abc import Callable
from typing import Any

from t2v.checks import InputError
from t2v.library import bin as deleted
from t2v.library.entry import Entry
from t2v.library.search import Query, neighbours, nothing_found, overview, search
from t2v.library.spelling import nearest
from t2v.page.addresses import file_url
from t2v.page.library.again import Again, Renew, again, going_on
from t2v.page.library.asked import Values, limit_of, query_of, whole
from t2v.page.library.shelf import Shelf, told
from t2v.page.library.usual import usual

MAX_IDS = 5000
NOT_HERE = "This video is not in the library any more."

Run = Callable[[Any], str]


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
        offset, limit = (whole(values, name) for name in ("offset", "limit"))
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
        going = deleted.would_go(self._library, limit_of(values))
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
        if found.unlike:
            raise InputError(found.unlike[0])
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
        self._library.remember(deleted.LIMIT, limit_of(values))
        return {"freed_bytes": deleted.clean_up(self._library, self._all(values))}

    def _twins(self, entry: Entry) -> list[Entry]:
        """Its maker's other videos of the very same content."""
        alike = self._library.with_content(entry.fingerprint) if entry.twins else []
        return [one for one in alike if one.id != entry.id and one.maker == entry.maker and not one.deleted]

    def _query(self, values: Values) -> Query:
        return query_of(values, self._shelf.maker(self._who))

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

"""Detectors' weights that are not here: what says so, the button that fetches them, how far that is."""

import html
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from t2v.checks import InputError
from t2v.detectors.fetching import fetch, missing, size_of
from t2v.page.clip.part import use_in_html
from t2v.page.glances import Lacking
from t2v.page.notes import note_html
from t2v.tasks.controlled import ControlledSettings, controlled_kinds
from t2v.weights.hub import hub_answers
from t2v.weights.sizes import size_words, unit_of

TRIED = 'data-fetch="again"'  # on the button of a note that tells of a fetch that failed


@dataclass(frozen=True)
class Fetch:
    """How far fetching is: bytes that are here, of how many; error: why it ended without them."""

    here: int = 0
    total: int = 0
    is_over: bool = False
    error: str | None = None


class Fetches:
    """What is being fetched, once for the whole program however many ask for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[tuple[str, ...], Fetch] = {}

    def start(self, weights: tuple[str, ...]) -> None:
        """Begin to fetch; nothing happens where that is under way."""
        with self._lock:
            if not self._states.get(weights, Fetch(is_over=True)).is_over:
                return
            self._states[weights] = Fetch()
        threading.Thread(target=self._work, args=(weights,), name="fetching", daemon=True).start()

    def state(self, weights: tuple[str, ...]) -> Fetch:
        """How far it is."""
        with self._lock:
            return self._states.get(weights, Fetch(is_over=True))

    def _work(self, weights: tuple[str, ...]) -> None:
        def told(here: int, total: int) -> None:
            self._states[weights] = Fetch(here, total)

        error = None
        try:
            fetch(weights, told)
        except InputError as refused:
            error = str(refused)
        finally:
            with self._lock:
                self._states[weights] = replace(self._states[weights], is_over=True, error=error)


def weights_of(tasks: Sequence[str]) -> tuple[str, ...]:
    """The weights that are not here, of all these tasks."""
    return tuple(one for task in tasks for one in missing(task))


def lacking_html(lacking: Lacking, own: type[ControlledSettings], tabs: Mapping[str, str], by: str) -> str:
    """The note where weights are not here: what works without them, on this tab and on others.

    own: the tab's task. tabs: of the other tasks, by task. by: who tells it.
    """
    shows = " and ".join(controlled_kinds()[task].words.shows for task in lacking.tasks)
    begins = f"The weights that find {shows} in a clip are not on this machine"
    weights = weights_of(lacking.tasks)
    if hub_answers():
        text, size = f"{begins} yet.", size_of(weights)
        about = "" if not size else f" ({size_words(size)})"
        button = f'<button type="button" data-fetch="yes">Fetch them{about}</button>'
    else:
        text, button = f"{begins}, and the hub that has them cannot be reached from here.", ""
    text = f"{text} {_instead(lacking, own)}"
    open_tabs = {task: tab for task, tab in tabs.items() if not missing(task)}
    return note_html("error", text, f'<div class="ways">{button}{use_in_html(open_tabs)}</div>', by)


def _instead(lacking: Lacking, own: type[ControlledSettings]) -> str:
    """What works on this tab without the weights, in the words of its fields."""
    others = [controlled_kinds()[task].words.also for task in lacking.tasks if task != own.task]
    if own.task in lacking.tasks:
        works = f"the examples work, and clips that show {own.words.shows} already"
        return f"Without them {works}: tick “{own.words.ready}”."
    return f"Set {' and '.join(f'“{one}”' for one in others)} to 0 to go on without them."


def progress_html(state: Fetch, by: str) -> str:
    """The note while weights are fetched."""
    share, (unit, name) = state.here / state.total if state.total else None, unit_of(state.total)
    value = "" if share is None else f' value="{share:.3f}"'
    of = "" if share is None else f": {state.here / unit:,.0f} of {state.total / unit:,.0f} {name}"
    bar = f'<progress class="bar" aria-label="Fetching the weights"{value}></progress>'
    return note_html("hint", f"Fetching the weights{of} …", bar, by)


def failed_html(state: Fetch, by: str) -> str:
    """The note where they could not be fetched, with another try."""
    again = f'<div class="ways"><button type="button" {TRIED}>Try again</button></div>'
    text = html.unescape(state.error or "")
    return note_html("error", text[:1].upper() + text[1:], again, by)


def nothing_found_html(kind: type[ControlledSettings], tabs: Mapping[str, str], by: str) -> str:
    """The note where the detector found nothing to follow; "" for kinds that always find something."""
    text = kind.words.nothing_found
    open_tabs = {task: tab for task, tab in tabs.items() if not missing(task)}
    return note_html("hint", text, f'<div class="ways">{use_in_html(open_tabs)}</div>', by) if text else ""

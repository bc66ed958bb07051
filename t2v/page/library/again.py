"""Settings of a video, asked for again: what this version takes of them, and what it does not."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from t2v.checks import InputError
from t2v.engine.check_weights import check_weights
from t2v.library.continuing import continued, write_last_frame
from t2v.library.entry import Entry
from t2v.library.results import WEIGHTS
from t2v.page.studio import Studio
from t2v.page.uploads import allowed_clip, allowed_picture
from t2v.page.visitors import check_offered, source_of, visitor_of
from t2v.tasks import ABOUT, TASKS, Settings, settings_of
from t2v.tasks.clip import ClipSettings
from t2v.tasks.first_frame import OF_A_PICTURE
from t2v.tasks.picture_prompt import WITHOUT as OF_A_PROMPT
from t2v.tasks.recorded import KEY, with_those_here
from t2v.weights.recorded import recorded

Renew = Callable[[str], str]


@dataclass(frozen=True)
class Again:
    """Settings to be run again, and sentences on what of them could not be taken.

    lacks: the name of the clip that has to be chosen before they can run, None where none has to. unlike:
    sentences on weights that are not here, or others than it was drawn with. is_whole: whether they ask for
    the same video, but for the seed.
    """

    settings: Settings
    notes: tuple[str, ...] = ()
    lacks: str | None = None
    unlike: tuple[str, ...] = ()
    is_whole: bool = True


def again(entry: Entry, with_seed: bool, renew: Renew = str) -> Again:
    """The settings of a video, as far as this version knows them; InputError for an unknown task.

    with_seed: else a new seed is drawn. Of a clip only the name stands in the file: it is found again while
    its upload is still here, or where it is one of the examples; so are weights in folders of this machine.
    renew: what gives a path for one that went with an earlier program.
    """
    stored = entry.settings
    kind = TASKS.get(str(stored.get("task")))
    if kind is None:
        raise InputError("This video carries no settings that can be used again.")
    weights = _places(entry)
    taken, left_out = _known(kind, {**stored, **weights})
    notes, lacks = [], None
    if left_out:
        made_by = f" (it was made by version {stored['version']})" if stored.get("version") else ""
        notes.append(f"This version does not take its {', '.join(left_out)}{made_by}; that was left out.")
    if issubclass(kind, ClipSettings):
        taken["clip"] = _still_there(entry.private.get("clip"), renew, allowed_clip)
        if not taken["clip"]:
            lacks = str(stored.get("clip") or "")
    lacks_picture = False
    for fields, told in ((OF_A_PICTURE, "that it starts from"), (OF_A_PROMPT, "that is a prompt")):
        field = next(iter(fields))
        if not isinstance(stored.get(field), str):
            continue
        picture = _still_there(entry.private.get(field), renew, partial(allowed_picture, field=field))
        if not picture:
            lacks_picture = True
            notes.append(f"The picture “{Path(stored[field]).name}” {told} has to be chosen again.")
            continue
        own = {name: {**stored, **weights}[name] for name in fields if name in stored}
        taken |= own | {field: picture}
    settings = settings_of({**_least(kind), **taken, "task": kind.task, KEY: stored.get(KEY)})
    settings, unlike = with_those_here(settings)
    settings = settings if with_seed else dataclasses.replace(settings, seed=None)
    is_whole = lacks is None and not lacks_picture and not unlike
    return Again(settings, (*notes, *unlike), lacks, unlike, is_whole)


def going_on(entry: Entry, video: Path) -> Again:
    """Settings for what follows a video; its last frame is put where uploads lie, to be drawn from."""
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    settings = continued(video, write_last_frame(video, folder))
    settings = dataclasses.replace(settings, model=_places(entry).get("model", settings.model))
    settings, unlike = with_those_here(settings)
    return Again(settings, unlike, unlike=unlike)


def run_again(studio: Studio, request: Any, settings: Settings) -> str:
    """Into the queue, as if who asks had pressed Run; the run's id. InputError where it cannot be run."""
    settings = check_offered(studio, settings)
    settings.check()
    check_weights(settings)
    return studio.jobs.submit(settings, visitor_of(studio, request), source_of(studio, request))


def _places(entry: Entry) -> dict[str, str]:
    """Where its weights lie in folders of this machine, by field, as far as they are still the same ones."""
    places = {name: entry.private[name] for name in WEIGHTS & entry.private.keys()}
    told = entry.settings.get(KEY)
    told = told if isinstance(told, Mapping) else {}
    return {
        name: place
        for name, place in places.items()
        if name not in told or told[name] == list(recorded(place))
    }


def _known(kind: type[Settings], stored: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The fields that this version takes, together or else each with the prompt, and the names of others."""
    fields = {field.name for field in dataclasses.fields(kind)}
    of_files = {"clip", *OF_A_PICTURE, *OF_A_PROMPT}
    own = [name for name in stored if name not in ABOUT and name not in of_files]
    known = {name: stored[name] for name in own if name in fields}
    if not _are_taken(kind, known):  # a subject, say, is words of its prompt
        prompt = {name: value for name, value in known.items() if name == "prompt"}
        prompt = prompt if _are_taken(kind, prompt) else {}
        known = {name: value for name, value in known.items() if _are_taken(kind, {**prompt, name: value})}
    return known, [name for name in own if name not in known]


def _are_taken(kind: type[Settings], values: Mapping[str, object]) -> bool:
    try:
        settings = settings_of({**_least(kind), **values, "task": kind.task})
        if isinstance(settings, ClipSettings):
            Settings.check(settings)  # its clip is not there yet
        else:
            settings.check()
    except (InputError, TypeError, ValueError, AttributeError):  # of another type than any version's
        return False
    return True


def _least(kind: type[Settings]) -> dict[str, Any]:
    return {"prompt": "a", "clip": ""} if issubclass(kind, ClipSettings) else {"prompt": "a"}


def _still_there(path: str | None, renew: Renew, allowed: Callable[[object], str]) -> str:
    """The path of an upload, if it is still there or kept and may be used; else nothing."""
    try:
        path = None if path is None else renew(path)
        return "" if path is None or not Path(path).is_file() else allowed(path)
    except (InputError, OSError, ValueError):
        return ""

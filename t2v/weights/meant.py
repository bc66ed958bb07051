"""What is said of a name of weights that leads nowhere, or to several files in the folder of models."""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePath, PurePosixPath

from t2v.checks import nearest
from t2v.weights.files import is_file
from t2v.weights.models_folder import called, contents, models_folder, with_places
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.header import ENDINGS

NAMED = 4  # files at most that a refusal names


def absent(what: str, name: str, allowed: str, instead: Callable[[], str] | None = None) -> ModelError:
    """The refusal of a name that means nothing that is there. what: how it is called: "model".

    allowed: what may be given. instead: what to do, the rest of a sentence; None: what is called alike is
    named.
    """
    alike = called(name)
    if len(alike) > 1:
        return several(what, name, alike)
    if instead is not None:
        return ModelError(f"{what} {name} is not there; {instead()}, or give {allowed}.")
    others = _of_that_name(name)
    if others:
        which = "which is there, is another file" if len(others) == 1 else "which are there, are other files"
        instead_of = "that one" if len(others) == 1 else "one of those"
        told = f"{_joined(others, 'and')}, {which} of that name; give {instead_of}, or put the first back"
        return ModelError(f"{what} {name} is not there, and {told}.")
    return ModelError(f"{what} {name} is not there{_nearest(name) or f'; give {allowed}.'}")


def several(what: str, name: str, alike: Sequence[str]) -> ModelError:
    """The refusal of a name that more than one file has. alike: the names that each has alone."""
    return ModelError(f"{what} {name} may be {_joined(alike, 'or')}; give one of these names.")


def _of_that_name(path: str) -> list[str]:
    """Where files lie, as paths from the folder of models, that are called as the last part of a path."""
    given = PurePath(path)
    if len(given.parts) < 2:
        return []
    return [place for place in with_places().values() if PurePosixPath(place).name == given.name]


def _joined(names: Sequence[str], word: str) -> str:
    more = len(names) - NAMED
    told = list(names) if more < 1 else [*names[:NAMED], f"{more} more"]
    return f"{', '.join(told[:-1])} {word} {told[-1]}" if len(told) > 1 else told[0]


def _nearest(name: str) -> str:
    """ ", did you mean 'dream.safetensors'?", where a file is called alike; else ""."""
    ended = next((one for one in (f"{name}{ending}" for ending in ENDINGS) if is_file(Path(one))), None)
    if ended is not None:  # where one is, a name has its ending
        return f", did you mean '{ended}'?"
    known = sorted(contents(models_folder()).named, key=lambda one: -one.name.count("/"))
    # of several of one name the one in the folder itself is meant
    without_endings = {one.name if one.is_folder else one.path.stem: one.name for one in known}
    given = PurePath(name)
    typed = given.stem if given.suffix.lower() in ENDINGS else name
    return nearest(typed, without_endings, without_endings)

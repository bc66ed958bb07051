"""Names of weights as visitors type them, read among what the page lists and nothing else.

Nothing is looked for on this machine for them, which would tell what lies there, and nothing is fetched.
"""

from collections.abc import Iterable, Sequence

from t2v.checks import InputError, check_text
from t2v.page.lora_rows import goes_behind
from t2v.weights.meant import several
from t2v.weights.models_folder import called, with_places
from t2v.weights.source import BUNDLED, LONGEST, Source


def offered_model(asked: object, offered: Sequence[str]) -> str:
    """The full name of one of these models, with what is on offer behind it; InputError for any other."""
    wholes = [Source.parse(one) if "+" in one else Source(one) for one in offered]
    bases = [one.base for one in wholes]
    base = _read("model", asked, bases).base
    alike = [one for one in wholes if one.base == base]
    behind = goes_behind(base == BUNDLED)
    own = [name for one in alike for name in one.adapters]
    source = _read("model", asked, [*bases, *behind, *own])
    source.check_named()
    for one in alike:
        count = len(one.adapters)
        if source.adapters[:count] == one.adapters and all(
            name in behind for name in source.adapters[count:]
        ):
            return source.name
    known = list(dict.fromkeys((*behind, *own)))
    unknown = [name for name in source.adapters if name not in known]
    if alike and unknown:
        raise _lora_not_on_offer(unknown[0], known)
    raise _not_on_offer("model", base, offered)


def offered_name(field: str, asked: object, names: Iterable[str]) -> str:
    """The full name of one of these; InputError for any other."""
    names = list(dict.fromkeys(names))
    found = _read(field, asked, names).name
    if found not in names:
        raise _not_on_offer(field, found, names)
    return found


def _read(field: str, asked: object, names: Iterable[str]) -> Source:
    """A name taken apart among these; InputError for what is no name."""
    return Source.parse(check_text(field, asked, LONGEST), with_places(names))


def _not_on_offer(field: str, name: str, names: Sequence[str]) -> InputError:
    alike = called(name, with_places(names))
    if len(alike) > 1:
        return several(field, name, alike)
    return InputError(f"{field} is not on offer here; choose one of {', '.join(names)}.")


def _lora_not_on_offer(name: str, names: Sequence[str]) -> InputError:
    alike = called(name, with_places(names))
    if len(alike) > 1:
        return several("lora", name, alike)
    choose = f"choose one of {', '.join(names)}, or " if names else ""
    return InputError(f"lora {name} is not on offer here; {choose}leave it out.")

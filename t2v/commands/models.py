"""``generate.py models``: what lies in the folder of models, and what each file is."""

from pathlib import Path
from typing import Any

from t2v.checks import counted, one_line
from t2v.commands.options import FURTHER, MODELS_HINT
from t2v.commands.outcome import Outcome
from t2v.program import Parser
from t2v.weights.folders import LeftOut
from t2v.weights.guides import listed_networks
from t2v.weights.listing import Listed, listed
from t2v.weights.models_folder import MODELS, NOTE, check_models_folder, contents, make_models_folder
from t2v.weights.sizes import size_words


def models(argv: list[str], prog: str) -> Outcome:
    """List the folder; InputError where there is none. The one beside the app is made, as the app does."""
    about = f"{FURTHER['models'].capitalize()}."
    parser = Parser(prog=f"{prog} models", description=about, allow_abbrev=False)
    parser.add_argument("--models", type=Path, metavar="DIR", help=MODELS_HINT)
    parser.add_argument("--json", action="store_true", help="print the list as one line of JSON on stdout")
    asked = parser.parse_args(argv)
    folder = MODELS if asked.models is None else asked.models
    made = _made_now(folder) if asked.models is None else ""
    if not made:
        check_models_folder(folder)
    found, left_out = _all(folder), contents(folder).left_out
    report = {
        "models": [_report(one) for one in found],
        "left_out": [{"name": _name(one, folder), "why": one.why} for one in left_out],
    }
    lines = [_table(found, folder, made), *(f"{_name(one, folder)} {one.why}." for one in left_out)]
    return Outcome(report, "\n".join(lines), asked.json)


def _all(folder: Path) -> tuple[Listed, ...]:
    """Files, models' folders, and folders with a ControlNet or T2I-Adapter alone, by their paths."""
    return tuple(sorted((*listed(folder), *listed_networks(folder)), key=lambda one: one.path))


def _made_now(folder: Path) -> str:
    """What to tell of the folder of models that is made now; "" where there is one."""
    if folder.exists():
        return ""
    try:
        make_models_folder(folder)
    except OSError as error:
        none = f"there is no folder {folder} here, and none can be made ({error.strerror})"
        return f"{none}; give another, --models DIR"
    return f"{folder} is made now, and {NOTE} in it says what belongs there"


def _name(one: LeftOut, folder: Path) -> str:
    """What is left out, by its path from the folder of models."""
    return one_line(str(folder) if one.path == folder else one.path.relative_to(folder).as_posix())


def _report(one: Listed) -> dict[str, Any]:
    told = {} if one.kind is None else {"kind": one.kind.kind, "family": one.kind.family}
    size = 0 if one.size is None else one.size
    return {"name": one.name, "is": one.words, **told, "bytes": size, "why_not": one.why}


def _table(found: tuple[Listed, ...], folder: Path, made: str) -> str:
    """made: what is told of a folder that is new."""
    if made:
        return f"There are no models yet: {made}."
    if not found:
        nothing = "there is no file of weights; put checkpoints, VAEs and LoRAs there"
        return f"In {one_line(str(folder))} {nothing}."
    names = [one_line(one.name) for one in found]
    widest = max(map(len, names))
    lines = [
        f"{name:<{widest}}  {_size(one):>7}  {_told(one)}" for name, one in zip(names, found, strict=True)
    ]
    return "\n".join([f"{counted(len(found), 'file')} in {one_line(str(folder))}:", *lines])


def _size(one: Listed) -> str:
    if one.size is None:
        return ""
    return size_words(one.size) if one.size else "0 bytes"


def _told(one: Listed) -> str:
    """What it is; and what is wrong with it, where that is not said by what it is."""
    if one.why is None or one.why.startswith(f"is {one.words}"):
        return one.words
    why = one.why.rstrip(".")
    return f"{one.words}, which {why}" if one.kind is not None or one.is_folder else why.removeprefix("is ")

"""``generate.py models``: what lies in the folder of models, and what each file is."""

from pathlib import Path
from typing import Any

from t2v.checks import InputError, counted
from t2v.commands.options import FURTHER, MODELS_HINT
from t2v.commands.outcome import Outcome
from t2v.program import Parser
from t2v.weights.listing import Listed, listed
from t2v.weights.models_folder import MODELS
from t2v.weights.sizes import size_words


def models(argv: list[str], prog: str) -> Outcome:
    """List the folder; InputError where there is none."""
    about = f"{FURTHER['models'].capitalize()}."
    parser = Parser(prog=f"{prog} models", description=about, allow_abbrev=False)
    parser.add_argument("--models", type=Path, default=MODELS, metavar="DIR", help=MODELS_HINT)
    parser.add_argument("--json", action="store_true", help="print the list as one line of JSON on stdout")
    asked = parser.parse_args(argv)
    check_models_folder(asked.models)
    found = listed(asked.models)
    return Outcome({"models": [_report(one) for one in found]}, _table(found, asked.models), asked.json)


def check_models_folder(folder: Path) -> None:
    """InputError for a folder of models that is not there."""
    if not folder.is_dir():
        raise InputError(f"--models is '{folder}', which is no folder; give one with files of models in it.")


def _report(one: Listed) -> dict[str, Any]:
    told = {} if one.kind is None else {"kind": one.kind.kind, "family": one.kind.family}
    return {"name": one.name, "is": one.words, **told, "bytes": one.size, "why_not": one.why}


def _table(found: tuple[Listed, ...], folder: Path) -> str:
    if not found:
        return f"In {folder} there is no file of weights; put checkpoints, VAEs and LoRAs there."
    widest = max(len(one.name) for one in found)
    lines = [f"{one.name:<{widest}}  {_size(one):>7}  {_told(one)}" for one in found]
    return "\n".join([f"{counted(len(found), 'file')} in {folder}:", *lines])


def _size(one: Listed) -> str:
    return size_words(one.size) if one.size else ""


def _told(one: Listed) -> str:
    """What it is; and what is wrong with it, where that is not said by what it is."""
    if one.why is None or one.why.startswith(f"is {one.words}"):
        return one.words
    return f"{one.words}, which {one.why.rstrip('.')}"

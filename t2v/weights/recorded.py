"""Names of weights in the settings that a file carries: which file each was, without telling where it lay.

A name alone may lead to other weights on another day, or on another machine. Beside it stands a print of the
file, "own.safetensors<0123456789ab>", by which it is found again, or another of its name is refused.
"""

import hashlib
import os
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from t2v.weights.files import is_file, is_folder
from t2v.weights.marks import file_mark
from t2v.weights.models_folder import contents, find_by_name, models_folder
from t2v.weights.refusals import ModelError
from t2v.weights.source import BUNDLED, LORA_FILE, Source, as_path, is_there

MARKED = re.compile(r"(.+)<([0-9a-f]{12})>(@.*)?", re.DOTALL)  # name, print, strength
MARK = re.compile(r"<[0-9a-f]{12}>(?=[@+]|$)")
PIECES, PIECE_BYTES = 256, 4096  # of a file that are looked at, evenly along it
OF_WEIGHTS = (".safetensors", ".bin")  # in folders of diffusers'


def weights_print(path: Path) -> str | None:
    """Twelve digits that tell a file of weights, or a folder in diffusers' format, from others.

    By its size and a megabyte of what is in it, which takes no longer for a large one. None where there are
    no weights, or none that can be read.
    """
    try:
        files = [path] if is_file(path) else sorted(_weights_in(path)) if is_folder(path) else []
        prints = [(str(one.relative_to(path)), _file_print(one, file_mark(one))) for one in files]
    except OSError:
        return None
    return hashlib.sha256(repr(prints).encode()).hexdigest()[:12] if prints else None


def recorded(name: str) -> tuple[str, ...]:
    """A model's name, as ``Source.kept_name`` has it, in its pieces, each with the print of its file.

    What is no file on this disk has none, nor what is bundled.
    """
    source = Source.parse(name)
    told = source.told if source.told else (None,) * len(source.adapters)
    behind = (
        _marked(adapter, _adapter_path(source, adapter)) + ("" if strength is None else f"@{strength}")
        for adapter, strength in zip(source.adapters, told, strict=True)
    )
    return (_marked(source.base, _path(source.base)), *behind)


def is_marked(name: str) -> bool:
    """Whether a piece of the name still has a print."""
    return MARK.search(name) is not None


def plain(name: str) -> str:
    """The name without prints."""
    return MARK.sub("", name)


def settled(pieces: Sequence[str]) -> str:
    """The name that leads to the files that these pieces tell (``recorded``), on this disk.

    They are looked for in the folder of models, under their names there or others, and then where the
    program was started. A piece whose file is not here keeps its print: ``check_recorded`` refuses it.
    """
    base = _settled(pieces[0], None)
    return "+".join((base, *(_settled(one, Source(base)) for one in pieces[1:])))


def first_in_folder(name: str) -> str:
    """A name that was kept without prints: what lies in the folder of models goes before all else."""
    if not _is_inside(name):
        return name
    source = Source.parse(name)
    base = _in_folder(source.base)
    adapters = tuple(
        one if source.companion(one, LORA_FILE) is not None else _in_folder(one) for one in source.adapters
    )
    is_same = (base, adapters) == (source.base, source.adapters)
    return name if is_same else replace(source, base=base, adapters=adapters).name


def check_recorded(field: str, name: str) -> None:
    """ModelError where a name still has a print: the file that it was is not here."""
    for piece in name.split("+") if is_marked(name) else ():
        found = MARKED.fullmatch(piece)
        if found is not None:
            alone = found[1]
            if is_there(alone):
                told = f"{field} {alone} is another file here than the one that the video was made with"
                raise ModelError(
                    f"{told}; give the path of that one, or {plain(name)} again for what is here."
                )
            told = f"{field} {alone}, which the video was made with, is not here"
            raise ModelError(f"{told}; give its path, or put it into the folder of models.")


def _marked(name: str, path: Path | None) -> str:
    told = None if path is None else weights_print(path)
    return Source(name).kept_name + ("" if told is None else f"<{told}>")


def _path(name: str) -> Path | None:
    return as_path(name) if name != BUNDLED and is_there(name) else None


def _adapter_path(source: Source, adapter: str) -> Path | None:
    beside = source.companion(adapter, LORA_FILE)
    if beside is None:
        return _path(adapter)
    return None if source.is_bundled else Path(beside)


def _settled(piece: str, model: Source | None) -> str:
    found = MARKED.fullmatch(piece)
    if found is None:
        return piece
    name, told, strength = found[1], found[2], found[3] or ""
    fits = (called for called, path in _candidates(name, model) if weights_print(path) == told)
    called = next(fits, None)
    return piece if called is None else called + strength


def _candidates(name: str, model: Source | None) -> Iterator[tuple[str, Path]]:
    """What may be meant, and what leads there. model: beside which it may lie."""
    beside = None if model is None else model.companion(name, LORA_FILE)
    if beside is not None:
        yield name, Path(beside)
    if not _is_inside(name):
        return
    found = find_by_name(name)
    alike = (one.path for one in contents(models_folder()).named if one.path.name == Path(name).name)
    for path in (() if found is None else (found,)), alike:
        for one in path:
            yield _called(name if beside is None else "", one), one
    yield _called(name if beside is None else "", Path(name)), Path(name)


def _in_folder(name: str) -> str:
    found = None if name == BUNDLED else find_by_name(name)
    return name if found is None else _called(name, found)


def _called(name: str, path: Path) -> str:
    """The name where it leads there, else what else does: its name in the folder of models, or its path."""
    whole = os.path.abspath(path)
    names = (name, Source(whole).kept_name)
    return next((one for one in names if one and os.path.abspath(as_path(one)) == whole), whole)


def _is_inside(name: str) -> bool:
    given = Path(name)
    return bool(name.strip()) and not given.is_absolute() and ".." not in given.parts


def _weights_in(folder: Path) -> Iterator[Path]:
    inside = [
        *folder.iterdir(),
        *(one for each in folder.iterdir() if each.is_dir() for one in each.iterdir()),
    ]
    return (one for one in inside if one.suffix.lower() in OF_WEIGHTS and is_file(one))


@lru_cache(maxsize=256)
def _file_print(path: Path, mark: Hashable) -> str:
    """mark: of the file as it is now, so that a later one in its place is looked at anew."""
    size = path.stat().st_size
    told = hashlib.sha256(str(size).encode())
    last = max(size - PIECE_BYTES, 0)
    with path.open("rb") as file:
        for start in sorted({last * number // (PIECES - 1) for number in range(PIECES)}):
            file.seek(start)
            told.update(file.read(PIECE_BYTES))
    return told.hexdigest()

"""The folder where people put files of weights, which then are known by their names."""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from t2v.checks import InputError, one_line
from t2v.weights.files import is_file, is_folder
from t2v.weights.folders import Folder, LeftOut, walk, why_closed
from t2v.weights.single_file.header import ENDINGS

logger = logging.getLogger(__name__)

MODELS = Path("models")  # beside the app, where nobody says otherwise
NOTE = "PUT MODELS HERE.txt"
NOTE_TEXT = """Files in this folder, and in folders of it, are on offer in the app by their names.

What a file is, is found out from the file itself: names and folders are up to you.

  checkpoints of Stable Diffusion 1.x, 2.x and XL (.safetensors, .ckpt): to draw with
  VAEs (.safetensors, .ckpt, .pt): behind a model's name, as MODEL+VAE
  small VAEs (TAESD: diffusers' files or folders of taesd and, with "xl" in their names, taesdxl): by
  themselves, for a sharper view of videos that are being drawn; behind a name, for whole drafts
  LoRAs (.safetensors): behind a model's name, as MODEL+LORA@0.7
  ControlNets and T2I-Adapters (.safetensors, .pth): beside a model, by their names, in runs that follow a
  clip
  IP-Adapters (.safetensors, .bin), and beside them their folder image_encoder: for pictures as prompts
  textual inversions (.safetensors, .pt): by their names, without the ending, in a prompt
  folders in diffusers' format: to draw with, trained video models (ModelScope, CogVideoX, Wan) among them

Files of other kinds may lie here too; the page and `generate.py models` say what they are.
A .yaml of a checkpoint's name, as its makers give it out, tells what it predicts.
"""
MOST_FILES = 2000
DEPTH = 3  # folders in folders that are looked into
MOST_NETWORKS = 500  # folders of single networks that are looked into
INDEX, CONFIG = "model_index.json", "config.json"  # of a model in diffusers' format, and of one network

_chosen: list[Path] = []
_goes_first = [False]
_told: dict[Path, frozenset[LeftOut]] = {}  # what was left out of a folder when it was looked through last


@dataclass(frozen=True)
class Named:
    """A file of weights, or a model's folder, and what people call it wherever the folder of models is."""

    name: str
    path: Path
    is_folder: bool


@dataclass(frozen=True)
class Contents:
    """What lies in a folder of models, sorted. left_out: what should count and cannot be looked at."""

    named: tuple[Named, ...]
    left_out: tuple[LeftOut, ...]


def use_models_folder(folder: Path | None, goes_first: bool = False) -> None:
    """From now on, of this process, models are looked for by name in ``folder``; None: in "models".

    goes_first: also where the folder that the program was started in has a file of a name, as in a page,
    whose pickers show what is in the folder of models.
    """
    _chosen[:] = [] if folder is None else [folder]
    _goes_first[:] = [goes_first]


def goes_first() -> bool:
    """Whether a name means a file of the folder of models though another lies where the program started."""
    return _goes_first[0]


def models_folder() -> Path:
    return _chosen[0] if _chosen else MODELS


def make_models_folder(folder: Path) -> None:
    """The folder, with a note of what belongs there where it is new. OSError where there can be none."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / NOTE).write_text(NOTE_TEXT, encoding="utf-8")


def check_models_folder(folder: Path) -> None:
    """InputError for what --models says, where it is no folder, or none that can be looked into."""
    why = why_closed(folder)
    if why is not None:
        raise InputError(f"--models is '{folder}', which {why}; choose another, or let it be read.")
    if not is_folder(folder):
        raise InputError(f"--models is '{folder}', which is no folder; give one with files of models in it.")


def contents(folder: Path) -> Contents:
    """Files of weights in a folder, and in folders of it; of diffusers' folders only the folders themselves.

    Nothing in it, however strange, ends this; what is left out is logged once, until it is mended.
    """
    found: list[tuple[Path, bool]] = []
    left_out: list[LeftOut] = []
    for one in walk(folder, DEPTH + 1, _holds_more):
        if isinstance(one, LeftOut):
            if one.is_folder or one.path.suffix.lower() in ENDINGS:
                left_out.append(one)
        elif one.depth and INDEX in one.files:
            found.append((one.path, True))
        elif one.depth <= DEPTH and _holds_more(one):
            files = (name for name in one.files if name.lower().endswith(ENDINGS))
            found.extend((one.path / name, False) for name in files)
        if len(found) > MOST_FILES:
            break
    _tell(folder, frozenset(left_out))
    return Contents(tuple(_named(folder, sorted(found[:MOST_FILES]))), tuple(left_out))


def files_of_folder(folder: Path) -> list[Path]:
    """The paths alone of ``contents``; none of what is no folder."""
    return [one.path for one in contents(folder).named]


def _holds_more(folder: Folder) -> bool:
    """Whether files and folders in one are looked at, or are parts of one model."""
    return folder.depth == 0 or not {INDEX, CONFIG} & set(folder.files)


def _named(folder: Path, found: Iterable[tuple[Path, bool]]) -> Iterator[Named]:
    """By their names alone, or by the path from the folder where two have the same, or another is nearer."""
    found = list(found)
    often = Counter(path.name for path, _ in found)
    try:
        nearer = set(os.listdir(folder))
    except OSError:  # taken away since
        nearer = set()
    for path, is_model in found:
        by_path = is_model or often[path.name] > 1 or path.name in nearer
        yield Named(path.relative_to(folder).as_posix() if by_path else path.name, path, is_model)


def _tell(folder: Path, left_out: frozenset[LeftOut]) -> None:
    for one in sorted(left_out - _told.get(folder, frozenset()), key=lambda one: one.path):
        logger.info("left out of the models: %s %s", one_line(str(one.path)), one.why)
    _told[folder] = left_out


def networks_of_folder(folder: Path) -> Iterator[Path]:
    """Folders in it that have one network each, in diffusers' format: with a config.json."""
    folders = (one for one in walk(folder, DEPTH, lambda _: True) if isinstance(one, Folder))
    networks = (one.path for one in folders if one.depth and CONFIG in one.files)
    yield from islice(networks, MOST_NETWORKS)


def find_by_name(name: str) -> Path | None:
    """The file or folder of this name, or path from there, in the folder of models; None without.

    None, too, for the name of several files in its folders, of which nobody can tell which is meant.
    """
    folder = models_folder()
    given = Path(name)
    if not _may_be_inside(name) or not is_folder(folder):
        return None
    if (folder / given).exists():
        return folder / given
    if len(given.parts) > 1 or given.suffix.lower() not in ENDINGS:
        return None
    found = [path for path in files_of_folder(folder) if path.name == name]
    return found[0] if len(found) == 1 else None


def with_places(names: Iterable[str] | None = None) -> dict[str, str]:
    """Names, and where the file of each lies in the folder of models: its path from it, "" without.

    names: None for those of all files there.
    """
    folder = models_folder()
    files = (one for one in contents(folder).named if not one.is_folder)
    places = {one.name: one.path.relative_to(folder).as_posix() for one in files}
    return places if names is None else {name: places.get(name, "") for name in names}


def find_without_ending(name: str, listed: Mapping[str, str] | None = None) -> str | None:
    """The whole name of the one file in the folder of models that has this name and an ending; None where
    there is none, or several. One that lies in the folder itself goes before those in its folders.

    listed: the only ones that are looked for, as ``with_places`` has them; None: all.
    """
    folder = models_folder()
    if not _may_be_inside(name) or (listed is None and not is_folder(folder)):
        return None
    if listed is None and len(Path(name).parts) > 1:
        fits = [f"{name}{ending}" for ending in ENDINGS if is_file(folder / f"{name}{ending}")]
    else:
        fits = called(name, with_places() if listed is None else listed)
    return fits[0] if len(fits) == 1 else None


def called(name: str, listed: Mapping[str, str] | None = None) -> list[str]:
    """The names of all files in the folder of models that a name, or a path from there, means, with its
    ending or without: several where nobody can tell which. One in the folder itself goes before others.

    listed: as in ``find_without_ending``.
    """
    places = with_places() if listed is None else listed
    is_path = len(Path(name).parts) > 1
    known = {one: PurePosixPath(place) for one, place in places.items() if place}
    known = known if is_path else {one: PurePosixPath(place.name) for one, place in known.items()}
    alike = [one for one, place in known.items() if str(place) == name]
    alike = alike or [one for one, place in known.items() if str(place.with_suffix("")) == name]
    return [one for one in alike if "/" not in places[one]] or alike


def name_in_folder(path: Path) -> str | None:
    """What a file or folder is called that lies in the folder of models; None of what lies elsewhere."""
    folder = models_folder()
    try:
        place = Path(os.path.abspath(path)).relative_to(os.path.abspath(folder))
    except ValueError:
        return None
    if len(place.parts) < 2:
        return place.name or None
    named = (one.name for one in contents(folder).named if one.path == folder / place)
    return next(named, place.as_posix())


def _may_be_inside(name: str) -> bool:
    given = Path(name)
    return bool(name.strip()) and not given.is_absolute() and ".." not in given.parts

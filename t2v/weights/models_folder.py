"""The folder where people put files of weights, which then are known by their names."""

import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

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
MOST_FOLDERS = 500  # of single networks that are looked into, of each depth

_chosen: list[Path] = []


def use_models_folder(folder: Path | None) -> None:
    """From now on, of this process, models are looked for by name in ``folder``; None: in "models"."""
    _chosen[:] = [] if folder is None else [folder]


def models_folder() -> Path:
    return _chosen[0] if _chosen else MODELS


def make_models_folder(folder: Path) -> None:
    """The folder, with a note of what belongs there where it is new. OSError where there can be none."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / NOTE).write_text(NOTE_TEXT, encoding="utf-8")


def files_of_folder(folder: Path) -> list[Path]:
    """Files of weights in it, sorted; of diffusers' folders only the folders themselves."""
    found: list[Path] = []
    _collect(folder, 0, found)
    return sorted(found[:MOST_FILES])


def _collect(folder: Path, depth: int, found: list[Path]) -> None:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        logger.info("the folder %s is not looked into: %s", folder, error)
        return
    for path in inside:
        if path.name.startswith(".") or len(found) > MOST_FILES:
            continue
        if path.is_dir():
            if (path / "model_index.json").is_file():
                found.append(path)
            elif depth < DEPTH and not (path / "config.json").is_file():
                _collect(path, depth + 1, found)
        elif path.suffix.lower() in ENDINGS and path.is_file():
            found.append(path)


def networks_of_folder(folder: Path) -> Iterator[Path]:
    """Folders in it that have one network each, in diffusers' format: with a config.json."""
    for depth in range(1, DEPTH + 1):
        for config in sorted(islice(folder.glob(f"{'*/' * depth}config.json"), MOST_FOLDERS)):
            yield config.parent


def find_by_name(name: str) -> Path | None:
    """The file or folder of this name, or path from there, in the folder of models; None without."""
    folder = models_folder()
    given = Path(name)
    if not name.strip() or given.is_absolute() or ".." in given.parts or not folder.is_dir():
        return None
    if (folder / given).exists():
        return folder / given
    if len(given.parts) > 1 or given.suffix.lower() not in ENDINGS:
        return None
    return next((path for path in files_of_folder(folder) if path.name == name), None)

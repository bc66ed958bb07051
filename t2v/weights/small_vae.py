"""Small VAEs (TAESD) in the folder of models, by which runs are shown while they are drawn.

Those of Stable Diffusion 1.x and 2.x (taesd) and of XL (taesdxl) are alike but for their values: which is
which, only their names tell.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny

from t2v.devices import settle
from t2v.weights.family import STABLE_DIFFUSION, STABLE_DIFFUSION_XL, Family
from t2v.weights.files import files_of, is_file, read_object
from t2v.weights.models_folder import files_of_folder, models_folder, networks_of_folder
from t2v.weights.network import Place, load_network
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import look
from t2v.weights.single_file.details import TAESD
from t2v.weights.single_file.draft_vae import draft_decoder
from t2v.weights.single_file.values import Values
from t2v.weights.source import CONFIG, MODEL_INDEX

MOST_BYTES = 50_000_000  # several times what there is of the kind: larger files are not looked into
CALLED, OF_XL = "taesd", "xl"  # what names of such files have in them, in small letters


def small_vae_of(family: Family) -> Path | None:
    """The first small VAE for a family in the folder of models: a file, or a folder of diffusers'."""
    root = models_folder()
    for path in _small_vaes(root):
        is_xl = OF_XL in path.relative_to(root).as_posix().lower()
        if family is (STABLE_DIFFUSION_XL if is_xl else STABLE_DIFFUSION):
            return path
    return None


def load_small_vae(path: Path, device: str, dtype: torch.dtype) -> Any:
    """What decodes latents as UNets have them, from where ``small_vae_of`` found it.

    ModelError, or what reading ends in, where it is broken or of another shape.
    """
    if path.is_dir():
        files = tuple(files_of(str(path), True, CONFIG))
        return load_network(
            AutoencoderTiny, Place(f"vae {path.name}", str(path), "", files, True), device, dtype
        )
    return settle(draft_decoder(path.name, Values(path), dtype), device)


def _small_vaes(root: Path) -> Iterator[Path]:
    yield from (path for path in files_of_folder(root) if is_file(path) and _is_small(path))
    for folder in networks_of_folder(root):
        if not is_file(folder.parent / MODEL_INDEX) and _is_tiny(folder):
            yield folder


def _is_small(path: Path) -> bool:
    """By its header, and by its name where it has none that can be read, which loading it tells."""
    try:
        return path.stat().st_size <= MOST_BYTES and look(path.name, path).other == TAESD
    except ModelError:
        return CALLED in path.name.lower()
    except OSError:
        return False


def _is_tiny(folder: Path) -> bool:
    try:
        return read_object(folder / CONFIG).get("_class_name") == AutoencoderTiny.__name__
    except (OSError, ValueError):
        return False

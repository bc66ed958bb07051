"""How many numbers a model's weights are, by its files' headers: nothing is loaded, without torch."""

import math
from pathlib import Path
from typing import NamedTuple

from t2v.weights.files import WEIGHTS, best_weights, config_path
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.header import read_header
from t2v.weights.source import MODEL_INDEX, Source

OF_UNET = "model.diffusion_model."  # in a checkpoint file
DRAW = ("unet", "transformer", "transformer_2")  # of which a model has one kind
PARTS = (*DRAW, "vae", "text_encoder", "text_encoder_2")


class Count(NamedTuple):
    """Numbers in a UNet, or in what draws in its place, and in all else."""

    unet: int
    rest: int


USUAL = Count(860_000_000, 210_000_000)  # Stable Diffusion 1.5's, for a model that is not here yet


def count_weights(name: str) -> Count:
    """Of a model by its name; USUAL where its files are not here or tell nothing."""
    try:
        place = Path(Source.parse(name).place())
        if place.is_file():
            return _of_file(place)
        if not place.is_dir():
            place = config_path(str(place), True, MODEL_INDEX).parent
        counts = {part: _of_folder(place / part) for part in PARTS}
    except (OSError, ValueError, ModelError):
        return USUAL
    drawing = sum(counts[part] for part in DRAW)
    return Count(drawing, sum(counts.values()) - drawing) if drawing else USUAL


def _of_file(path: Path) -> Count:
    tensors = read_header(path).tensors
    unet = sum(math.prod(one.shape) for name, one in tensors.items() if name.startswith(OF_UNET))
    return Count(unet, sum(math.prod(one.shape) for one in tensors.values()) - unet)


def _of_folder(folder: Path) -> int:
    """Of the files that are read of a part, where it lies."""
    names = [path.name for path in folder.glob("*")] if folder.is_dir() else []
    best = best_weights(names)
    if best is None:
        return 0
    ending = "safetensors" if best["use_safetensors"] else "bin"
    variant = "" if best["variant"] is None else f".{best['variant']}"
    read = [
        name
        for name in names
        if (found := WEIGHTS.fullmatch(name)) is not None and (found[2], found[1] or "") == (ending, variant)
    ]
    return sum(math.prod(one.shape) for name in read for one in read_header(folder / name).tensors.values())

"""What a folder that is no whole model holds: one network in diffusers' format, or one file of weights."""

import os
from dataclasses import dataclass
from pathlib import Path

from t2v.weights.files import read_object
from t2v.weights.models_folder import CONFIG
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import USES, WHOLE, look
from t2v.weights.single_file.header import ENDINGS
from t2v.weights.single_file.kinds import FileKind

GUIDES = ("controlnet", "t2i-adapter")  # kinds that are given beside a model, as ControlNets
CLASSES = {  # a network's class in diffusers -> its kind
    "ControlNetModel": "controlnet",
    "ControlNetUnionModel": "controlnet",
    "T2IAdapter": "t2i-adapter",
    "AutoencoderKL": "vae",
    "AutoencoderTiny": "vae",
    "AsymmetricAutoencoderKL": "vae",
    "UNet2DConditionModel": "unet",
}


@dataclass(frozen=True)
class Held:
    """What a folder holds. file: its only file of weights, None where it has several or none.

    is_network: it is one network in diffusers' format, as its configuration says.
    """

    kind: FileKind
    file: str | None
    is_network: bool = False

    def use(self, name: str) -> str:
        """What to do with the folder of this name instead of drawing with it, the rest of a sentence."""
        if self.file is not None and self.kind.kind == "checkpoint":
            return f"give the file itself, {name}/{self.file}"
        if self.file is not None and self.kind.kind == "vae":
            return f"write its file behind a model's name, as MODEL+{name}/{self.file}"
        if self.kind.kind == "lora" and not self.kind.other:
            return f"write it behind a model's name, as MODEL+{name}"
        return USES.get(self.kind.kind, WHOLE)


def why_no_model(name: str, folder: Path) -> str | None:
    """For such a folder the rest of a sentence: "is a ControlNet; give it as ..."; None for others."""
    one = held(folder)
    if one is None:
        return None
    return f"{'is' if one.is_network else 'holds'} {one.kind.words}; {one.use(name)}."


def held(folder: Path) -> Held | None:
    """What lies in a folder, by its configuration or the header of its one file; None where neither tells."""
    try:
        files = [name for name in os.listdir(folder) if name.lower().endswith(ENDINGS)]
    except OSError:
        return None
    file = files[0] if len(files) == 1 else None
    try:
        named = CLASSES.get(str(read_object(folder / CONFIG).get("_class_name")))
    except (OSError, ValueError):
        named = None
    if named is not None:
        return Held(FileKind(named), file, True)
    try:
        return None if file is None else Held(look(file, folder / file), file)
    except ModelError:
        return None

"""Which files and folders a model is made of, by its name, and how they are told from later ones."""

from dataclasses import dataclass, field
from pathlib import Path

from t2v.weights.marks import Marks, file_mark, place_mark, taken
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.behind import behind
from t2v.weights.source import Source, as_path

LORA_CONFIG = "adapter_config.json"  # what PEFT writes beside its files


@dataclass(frozen=True)
class MadeOf:
    """Marks of what a model is made of, by place. base: of what is read at once; loras: of the rest."""

    base: Marks = field(default_factory=dict)
    loras: Marks = field(default_factory=dict)

    def taken(self, after: "MadeOf") -> "MadeOf":
        """Of what was read between this look and a later one."""
        return MadeOf(_taken(self.base, after.base), _taken(self.loras, after.loras))


def made_of(source: Source, editor: bool = False) -> MadeOf:
    """What a model is made of, as it is now. editor: its InstructPix2Pix side.

    Nothing is refused: what is not there has no mark, and loading it says so.
    """
    places = [source.base if source.kind in ("hub", "nowhere") else str(source.folder)]
    beside = source.companion("editor") if editor else None
    try:
        vae, loras = behind(source)
    except ModelError:
        vae, loras = None, dict.fromkeys(source.adapters, 1.0)
    places += [str(one) for one in (beside, vae) if one is not None]
    return MadeOf({one: place_mark(one) for one in places}, dict(_lora(source, one) for one in loras))


def lora_mark(path: Path) -> object:
    """Of a LoRA's file, and of what is said beside it."""
    return file_mark(path, path.with_name(LORA_CONFIG))


def _lora(source: Source, adapter: str) -> tuple[str, object]:
    try:
        place, file = source.adapter_place(adapter)
    except ModelError:
        return str(as_path(adapter)), None
    if file is None:
        return place, place_mark(place)
    return str(Path(place) / file), lora_mark(Path(place) / file)


def _taken(before: Marks, after: Marks) -> Marks:
    return {place: taken(mark, after.get(place)) for place, mark in before.items()}

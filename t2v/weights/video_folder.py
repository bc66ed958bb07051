"""Whether a trained video model can be loaded, told by its index and folders. Without torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2v.weights.files import is_folder, read_json
from t2v.weights.refusals import ModelError, reason
from t2v.weights.source import MODEL_INDEX, Source
from t2v.weights.video_kinds import VideoKind

LIBRARIES = ("diffusers", "transformers")
TOKENIZER = "tokenizer"
SCHEDULER = "scheduler"


def check_video_model(source: Source, kind: VideoKind) -> None:
    """ModelError for a trained video model that surely cannot be loaded; a hub id is left to the loading."""
    if source.adapters:
        raise ModelError(
            f"model {source.base} is a trained video model ({kind.name}), which takes no LoRA and no other "
            f"VAE here; leave out +{source.adapters[0]}."
        )
    place = source.place()
    if Path(place).is_dir():
        check_video_folder(place, read_video_index(source.base, kind, Path(place) / MODEL_INDEX))


def check_video_folder(place: str, parts: Mapping[str, str]) -> None:
    """ModelError where a part of a local folder is missing. parts: as ``read_video_index`` gave them."""
    missing = [name for name in parts if not is_folder(Path(place) / name)]
    if missing:
        raise ModelError(f"model {place} has no folder {', '.join(missing)}; fetch it again.")


def read_video_index(name: str, kind: VideoKind, path: Path) -> dict[str, str]:
    """The parts that a model has, and the class of each; ModelError where one is not of its kind.

    name: what people call the model.
    """
    try:
        index = read_json(path)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"model {name} is broken and cannot be loaded ({reason(error)}); fetch it again or choose "
            "another."
        ) from error
    allowed = {**kind.parts, SCHEDULER: kind.schedulers}
    found = {part: _named(index.get(part)) for part in allowed}
    missing = [part for part, named in found.items() if named is None and part not in kind.may_lack]
    if missing:
        raise ModelError(f"model {name} has no {', '.join(missing)}; give a whole model of {kind.name}.")
    has = {part: named for part, named in found.items() if named is not None}
    for part, (library, named) in has.items():
        if library not in LIBRARIES:
            told = library[:60]
            raise ModelError(f"model {name} asks for code of its own ({told}), which is not run here.")
        if named not in allowed[part]:
            told = f"a {part} of another kind ({named[:60]}) than {kind.name}'s"
            raise ModelError(f"model {name} has {told}; choose another model.")
    return {part: named for part, (_, named) in has.items()}


def _named(value: Any) -> tuple[str, str] | None:
    """A part's library and class; None where an index names none."""
    is_pair = isinstance(value, list) and len(value) == 2 and all(isinstance(one, str) for one in value)
    return (value[0], value[1]) if is_pair else None

"""What a model's index and folders tell of it, without loading any of it and without torch.

An index may name classes of diffusers and transformers only: diffusers imports the modules that it names.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2v.weights.family import Family, family_of
from t2v.weights.files import is_folder, read_json
from t2v.weights.folder_kinds import CLASSES
from t2v.weights.refusals import ModelError, reason
from t2v.weights.single_file.behind import behind, check_lora
from t2v.weights.single_file.checks import check_checkpoint, check_vae
from t2v.weights.source import MODEL_INDEX, Source
from t2v.weights.video_folder import check_video_model
from t2v.weights.video_kinds import TRANSFORMER, VIDEO_KINDS, video_kind

ALLOWED_MODULES = ("diffusers", "transformers", "stable_diffusion")
VAES = tuple(name for name, kind in CLASSES.items() if kind == "vae")
NEEDED = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
SECOND = ("text_encoder_2", "tokenizer_2")  # of Stable Diffusion XL


def check_model(name: str, editor: bool | None = None) -> None:
    """ModelError for a model, or its LoRA, that surely cannot be loaded; a hub id is left to the loading.

    editor: whether it is to follow instructions; None: nobody knows yet.
    """
    source = Source.parse(name)
    video = video_kind(source)
    if video is not None:
        check_video_model(source, video)
        return
    place = source.place()
    vae, loras = behind(source)
    for adapter in loras:
        check_lora(source, adapter)
        source.adapter_place(adapter)
    if vae is not None:
        check_vae(vae)
    if Path(place).is_file():
        check_checkpoint(source.base, Path(place), vae is not None, editor)
    if Path(place).is_dir():
        check_folder(place, read_index(name, Path(place) / MODEL_INDEX))


def check_folder(place: str, index: Mapping[str, Any]) -> None:
    """ModelError where a part of a local folder is missing. index: as ``read_index`` gave it."""
    folder, needed = Path(place), (*NEEDED, *(SECOND if has_second(index) else ()))
    missing = [name for name in needed if not is_folder(folder / name)] if is_folder(folder) else []
    if missing:
        raise ModelError(f"model {place} has no folder {', '.join(missing)}; fetch it again.")


def has_second(index: Mapping[str, Any]) -> bool:
    """Whether a model has a second text encoder, by its index."""
    return bool(_class_of(index, SECOND[0]))


def indexed_family(index: Mapping[str, Any]) -> Family | None:
    """The family of the model with an index; None where it is of no known kind."""
    return family_of(*(_class_of(index, part) for part in ("unet", "text_encoder", SECOND[0])))


def _class_of(index: Mapping[str, Any], part: str) -> str:
    """The class of a part; "" where there is none."""
    value: Any = index.get(part)
    return value[1] if _is_class(value) and isinstance(value[1], str) else ""


def read_index(source: str, path: Path) -> dict[str, Any]:
    """A model's index: part -> (module, class) and more; ModelError where it cannot be used here."""
    try:
        index = read_json(path)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"model {source} is broken and cannot be loaded ({reason(error)}); fetch it again or choose "
            "another."
        ) from error
    entries = index.items() if isinstance(index, dict) else ()
    parts = {name: value for name, value in entries if _is_class(value)}
    missing = [name for name in NEEDED if not parts.get(name) or parts[name][0] is None]
    if "unet" in missing and TRANSFORMER in parts:
        kinds = ", ".join(one.name for one in VIDEO_KINDS)
        raise ModelError(
            f"model {source} is made for {str(index.get('_class_name'))[:60]}, which is not drawn with here; "
            f"give a Stable Diffusion model, or a trained video model of these: {kinds}."
        )
    if missing == ["text_encoder", "tokenizer"] and has_second(parts):
        raise ModelError(
            f"model {source} is Stable Diffusion XL's refiner, which only goes over finished pictures; "
            "choose the base model."
        )
    if has_second(parts):
        missing += [name for name in SECOND if not _class_of(parts, name)]
    if missing:
        raise ModelError(
            f"model {source} has no {', '.join(missing)}; give a Stable Diffusion model in diffusers' format."
        )
    modules = {module for module, _ in parts.values() if module is not None}
    foreign = ", ".join(sorted(str(module) for module in modules - set(ALLOWED_MODULES)))
    if foreign:
        raise ModelError(f"model {source} asks for code of its own ({foreign}), which is not run here.")
    if parts["vae"][1] not in VAES:
        kind = str(parts["vae"][1])[:60]
        raise ModelError(f"model {source} has a VAE of another kind ({kind}); choose another model.")
    if indexed_family(parts) is None:
        kinds = "1.x, 2.x or XL"
        raise ModelError(f"model {source} is not of Stable Diffusion's {kinds} kind; choose one that is.")
    return index


def _is_class(value: object) -> bool:
    """Whether it is a module's and a class's name, or two nulls for a part that is left out."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    return all(one is None or isinstance(one, str) for one in value)

"""Where weights are: the bundled miniature, a local folder, a hub id. Nothing is read or imported for it."""

import re
from pathlib import Path

from checks import InputError

MINIATURE = Path(__file__).resolve().parent / "miniature" / "weights" / "text-to-image"
INDEX = "model_index.json"
CONFIG = "config.json"
LORA_FILE = "pytorch_lora_weights.safetensors"
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)  # owner/name
LORA_PLACES = "a .safetensors file, a folder (of one beside the model's, its name) or a hub id (owner/name)"


class ModelError(InputError):
    """The weights cannot be had or used; ``str(error)`` says what happened and what to do."""


def as_path(source: str) -> Path:
    """A source as a path, ~ and ~anna being the home folders where there are such."""
    try:
        return Path(source).expanduser()
    except RuntimeError:  # nobody of that name
        return Path(source)


def base_and_lora(source: str) -> tuple[str, str | None]:
    """A model's source without the LoRA that it may name, as "miniature+style" does, and that LoRA."""
    base, plus, lora = source.partition("+")
    is_whole = not plus or _is_folder(as_path(source))  # a folder may have a + in its name
    return (source, None) if is_whole else (base.strip(), lora.strip())


def choose_controlnet(model: str, task: str, hub_id: str) -> str:
    """The ControlNet for ``task`` that suits a model: the one beside it, else Stable Diffusion's."""
    if base_and_lora(model)[0] == "miniature":
        return "miniature"
    beside = companion(model, f"controlnet-{task}")
    return hub_id if beside is None else beside


def companion(source: str, name: str, file: str = CONFIG) -> str | None:
    """The folder ``name``, with this file, beside that of the miniature or of a local model; None without."""
    base = base_and_lora(source)[0]
    folder = MINIATURE if base == "miniature" else as_path(base)
    beside = folder.resolve().parent / name
    try:
        return str(beside) if folder.is_dir() and (beside / file).is_file() else None
    except OSError:  # a name that no file can have
        return None


def without_folders(source: str) -> str:
    """What weights are called where others read it: of paths, which are private, the last part alone.

    Hub ids and bundled names stay as they are, a model and its LoRA each for itself.
    """
    base, lora = base_and_lora(source)
    return _last_part(base) if lora is None else f"{_last_part(base)}+{_last_part(lora)}"


def _last_part(source: str) -> str:
    path = as_path(source)
    if HUB_ID.fullmatch(source) and not _is_folder(path) and not _is_file(path):
        return source
    return path.name or path.resolve().name  # "." has no name of its own


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that no file can have
        return False


def find_place(source: str, what: str = "model") -> str:
    """A folder's path or a hub id; ModelError where it can be neither. what: how refusals call it.

    Of a model with a LoRA, the model's.
    """
    source = base_and_lora(source)[0]
    allowed = "miniature, a folder or a hub id (owner/name)"
    if not source.strip():
        raise ModelError(f"{what} is empty; give {allowed}.")
    if source == "miniature":
        if not (MINIATURE / INDEX).is_file():
            raise ModelError("model miniature has no weights in this copy; fetch the project again.")
        return str(MINIATURE)
    if _is_file(as_path(source)):
        raise ModelError(f"{what} {source} is a file; give the folder of one in diffusers' format.")
    place = _folder_or_id(source, what, allowed)
    if what == "model" and _is_folder(Path(place)) and not (Path(place) / INDEX).is_file():
        raise ModelError(f"model {place} has no {INDEX}; give a folder in diffusers' format.")
    return place


def _folder_or_id(source: str, what: str, allowed: str) -> str:
    path = as_path(source)
    if _is_folder(path):
        return str(path)
    if HUB_ID.fullmatch(source):
        return source
    raise ModelError(f"{what} {source} is not there; give {allowed}.")


def find_lora(source: str) -> tuple[str, str | None] | None:
    """The LoRA that a model's source names, as a folder or hub id and a file in it (None: the usual one).

    The name of a folder beside the model's is enough: "miniature+style". None where no LoRA is named;
    ModelError where it is nowhere.
    """
    base, lora = base_and_lora(source)
    if lora is None:
        return None
    if not base or not lora:
        raise ModelError(f"model is {source[:200]!r}; give the names of both, as in miniature+style.")
    beside = companion(base, lora, LORA_FILE)
    if beside is not None:
        return beside, None
    path = as_path(lora)
    if _is_file(path):
        if path.suffix != ".safetensors":
            raise ModelError(f"lora {lora} is a file of another kind; give {LORA_PLACES}.")
        return str(path.parent), path.name
    return _folder_or_id(lora, "lora", LORA_PLACES), None


def find_controlnet(source: str, task: str) -> str:
    """A folder's path or a hub id of the ControlNet for ``task``; ModelError where it can be neither."""
    if source != "miniature":
        place = find_place(source, "controlnet")
        if _is_folder(Path(place)) and not (Path(place) / CONFIG).is_file():
            raise ModelError(f"controlnet {source} has no {CONFIG}; give a ControlNet's folder.")
        return place
    folder = MINIATURE.parent / f"controlnet-{task}"
    if not (folder / CONFIG).is_file():
        raise ModelError(
            f"controlnet miniature has no weights for {task} in this copy; choose another task or model."
        )
    return str(folder)

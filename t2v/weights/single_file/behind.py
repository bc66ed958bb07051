"""What stands behind a model's plus: one VAE at most, and LoRAs."""

from pathlib import Path

from t2v.weights.files import is_file, read_object
from t2v.weights.folder_kinds import GUIDES, held
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import AS_GUIDE, look
from t2v.weights.single_file.generations import Generation, by_width
from t2v.weights.single_file.header import ENDINGS
from t2v.weights.single_file.kinds import FileKind
from t2v.weights.source import CONFIG, LORA_FILE, Source, as_path


def _kind(path: Path) -> FileKind | None:
    """What a file is; None where there is none that can be read, which the loading of LoRAs tells."""
    if not is_file(path) or path.suffix.lower() not in ENDINGS:
        return None
    try:
        return look(path.name, path)
    except ModelError:
        return None


def behind(source: Source) -> tuple[Path | None, dict[str, float]]:
    """The VAE's file among what stands behind a model's plus, and all else, taken for LoRAs, with strengths.

    ModelError for two VAEs, a LoRA that is there twice, or what is no strength; what is no LoRA either is
    told when it is read as one.
    """
    vaes: list[Path] = []
    loras: dict[str, float] = {}
    for adapter, strength in zip(source.adapters, source.strengths(), strict=True):
        path = as_path(adapter)
        kind = _kind(path)
        if kind is not None and kind.kind == "vae":
            if strength != 1:
                raise ModelError(
                    f"vae {path.name} has a strength, {strength:g}; a VAE is whole, leave that out."
                )
            vaes.append(path)
        elif adapter in loras:
            raise ModelError(f"lora {adapter} is behind model {source.base} twice; give it once.")
        else:
            loras[adapter] = strength
    if len(vaes) > 1:
        both = " and ".join(path.name for path in vaes[:2])
        raise ModelError(f"model {source.public_name} has two VAEs behind it, {both}; leave one out.")
    return (vaes[0] if vaes else None), loras


def without_loras(name: str) -> str:
    """The name of the same model, with its VAE where one stands behind it. ModelError as ``behind``."""
    source = Source.parse(name)
    vae, _ = behind(source)
    return source.base if vae is None else f"{source.base}+{vae}"


def check_lora(source: Source, adapter: str) -> None:
    """ModelError for a file, or a folder's, that is no LoRA by its header, or one for another family than the
    model's."""
    path, own = as_path(adapter), _generation(source)
    if is_file(path) and path.suffix.lower() in ENDINGS:
        kind = look(f"lora {adapter}", path)
    else:
        inside = held(path) if source.companion(adapter, LORA_FILE) is None else None
        if inside is None:
            return  # an id, or what the loading of LoRAs tells
        kind = inside.kind
        if kind.kind == "vae":
            raise ModelError(f"lora {adapter} is a VAE's folder; {inside.use(adapter)}.")
    if kind.kind in GUIDES:
        raise ModelError(f"lora {adapter} is {kind.words}; {AS_GUIDE}, or choose a LoRA.")
    if kind.kind not in ("lora", "unknown"):
        raise ModelError(f"lora {adapter} is {kind.words}; choose a LoRA, or leave it out.")
    if own is not None and kind.generation not in (None, own):
        raise ModelError(f"lora {adapter} is {kind.words}, and the model is of {own.name}; choose another.")


def _generation(source: Source) -> Generation | None:
    """The generation of a model that is on this disk; None where nothing tells."""
    try:
        if is_file(source.folder):
            return look(source.base, source.folder).generation
        return by_width(read_object(source.folder / "unet" / CONFIG)["cross_attention_dim"])
    except (OSError, ValueError, TypeError, LookupError, ModelError):
        return None

"""What stands behind a model's plus: one VAE at most, and LoRAs."""

from pathlib import Path

from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import look
from t2v.weights.single_file.header import ENDINGS
from t2v.weights.single_file.kinds import FileKind
from t2v.weights.source import Source, as_path, is_file


def _kind(path: Path) -> FileKind | None:
    """What a file is; None where there is none that can be read, which the loading of LoRAs tells."""
    if not is_file(path) or path.suffix.lower() not in ENDINGS:
        return None
    try:
        return look(path.name, path)
    except ModelError:
        return None


def behind(source: Source) -> tuple[Path | None, tuple[str, ...]]:
    """The VAE's file among what stands behind a model's plus, and all else, which is taken for LoRAs.

    ModelError for two VAEs; what is no LoRA either is told when it is read as one.
    """
    vaes, loras = [], []
    for adapter in source.adapters:
        path = as_path(adapter)
        kind = _kind(path)
        if kind is not None and kind.kind == "vae":
            vaes.append(path)
        else:
            loras.append(adapter)
    if len(vaes) > 1:
        both = " and ".join(path.name for path in vaes[:2])
        raise ModelError(f"model {source.public_name} has two VAEs behind it, {both}; leave one out.")
    return (vaes[0] if vaes else None), tuple(loras)

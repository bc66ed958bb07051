"""Which models lie on this machine already, and how much there is to fetch of those that do not."""

from pathlib import Path

from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.files import WEIGHTS
from t2v.weights.source import MODEL_INDEX, Source

PARTS = ("unet", "vae", "text_encoder")  # those that have weights
# GB of the parts that are read, in single precision: a UNet of 3.4, a text encoder of 0.5, a VAE of 0.3
SIZES_GB = {STABLE_DIFFUSION.model: 4.3, STABLE_DIFFUSION.editor: 4.3}


def is_here(name: str) -> bool:
    """Whether nothing has to be fetched for a model, its LoRA aside; only this disk is asked."""
    source = Source.parse(name)
    if source.kind != "hub":
        return True  # or nowhere, and then nothing is fetched either
    from huggingface_hub import try_to_load_from_cache  # its import takes a while

    index = try_to_load_from_cache(source.base, MODEL_INDEX)
    if not isinstance(index, str):
        return False
    folders = [Path(index).parent / part for part in PARTS]
    return all(
        any(WEIGHTS.fullmatch(file.name) for file in folder.glob("*") if file.is_file()) for folder in folders
    )


def size_gb(name: str) -> float | None:
    """How much there is to fetch of a model, as far as that is known here."""
    return SIZES_GB.get(Source.parse(name).base)

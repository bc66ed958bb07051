"""Which models lie on this machine already, and how much there is to fetch of those that do not."""

from pathlib import Path

from t2v.weights.family import STABLE_DIFFUSION, STABLE_DIFFUSION_XL
from t2v.weights.files import WEIGHTS, read_object
from t2v.weights.index import SECOND, has_second
from t2v.weights.source import MODEL_INDEX, Source
from t2v.weights.video_kinds import by_index

PARTS = ("unet", "vae", "text_encoder")  # those that have weights
# GB of the parts that are read, in single precision: a UNet of 3.4, a text encoder of 0.5, a VAE of 0.3
# and of Stable Diffusion XL 10.3, 0.5, 2.8 and 0.3
SIZES_GB = {
    STABLE_DIFFUSION.model: 4.3,
    STABLE_DIFFUSION.editor: 4.3,
    STABLE_DIFFUSION_XL.model: 13.9,
    STABLE_DIFFUSION_XL.editor: 13.9,
}


def is_here(name: str) -> bool:
    """Whether nothing has to be fetched for a model, its LoRA aside; only this disk is asked."""
    source = Source.parse(name)
    if source.kind != "hub":
        return True  # or nowhere, and then nothing is fetched either
    from huggingface_hub import try_to_load_from_cache  # its import takes a while

    index = try_to_load_from_cache(source.base, MODEL_INDEX)
    if not isinstance(index, str):
        return False
    parts = _parts(Path(index))
    folders = [Path(index).parent / part for part in parts]
    return all(
        any(WEIGHTS.fullmatch(file.name) for file in folder.glob("*") if file.is_file()) for folder in folders
    )


def _parts(index: Path) -> tuple[str, ...]:
    """The parts of a model that have weights, by its index."""
    video = by_index(index)
    if video is not None:
        return (video.denoiser, *PARTS[1:])
    return (*PARTS, SECOND[0]) if _has_second(index) else PARTS


def _has_second(index: Path) -> bool:
    try:
        return has_second(read_object(index))
    except (OSError, ValueError):
        return False


def size_gb(name: str) -> float | None:
    """How much there is to fetch of a model, as far as that is known here."""
    return SIZES_GB.get(Source.parse(name).base)

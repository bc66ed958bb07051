"""The original's name for its list of models. It read it from a web page; this one comes without network."""

from t2v.weights.family import FAMILIES, STABLE_DIFFUSION
from t2v.weights.source import BUNDLED, LORA_FILE, STYLE, Source

__all__ = ["get_model_list"]

# the original's own choice, beside Stable Diffusion 1.5, that is of the same family
BEST = (
    "dreamlike-art/dreamlike-photoreal-2.0",
    "dreamlike-art/dreamlike-diffusion-1.0",
    "CompVis/stable-diffusion-v1-4",
    "prompthero/openjourney",
)


def get_model_list() -> list[str]:
    """Models for ``process_text2video``, the bundled one first; any other of their kinds will do as well."""
    style = Source.parse(STYLE)
    has_style = style.companion(style.adapters[0], LORA_FILE) is not None
    return [
        BUNDLED,
        *([STYLE] if has_style else []),
        STABLE_DIFFUSION.model,
        *BEST,
        *STABLE_DIFFUSION.dreambooth,
        *(family.model for family in FAMILIES if family is not STABLE_DIFFUSION),
    ]

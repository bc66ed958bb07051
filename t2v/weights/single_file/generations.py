"""The generations of Stable Diffusion: what all files of one have in common and their shapes do not tell."""

from dataclasses import dataclass

HEAD_WIDTH = 64  # of attention, where a network does not say how many heads there are


@dataclass(frozen=True)
class TextEncoder:
    """A text encoder in a checkpoint. prefix: of its tensors. is_open: of OpenCLIP's making, by its names.

    activation: of its layers. skips_last: its text is never read after the last layer, which is left out.
    pad: the word that fills a text up to its length. is_whole: it also tells the text as a whole, by a layer
    of its own.
    """

    prefix: str
    is_open: bool
    activation: str
    skips_last: bool
    pad: str
    is_whole: bool = False


@dataclass(frozen=True)
class Generation:
    """One generation. text_width: of the text that its UNet reads. heads: of the UNet's attention; None: as
    many as its width has of HEAD_WIDTH. scaling_factor: of its VAE. side_px: of pictures it draws best, and
    side_px_v where it predicts v. texts: its text encoders. freeu: s1, s2, b1 and b2 that
    FreeU's makers found for it.
    """

    key: str
    name: str
    text_width: int
    heads: int | None
    scaling_factor: float
    side_px: int
    side_px_v: int
    texts: tuple[TextEncoder, ...]
    freeu: tuple[float, float, float, float]


CLIP_L = TextEncoder("cond_stage_model.transformer.", False, "quick_gelu", False, "<|endoftext|>")
SD1 = Generation("sd1", "Stable Diffusion 1.x", 768, 8, 0.18215, 512, 768, (CLIP_L,), (0.9, 0.2, 1.5, 1.6))
SD2 = Generation(
    "sd2", "Stable Diffusion 2.x", 1024, None, 0.18215, 512, 768,
    (TextEncoder("cond_stage_model.model.", True, "gelu", True, "!"),), (0.9, 0.2, 1.4, 1.6),
)  # fmt: skip
SDXL = Generation(
    "sdxl", "Stable Diffusion XL", 2048, None, 0.13025, 1024, 1024,
    (
        TextEncoder("conditioner.embedders.0.transformer.", False, "quick_gelu", False, "<|endoftext|>"),
        TextEncoder("conditioner.embedders.1.model.", True, "gelu", False, "!", is_whole=True),
    ),
    (0.6, 0.4, 1.1, 1.2),
)  # fmt: skip
GENERATIONS = (SD1, SD2, SDXL)
FOLDED = {8: SD1, 16: SDXL}  # pixels a side that a T2I-Adapter folds into a cell -> what it is made for


def by_width(width: int) -> Generation | None:
    """The generation whose UNets read text of this width; None for others."""
    return next((one for one in GENERATIONS if one.text_width == width), None)


def by_structure(width: int, is_told: bool, is_flat: bool) -> Generation | None:
    """The generation of a UNet or ControlNet; None for others. Smaller ones than any that was given out are
    known by how they are built.

    width: of the text that it reads. is_told: something beside the text. is_flat: its attention's ways in and
    out are matrices, and not convolutions.
    """
    known = by_width(width)
    if known is not None or width >= SD1.text_width:
        return known
    return SDXL if is_told else SD2 if is_flat else SD1


def freeu_of(width: object) -> tuple[float, float, float, float]:
    """FreeU's values for models whose UNets read text of this width; for others Stable Diffusion 1's."""
    known = by_width(width) if isinstance(width, int) else None
    return (SD1 if known is None else known).freeu

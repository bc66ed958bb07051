"""The kinds of models that are distilled to few steps, and what a name tells of them."""

import itertools
import re
from dataclasses import dataclass

MOST_STEPS = 16  # that a name's number is believed to mean
STEPS = re.compile(r"(?<![0-9])([0-9]{1,2})[ _-]?steps?(?![a-z])", re.IGNORECASE)
PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", re.ASCII)  # of a name: dreamXL_8LCM -> ... 8 LCM
OF_SD = re.compile(r"(?:sdxl|sd|xl)[a-z]?$", re.ASCII)


@dataclass(frozen=True)
class FewSteps:
    """One way of distilling. name: as people say it; the rest is what settings of its models are.

    spacing: one of SPACINGS; None where the sampler has a way of its own.
    """

    key: str
    name: str
    scheduler: str
    spacing: str | None
    steps: int


LCM = FewSteps("lcm", "LCM", "lcm", None, 4)  # arXiv 2310.04378, and as a LoRA 2311.05556
TCD = FewSteps("tcd", "TCD", "tcd", None, 4)  # 2402.19159
LIGHTNING = FewSteps("lightning", "Lightning", "euler", "trailing", 4)  # 2402.13929
HYPER = FewSteps("hyper", "Hyper", "ddim", "trailing", 8)  # 2404.13686
TURBO = FewSteps("turbo", "Turbo", "euler-ancestral", "trailing", 4)  # adversarial distillation, 2311.17042
KINDS = (LCM, TCD, LIGHTNING, HYPER, TURBO)
PLAIN_WORDS = ("lightning", "hyper", "turbo")  # that other things are called by, too


def pieces_of(name: str) -> list[str]:
    """The words that a name is put together of, in small letters."""
    return [piece.lower() for piece in PIECES.findall(name)]


def kinds_named(name: str) -> list[FewSteps]:
    """The kinds whose name is a word of this one, or one beside SD or XL, in the order of KINDS."""
    pieces = pieces_of(name)
    bare = [re.sub(r"^(?:sdxl|sd|xl)|(?:sdxl|sd|xl|lora)$", "", piece) or piece for piece in pieces]
    followed = itertools.zip_longest(bare, bare[1:], fillvalue="")
    # "hyper realistic" is a word of many models
    words = {one for one, after in followed if not (one == "hyper" and after.startswith("real"))}
    return [kind for kind in KINDS if kind.key in words]


def names_model(name: str) -> bool:
    """Whether a name also says of Stable Diffusion which, as those of LoRAs for few steps do."""
    return any(OF_SD.match(piece) for piece in pieces_of(name))


def steps_named(name: str) -> int | None:
    """The number of steps that a name tells, as "4 steps"; None where it tells none."""
    found = STEPS.search(name)
    return int(found[1]) if found is not None and 1 <= int(found[1]) <= MOST_STEPS else None

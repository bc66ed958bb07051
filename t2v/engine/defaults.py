"""What suits a model where settings are left None: its family's values, and over them those of its card."""

import math
import secrets
from functools import partial
from pathlib import Path

from t2v.checks import InputError
from t2v.diffusion.motion import default_times
from t2v.diffusion.options import KnownTimes, own_cells
from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.tasks.settings import Settings
from t2v.tasks.suits import Suits
from t2v.weights.card import Card, read_card
from t2v.weights.family import STABLE_DIFFUSION, Family
from t2v.weights.few_steps import Found, few_steps
from t2v.weights.files import read_object
from t2v.weights.single_file.checks import side_px
from t2v.weights.source import CONFIG, Source
from t2v.weights.told import told_family
from t2v.weights.video_kinds import made_for, video_kind

AS_DRAWN = 1  # frames are doubled where somebody asks for it, or the model's card does


def suits_run(
    kind: type[Settings],
    pipeline: VideoPipeline,
    card: Card,
    family: Family,
    few: Found | None = None,
) -> Suits:
    """What suits the loaded model for one run of a task; a seed is drawn. few: how it draws in few steps."""
    rows, columns = own_cells(pipeline.unet.config.sample_size)
    size = {"width": columns * pipeline.cell_px, "height": rows * pipeline.cell_px}
    own = {"upscale": AS_DRAWN, **size, **_numbers(kind, family, card, few)}
    times = partial(_times, pipeline, card, family)
    method = family.method if card.method is None else card.method
    figure = family.figure if card.figure is None else card.figure
    sampler = _sampler(kind, family, card, few)
    other = _other_steps(kind, family, card, few)
    return Suits(own, secrets.randbelow(2**32), times, method, figure, *sampler, other)


def _numbers(kind: type[Settings], family: Family, card: Card, few: Found | None) -> dict[str, float]:
    """Settings' numbers: a model's card knows best, but for a LoRA that makes it one of few steps."""
    distilled = {} if few is None else few.suits
    own = {**family.suits[kind.way], **distilled, **card.suits(kind.task)}
    return {**own, **distilled} if few is not None and few.by_lora else own


def _other_steps(kind: type[Settings], family: Family, card: Card, few: Found | None) -> int | None:
    """How many steps suit another sampler than the one that the card's number was found with."""
    if few is not None or card.samplers.get(kind.task) is None:
        return None
    return int({**family.suits[kind.way], **card.defaults}["num_inference_steps"])


def _sampler(kind: type[Settings], family: Family, card: Card, few: Found | None) -> tuple[str, str | None]:
    """The sampler, and how its steps are spaced; None: as the model was saved with.

    Who knows best is as of the numbers.
    """
    own = card.samplers.get(kind.task)
    if few is not None and (few.by_lora or own is None):
        return few.kind.scheduler, few.kind.spacing
    return family.samplers[kind.way] if own is None else own, None


def told_defaults(model: str, kind: type[Settings], scheduler: str | None = None) -> dict[str, float]:
    """What suits a model where a task's settings leave it open, as far as that is known without loading it.

    Of a hub id of which nothing is known here, only what its name tells of few steps. t0 and t1 are those of
    the width and height told. scheduler: the sampler, where one is chosen.
    """
    source = Source.parse(model)
    video = video_kind(source)
    if video is not None:
        made = made_for(source, video)
        return {**video.suits, "width": made.width, "height": made.height}
    family, few = told_family(source), few_steps(source)
    if family is None:
        return {} if few is None else few.suits
    size = {"width": float(family.side_px), "height": float(family.side_px)}
    if source.kind != "hub":
        side = native_side_px(model, kind.task)
        size = {"width": side, "height": side}
    times = {"t0": float(family.times.t0), "t1": float(family.times.t1)}
    card = read_card(source)
    own = {**size, **_numbers(kind, family, card, few)}
    other = _other_steps(kind, family, card, few)
    if other is not None and scheduler not in (None, card.samplers[kind.task]):
        own["num_inference_steps"] = float(other)
    is_known_size = own["width"] == own["height"] == family.side_px
    return {**times, **own} if is_known_size else own


def told_sampler(model: str, kind: type[Settings]) -> dict[str, str | None]:
    """The sampler that suits a model in a task, as far as that is known without loading it: as fields."""
    source = Source.parse(model)
    if video_kind(source) is not None:  # as it was saved with
        return {"scheduler": None, "spacing": None}
    family = told_family(source)
    family = STABLE_DIFFUSION if family is None else family
    scheduler, spacing = _sampler(kind, family, read_card(source), few_steps(source))
    return {"scheduler": scheduler, "spacing": spacing}


def native_side_px(model: str, task: str) -> float:
    """The side of the square pictures that a model draws best, as far as its card or folder tells.

    Nothing is loaded: what tells nothing is taken for Stable Diffusion.
    """
    source = Source.parse(model)
    video = video_kind(source)
    if video is not None:
        made = made_for(source, video)
        return math.sqrt(made.width * made.height)
    suits = read_card(source).suits(task)
    side = STABLE_DIFFUSION.side_px if {"width", "height"} <= suits.keys() else _side_of(source.folder)
    return math.sqrt(suits.get("width", side) * suits.get("height", side))


def _side_of(folder: Path) -> float:
    """Of a folder in diffusers' format, or of a checkpoint file."""
    try:
        if folder.is_file():
            return side_px(folder)
        rows, columns = own_cells(read_object(folder / "unet" / CONFIG)["sample_size"])
        halved = read_object(folder / "vae" / CONFIG)["block_out_channels"]
        return math.sqrt(rows * columns) * 2.0 ** (len(halved) - 1)
    except (
        OSError,
        InputError,
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
    ):
        return STABLE_DIFFUSION.side_px  # not a folder, or not one of ours to judge


def _times(pipeline: VideoPipeline, card: Card, family: Family, width: int, height: int) -> tuple[int, int]:
    """T' and T for a size in pixels, from the model's own times where its card has some."""
    known, own = family.times, card.defaults
    if "t0" in own and "t1" in own:
        side = math.sqrt(own["width"] * own["height"]) / pipeline.cell_px
        known = KnownTimes(int(own["t0"]), int(own["t1"]), side)
    rows, columns = height // pipeline.cell_px, width // pipeline.cell_px
    return default_times(pipeline.scheduler.alphas_cumprod, rows, columns, known)

"""Whether a T2I-Adapter's features are as large as what they are added to in a model's UNet."""

from collections.abc import Mapping
from typing import Any

from diffusers import T2IAdapter

from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.details import COLOURS

Level = tuple[int, int]  # channels, and pixels a side in one of their cells


def check_adapter_fits(source: str, network: T2IAdapter, model: str, pipeline: VideoPipeline) -> None:
    """ModelError where a T2I-Adapter was made for other networks, or wants other pictures.

    That both are of one kind of Stable Diffusion is told before (``fits.check_fits``).
    """
    config: Any = network.config
    has, wanted = features_of(config), places_in(pipeline.unet.config, pipeline.cell_px)
    if has not in (wanted, wanted[:-1]):  # the middle, which is last, may go without
        raise ModelError(
            f"controlnet {source} does not fit model {model}: it is a T2I-Adapter with features of "
            f"{_words(has)}, and the UNet's are {_words(wanted)}; choose one made for this kind of model."
        )
    if config.in_channels not in COLOURS:
        raise ModelError(
            f"controlnet {source} is a T2I-Adapter for pictures of {config.in_channels} channels, and those "
            "here are grey or RGB; choose another."
        )


def features_of(config: Mapping[str, Any]) -> list[Level]:
    """What a T2I-Adapter of this config makes, in its order."""
    side, widths, kind = config["downscale_factor"], list(config["channels"]), config["adapter_type"]
    if kind == "full_adapter_xl":  # which halves its cells once, before the third
        return [(width, side * (2 if number > 1 else 1)) for number, width in enumerate(widths)]
    if kind == "light_adapter":
        widths.append(widths[-1])
    return [(width, side * 2**number) for number, width in enumerate(widths)]


def places_in(unet: Mapping[str, Any], cell_px: int) -> list[Level]:
    """What they are added to in a UNet of this config: at the end of each block on the way down, and in the
    middle. Blocks with attention take them before they halve their cells, others after it."""
    last = len(unet["block_out_channels"]) - 1
    places = [
        (width, cell_px * 2 ** (level if "CrossAttn" in kind else min(level + 1, last)))
        for level, (kind, width) in enumerate(
            zip(unet["down_block_types"], unet["block_out_channels"], strict=True)
        )
    ]
    return [*places, (unet["block_out_channels"][-1], cell_px * 2**last)]


def _words(levels: list[Level]) -> str:
    return ", ".join(f"{width} at 1/{side}" for width, side in levels)

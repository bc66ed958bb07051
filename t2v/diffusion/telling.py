"""What a model is told: texts and their embeddings, as guidance for one picture or for frames over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from t2v.diffusion.beside import Beside
from t2v.diffusion.changing import blended
from t2v.diffusion.guidance import Guidance
from t2v.diffusion.over_time import read_over_time, shares_of

if TYPE_CHECKING:
    from t2v.diffusion.video_pipeline import VideoPipeline

Text = str | torch.Tensor  # or its embeddings, (1 n d)


@dataclass(frozen=True, eq=False)
class Told:
    """What a text became. embeds: (1 n d). pooled: the text as a whole, (1 e); None where nobody asks."""

    embeds: torch.Tensor
    pooled: torch.Tensor | None = None


def guidance_by(
    pipe: "VideoPipeline",
    prompt: Text,
    negative_prompt: Text,
    scale: float,
    image_scale: float | None = None,
) -> Guidance:
    """Guidance by a text; off where scale <= 1. image_scale: InstructPix2Pix's, None for other models."""
    dim = pipe.unet.config.time_cond_proj_dim
    branches = scale > 1 and dim is None
    with_text, without = pipe.told(prompt, negative_prompt, branches)
    if dim is not None:
        embedding = pipe.get_guidance_scale_embedding(torch.tensor([scale - 1.0]), embedding_dim=dim)
        return _guidance(pipe, [with_text], embedding=embedding.to(pipe.device, pipe.unet.dtype))
    if without is None:
        return _guidance(pipe, [with_text])
    if image_scale is None:
        return _guidance(pipe, [without, with_text], scales=(scale,))
    scales, shown = (image_scale, scale), (False, True, True)
    return _guidance(pipe, [without, without, with_text], scales=scales, shown=shown)


def _guidance(pipe: "VideoPipeline", branches: Sequence[Told], **more: Any) -> Guidance:
    """The least told first."""
    pooled = [one.pooled for one in branches if one.pooled is not None]
    beside = Beside(torch.cat(pooled), pipe.cell_px) if pooled else None
    embeds = torch.cat([one.embeds for one in branches])
    return Guidance(embeds, beside=beside, picture=pipe.picture, **more)


def guidance_over_time(
    pipe: "VideoPipeline",
    prompt: Text,
    negative_prompt: Text,
    scale: float,
    ids: Sequence[int],
    image_scale: float | None = None,
) -> tuple[Guidance, torch.Tensor | None]:
    """The same for frames ``ids``; of a prompt over time also how much each is told of its texts (f m)."""
    over_time = read_over_time(prompt)
    if over_time is None:
        return guidance_by(pipe, prompt, negative_prompt, scale, image_scale), None
    over_time.check(max(ids) + 1)
    each = [guidance_by(pipe, text, negative_prompt, scale, image_scale) for text in over_time.texts]
    weights = torch.tensor(shares_of(over_time.frames(max(ids) + 1), ids))
    return blended(each, weights), weights

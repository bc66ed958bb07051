"""What a model is told: texts and their embeddings, as guidance for one picture or for frames over time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from t2v.diffusion.changing import blended
from t2v.diffusion.check_call import prompt_arguments
from t2v.diffusion.conditions import Guidance
from t2v.diffusion.over_time import read_over_time, shares_of
from t2v.program import hushed

if TYPE_CHECKING:
    from t2v.diffusion.pipeline import TextToVideoPipeline

Text = str | torch.Tensor  # or its embeddings, (1 n d)


def guidance_by(
    pipe: "TextToVideoPipeline",
    prompt: Text,
    negative_prompt: Text,
    scale: float,
    image_scale: float | None = None,
) -> Guidance:
    """Guidance by a text; off where scale <= 1. image_scale: InstructPix2Pix's, None for other models."""
    told = prompt_arguments(prompt, negative_prompt)
    dim = pipe.unet.config.time_cond_proj_dim
    branches = scale > 1 and dim is None
    with hushed("transformers"):  # of long prompts it foretells errors; diffusers says what is cut off
        with_text, without = pipe.encode_prompt(
            device=pipe.device, num_images_per_prompt=1, do_classifier_free_guidance=branches, **told
        )
    if dim is not None:
        embedding = pipe.get_guidance_scale_embedding(torch.tensor([scale - 1.0]), embedding_dim=dim)
        return Guidance(with_text, embedding=embedding.to(pipe.device, pipe.unet.dtype))
    if not branches:
        return Guidance(with_text)
    if image_scale is None:
        return Guidance(torch.cat([without, with_text]), (scale,))
    embeds = torch.cat([without, without, with_text])
    return Guidance(embeds, (image_scale, scale), shown=(False, True, True))


def guidance_over_time(
    pipe: "TextToVideoPipeline",
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

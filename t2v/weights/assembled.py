"""A model's parts as the pipeline that draws with them."""

from collections.abc import Mapping
from typing import Any

from t2v.diffusion.pipeline import TextToVideoPipeline, TextToVideoXLPipeline
from t2v.diffusion.video_pipeline import VideoPipeline


def assembled(parts: Mapping[str, Any], force_zeros: bool = True) -> VideoPipeline:
    """The pipeline of networks, tokenizers and scheduler, by diffusers' names of them.

    With a second text encoder it is Stable Diffusion XL's; force_zeros: no negative prompt is nothing to it.
    """
    others = {"feature_extractor": None, "image_encoder": None}
    if "text_encoder_2" in parts:
        own = {"force_zeros_for_empty_prompt": force_zeros, "add_watermarker": False}
        return TextToVideoXLPipeline(**parts, **others, **own)
    return TextToVideoPipeline(**parts, **others, safety_checker=None, requires_safety_checker=False)

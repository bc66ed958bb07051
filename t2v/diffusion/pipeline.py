"""Pipelines that draw videos: diffusers' of Stable Diffusion and of its XL, and what ``VideoPipeline`` adds.

They have the models' parts, are loaded and saved as diffusers does, and know what their texts become.
"""

import torch

from t2v.checks import InputError
from t2v.diffusion.check_call import prompt_arguments
from t2v.diffusion.telling import Told
from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.program import hushed

with hushed("transformers"):  # of picture processors that want torchvision, which nothing here uses
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline


class TextToVideoPipeline(VideoPipeline, StableDiffusionPipeline):
    """Stable Diffusion's parts, 1.x or 2.x, that draw videos instead of pictures."""

    def told(
        self, prompt: str | torch.Tensor, negative_prompt: str | torch.Tensor, branches: bool
    ) -> tuple[Told, Told | None]:
        """What the networks are told of a text, and of the one to lead away from; None without branches."""
        told = prompt_arguments(prompt, negative_prompt)
        with hushed("transformers"):  # of long prompts it foretells errors; diffusers says what is cut off
            text, other = self.encode_prompt(
                device=self.device, num_images_per_prompt=1, do_classifier_free_guidance=branches, **told
            )
        return Told(text), Told(other) if branches else None


class TextToVideoXLPipeline(VideoPipeline, StableDiffusionXLPipeline):
    """Stable Diffusion XL's parts that draw videos instead of pictures."""

    def told(
        self, prompt: str | torch.Tensor, negative_prompt: str | torch.Tensor, branches: bool
    ) -> tuple[Told, Told | None]:
        """As of every pipeline; of texts alone: InputError for embeddings, which are not all that is told.

        No negative prompt is nothing at all to some of these models (``force_zeros_for_empty_prompt``), not
        an empty text.
        """
        told = prompt_arguments(prompt, negative_prompt)
        for field in ("prompt", "negative_prompt"):
            if told.pop(f"{field}_embeds") is not None:
                raise InputError(
                    f"{field} is embedded, and this model is also told each text as a whole; give a text."
                )
        nothing = {} if told["negative_prompt"] else {"negative_prompt": None}
        with hushed("transformers"):
            text, other, pooled, other_pooled = self.encode_prompt(
                device=self.device,
                num_images_per_prompt=1,
                do_classifier_free_guidance=branches,
                **{**told, **nothing},
            )
        return Told(text, pooled), Told(other, other_pooled) if branches else None

    @property
    def is_vae_wide(self) -> bool:
        """Whether the VAE says that it overflows in float16; XL's own does."""
        return bool(self.vae.config.get("force_upcast", False))

"""What a pipeline of ours has beside its three ways to draw: parts, what it is told and shown, pictures."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch

from t2v.diffusion import pictures
from t2v.diffusion.canvas import Drawn
from t2v.diffusion.keeping import KeptInMemory
from t2v.diffusion.learned import LearnedWords
from t2v.diffusion.picture_prompt import PicturePrompt
from t2v.diffusion.telling import Told

logger = logging.getLogger(__name__)


class PipelineParts(KeptInMemory, LearnedWords):
    """What all ways to draw need, beside one of diffusers' pipelines, which has the parts and loads them.

    picture: a picture that is shown beside each prompt, as ``t2v.weights.ip_adapter`` makes it; None: none.
    """

    picture: PicturePrompt | None = None

    # diffusers' own
    unet: Any
    vae: Any
    text_encoder: Any
    scheduler: Any
    vae_scale_factor: int
    get_guidance_scale_embedding: Callable[..., torch.Tensor]
    set_progress_bar_config: Callable[..., None]

    def told(
        self, prompt: str | torch.Tensor, negative_prompt: str | torch.Tensor, branches: bool
    ) -> tuple[Told, Told | None]:
        """What the networks are told of a text, and of the one to lead away from; None without branches."""
        raise NotImplementedError

    @contextmanager
    def shown(self, picture: PicturePrompt | None) -> Iterator[None]:
        """While the context lasts, all that is drawn is shown this picture beside its prompt."""
        before, self.picture = self.picture, picture
        try:
            yield
        finally:
            self.picture = before

    @property
    def is_vae_wide(self) -> bool:
        """Whether the VAE is known to overflow in float16, and is then used in float32."""
        return False

    def decode(self, drawn: torch.Tensor | Drawn) -> Iterator[np.ndarray]:
        """Frames of what was drawn, latents (1 f c h w) or a scene, one at a time: uint8 RGB (h, w, 3)."""
        if isinstance(drawn, Drawn):
            return drawn.frames(
                partial(pictures.decode, self.vae, tell=self.tell, memory=self.memory, wide=self.is_vae_wide)
            )
        return pictures.decode(self.vae, drawn[0], self.tell, self.memory, self.is_vae_wide)

    def encode(self, frames: np.ndarray) -> torch.Tensor:
        """Latents (f c h w), float32, not scaled, of frames, uint8 RGB (f, h, w, 3): their likeliest."""
        return pictures.encode(self.vae, frames, self.tell, self.memory, self.is_vae_wide)

    @property
    def notes(self) -> list[str]:
        """What has been found out about this model that people should know of its videos: sentences."""
        return self.__dict__.setdefault("_notes", [])

    def tell(self, sentence: str) -> None:
        """Add to the notes, each once, and to the log."""
        if sentence not in self.notes:
            logger.warning(sentence)
            self.notes.append(sentence)

    @property
    def cell_px(self) -> int:
        """Output pixels per latent cell, along each side."""
        return self.vae_scale_factor

    @property
    def _noise_config(self) -> dict[str, Any]:
        return {**self.scheduler.config, "_class_name": type(self.scheduler).__name__}

"""What a run looks like on its way: by a small VAE where there is one, else by a matrix. It fails no run."""

import logging
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderTiny

from t2v.diffusion.latent_preview import decoded_preview, preview
from t2v.engine.loaded import Loaded
from t2v.program import quiet_loading
from t2v.weights.marks import Mark, place_mark
from t2v.weights.refusals import ModelError, reason
from t2v.weights.single_file.draft_vae import DraftVae
from t2v.weights.small_vae import load_small_vae, small_vae_of

logger = logging.getLogger(__name__)

ROUGH = "Previews stay rough, as {why}"
OWN = "of the model"


class Previews:
    """Pictures of the latents of the model in memory, for one engine. Nothing is loaded before the first.

    decodes: whether a small VAE may be used; not where what computes is out of reach.
    """

    def __init__(self, decodes: bool = True) -> None:
        self._decodes = decodes
        self._owner: weakref.ref[Loaded] | None = None  # weak: no model is to stay in memory for this
        self._vae: Any = None  # that decodes its latents
        self._name = OWN
        self._at: tuple[Path, Mark] | None = None  # where it lies in the folder of models, as it was read
        self._looks = True  # whether it is to be looked whether that is still so

    def begin(self) -> None:
        """Be ready for a run: a small VAE that has come, gone or changed on disk since is seen."""
        self._looks = True

    def of(self, loaded: Loaded, latents: torch.Tensor) -> np.ndarray:
        """A Step's latents (1 f c h w) as uint8 RGB (f, h, w, 3): a pixel per cell, or decoded."""
        if loaded.trained is not None:
            shown: np.ndarray = loaded.pipeline.preview(latents)
            return shown
        decoded = self._decoded(loaded, latents) if self._decodes else None
        if decoded is not None:
            return decoded
        return preview(latents, loaded.card.preview if loaded.card.preview else loaded.family.preview)

    def _decoded(self, loaded: Loaded, latents: torch.Tensor) -> np.ndarray | None:
        """None where no small VAE decodes them."""
        pipeline = loaded.pipeline
        try:
            if self._looks or self._owner is None or self._owner() is not loaded:
                self._look(loaded)
            if self._vae is None:
                return None
            device = pipeline.memory.device
            if self._vae is not pipeline.vae:  # which is kept with the rest
                self._vae.to(device, pipeline.vae.dtype)
            return decoded_preview(self._vae, latents, device)
        except Exception as error:  # of whatever kind: a run is worth more than a look at it
            logger.info("no more previews by a small VAE", exc_info=error)
            self._vae = None
            known = isinstance(error, ModelError)
            why = f"vae {self._name} cannot be used for them ({reason(error)}); fetch it again."
            pipeline.tell(ROUGH.format(why=error if known else why))
            return None

    def _look(self, loaded: Loaded) -> None:
        """Choose for this model; what was chosen, or could not be used, stays where nothing has changed."""
        self._looks = False
        path = small_vae_of(loaded.family) if not _has_own(loaded) else None
        at = None if path is None else (path, place_mark(str(path)))
        if self._owner is not None and self._owner() is loaded and self._at == at:
            return
        self._owner, self._vae, self._name, self._at = weakref.ref(loaded), None, OWN, at
        self._vae = self._chosen(loaded)

    def _chosen(self, loaded: Loaded) -> Any:
        """The model's own VAE where that is small, else its family's in the folder of models, or None."""
        pipeline = loaded.pipeline
        if self._at is None:
            return pipeline.vae if _is_small(loaded) else None
        path, _ = self._at
        self._name = path.name
        with quiet_loading():
            return load_small_vae(path, str(pipeline.memory.device), pipeline.vae.dtype)


def _is_small(loaded: Loaded) -> bool:
    """Whether the model's own VAE is small; not where its card knows its latents, which are of their kind."""
    vae = loaded.pipeline.vae
    return isinstance(vae, DraftVae) or (isinstance(vae, AutoencoderTiny) and not loaded.card.preview)


def _has_own(loaded: Loaded) -> bool:
    """Whether a model is shown by what it brings along."""
    return bool(loaded.card.preview) or _is_small(loaded)

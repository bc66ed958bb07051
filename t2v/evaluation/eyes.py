"""Models that look at frames: CLIP and DINO, from a folder or the hub, as unit vectors for the formulas."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer, CLIPModel

from t2v.checks import InputError

CLIP = "openai/clip-vit-large-patch14"
CLIP_OF_VBENCH = "openai/clip-vit-base-patch32"
DINO_OF_VBENCH = "facebook/dino-vitb16"
AT_ONCE = 16


class Eyes(Protocol):
    """Whatever gives unit vectors, float32 (f, d), of pictures uint8 RGB (f, h, w, 3)."""

    def pictures(self, pictures: np.ndarray) -> np.ndarray: ...


class ReadingEyes(Eyes, Protocol):
    """Eyes that also give unit vectors (n, d) of texts, in the same space."""

    def captions(self, captions: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class ClipEyes:
    """CLIP (arXiv 2103.00020) in transformers' class, and what its input has to be."""

    model: Any
    processor: Any
    tokenizer: Any

    def pictures(self, pictures: np.ndarray) -> np.ndarray:
        """Unit vectors, float32 (f, d), of uint8 RGB (f, h, w, 3)."""

        def look(batch: torch.Tensor) -> torch.Tensor:
            return self.model.visual_projection(self.model.vision_model(batch).pooler_output)

        return _seen(pictures, self.processor, look)

    @torch.no_grad()
    def captions(self, captions: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 (n, d); what is longer than the text encoder reads is cut off."""
        length = self.model.config.text_config.max_position_embeddings
        given = self.tokenizer(
            list(captions), padding=True, truncation=True, max_length=length, return_tensors="pt"
        )
        read = self.model.text_model(given["input_ids"], attention_mask=given["attention_mask"])
        return F.normalize(self.model.text_projection(read.pooler_output).float(), dim=-1).numpy()


@dataclass(frozen=True, eq=False)
class ClassToken:
    """A vision transformer such as DINO (arXiv 2104.14294), of which the class token's last state counts."""

    model: Any
    processor: Any

    def pictures(self, pictures: np.ndarray) -> np.ndarray:
        """Unit vectors, float32 (f, d), of uint8 RGB (f, h, w, 3)."""
        return _seen(pictures, self.processor, lambda batch: self.model(batch).last_hidden_state[:, 0])


@torch.no_grad()
def _seen(pictures: np.ndarray, processor: Any, look: Callable[[torch.Tensor], torch.Tensor]) -> np.ndarray:
    found = []
    for first in range(0, len(pictures), AT_ONCE):
        given = processor(images=list(pictures[first : first + AT_ONCE]), return_tensors="pt")
        found.append(F.normalize(look(given["pixel_values"]).float(), dim=-1))
    return torch.cat(found).numpy()


def load_clip_eyes(source: str = CLIP) -> ClipEyes:
    """CLIP from a folder or hub id, float32 on the CPU; InputError where there is none."""
    try:
        return ClipEyes(
            CLIPModel.from_pretrained(source, dtype=torch.float32).eval(),
            AutoImageProcessor.from_pretrained(source),
            AutoTokenizer.from_pretrained(source),
        )
    except (OSError, ValueError) as error:
        raise InputError(_missing("CLIP", source, CLIP)) from error


def load_class_token(source: str = DINO_OF_VBENCH) -> ClassToken:
    """DINO or another vision transformer from a folder or hub id; InputError where there is none."""
    try:
        model = AutoModel.from_pretrained(source, dtype=torch.float32).eval()
        return ClassToken(model, AutoImageProcessor.from_pretrained(source))
    except (OSError, ValueError) as error:
        raise InputError(_missing("A vision transformer", source, DINO_OF_VBENCH)) from error


def _missing(what: str, source: str, example: str) -> str:
    allowed = f"a folder or hub id in transformers' format, such as {example}"
    return f"{what} could not be loaded from {source}; give {allowed}."

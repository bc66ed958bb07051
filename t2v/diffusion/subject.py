"""Where in a picture the words of a prompt are drawn: by what the network's text attention looks at."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention
from einops import rearrange

from t2v.checks import InputError
from t2v.diffusion.attention import processed, text_attention_layers
from t2v.diffusion.masks import filled, grown, in_pixels, largest_piece

CORE_CELLS, NEAR_CELLS = 2, 2  # within, and beyond, a rough mask, where it is certain
GRABS = 4  # rounds of GrabCut
LEAST_FOUND = 0.3  # of the rough mask, below which it is taken itself
HEEDED = (0.2, 0.8)  # share of the steps in which attention tells: before, there is no picture yet


def word_places(tokenizer: Any, prompt: str, words: str) -> list[int]:
    """Which of the prompt's tokens the words are, counted as the text encoder sees them.

    InputError where the prompt does not have them, one after the other.
    """
    limit = tokenizer.model_max_length
    whole = tokenizer(prompt, truncation=True, max_length=limit).input_ids
    part = tokenizer(words, add_special_tokens=False).input_ids
    for start in range(len(whole) - len(part) + 1):
        if part and whole[start : start + len(part)] == part:
            return list(range(start, start + len(part)))
    raise InputError(f"subject is {words[:60]!r}, which the prompt does not say; give words of the prompt.")


def without(prompt: str, words: str) -> str:
    """The prompt without some of its words and the article before them: "a red car on snow" to "on snow"."""
    spaced = r"\s+".join(re.escape(part) for part in words.split())
    found = re.search(rf"(\b(a|an|the)\s+)?{spaced}", prompt, re.IGNORECASE)
    if found is None:
        return prompt
    return " ".join((prompt[: found.start()] + " " + prompt[found.end() :]).split()).strip(" ,;.")


class Heeding:
    """How much every place of the picture heeds some tokens, layer by layer, over the steps of a run.

    places: of the tokens. branches: of guidance, of which the one told most is looked at, and there the first
    frame.
    """

    def __init__(self, places: list[int], branches: int) -> None:
        self.places, self.branches = places, branches
        self.sums: dict[str, torch.Tensor] = {}  # layer -> (l,)
        self._wanted: set[str] | None = None  # layers that are yet to be heard in this step; None: none are
        self._layers: set[str] = set()

    def next_step(self, share: float, branches: int | None = None) -> None:
        """Say that the next step begins at this share of the steps, 0..1, and if it has other branches."""
        self.branches = self.branches if branches is None else branches
        self._wanted = set(self._layers) if HEEDED[0] <= share < HEEDED[1] else None

    def hears(self, layer: str) -> bool:
        """Whether a layer is to be heard now; once a step, as the first frame is in the first chunk."""
        self._layers.add(layer)
        if self._wanted is None or layer not in self._wanted:
            return False
        self._wanted.remove(layer)
        return True

    def note(self, layer: str, attn: Attention, hidden_states: torch.Tensor, text: torch.Tensor) -> None:
        """Add what the first frame heeds; hidden_states: ((b f) l c), text: ((b f) n d), or (b n d)."""
        query, key = (
            rearrange(project(rows.chunk(self.branches)[-1][:1]), "1 l (h d) -> h l d", h=attn.heads).float()
            for project, rows in ((attn.to_q, hidden_states), (attn.to_k, text))
        )
        heeded = (query @ key.transpose(1, 2) * attn.scale).softmax(-1)[..., self.places]
        told = heeded.sum(-1).mean(0)
        self.sums[layer] = told + self.sums[layer] if layer in self.sums else told

    def map(self, height: int, width: int) -> np.ndarray:
        """How much each cell heeds the tokens, (h, w) float32, 0..1: the mean of all layers, each of 0..1."""
        maps = []
        for told in self.sums.values():
            rows, columns = _shape(len(told), height, width)
            spread = told.max() - told.min()
            if spread > 0:
                even = ((told - told.min()) / spread).reshape(1, 1, rows, columns)
                maps.append(F.interpolate(even, (height, width), mode="bilinear", align_corners=False)[0, 0])
        if not maps:
            return np.zeros((height, width), np.float32)
        return torch.stack(maps).mean(0).cpu().numpy()


class _Listener:
    """A layer's own attention processor, and beside it what it heeds."""

    def __init__(self, layer: str, inner: Any, heeding: Heeding) -> None:
        self.layer, self.inner, self.heeding = layer, inner, heeding

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        *rest: Any,
        **named: Any,
    ) -> torch.Tensor:
        if encoder_hidden_states is not None and self.heeding.hears(self.layer):
            self.heeding.note(self.layer, attn, hidden_states, encoder_hidden_states)
        mixed: torch.Tensor = self.inner(attn, hidden_states, encoder_hidden_states, *rest, **named)
        return mixed


@contextmanager
def heeding(network: torch.nn.Module, places: list[int], branches: int) -> Iterator[Heeding]:
    """Listen to the network's text attention while the context lasts; nothing it draws is changed."""
    heard = Heeding(places, branches)
    with processed(text_attention_layers(network), lambda name, own: _Listener(name, own, heard)):
        yield heard


def _shape(count: int, height: int, width: int) -> tuple[int, int]:
    """Rows and columns of a layer of so many places: the latents', halved as often as needed."""
    while height * width > count and height * width > 1:
        height, width = math.ceil(height / 2), math.ceil(width / 2)
    if height * width != count:
        raise InputError("move is subject, and this model's text attention has no places; choose camera.")
    return height, width


def mask_of(heeded: np.ndarray) -> np.ndarray:
    """The largest piece of what is heeded more, by Otsu's threshold: (h, w) bool, at least one cell."""
    found = above_otsu(heeded)
    return filled(largest_piece(found)) if found.any() else np.asarray(heeded == heeded.max())


def above_otsu(heeded: np.ndarray) -> np.ndarray:
    """What is heeded more, by Otsu's threshold: (h, w) bool."""
    grey = np.rint(heeded / max(float(heeded.max()), 1e-9) * 255).astype(np.uint8)
    _, high = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return high.astype(bool)


def cut_out(
    picture: np.ndarray, mask: np.ndarray, heeded: np.ndarray, cell_px: int, others: np.ndarray | None = None
) -> np.ndarray:
    """The subject's pixels, (h, w) bool, of what is masked roughly: by GrabCut (Rother et al. 2004).

    picture: uint8 RGB (h, w, 3). mask, heeded: in cells, as ``mask_of`` takes and gives them. The middle of
    the mask, where it is heeded most, is the subject for certain, and what is well outside of it is not, nor
    what ``others``, (h, w) bool in cells, say is another one. The mask itself where GrabCut finds little.
    """
    rough, core = (in_pixels(part, cell_px) for part in (mask, grown(mask, -CORE_CELLS)))
    near = in_pixels(grown(mask, NEAR_CELLS), cell_px)
    if near.all():
        return rough
    known = np.full(rough.shape, cv2.GC_BGD, np.uint8)
    known[near], known[rough] = cv2.GC_PR_BGD, cv2.GC_PR_FGD
    if others is not None:
        known[in_pixels(others & ~mask, cell_px)] = cv2.GC_BGD
    strong = in_pixels(heeded >= np.median(heeded[mask]), cell_px)
    known[core & strong] = cv2.GC_FGD
    cv2.setRNGSeed(0)  # its clusters begin at random
    behind, before = np.zeros((1, 65)), np.zeros((1, 65))  # what GrabCut learns of both
    bgr = np.ascontiguousarray(picture[..., ::-1])
    cv2.grabCut(bgr, known, (0, 0, 1, 1), behind, before, GRABS, cv2.GC_INIT_WITH_MASK)
    found = ((known == cv2.GC_FGD) | (known == cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    whole = filled(largest_piece(found.astype(bool)) | core)
    return whole if whole.sum() >= LEAST_FOUND * rough.sum() else rough

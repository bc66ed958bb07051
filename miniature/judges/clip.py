"""The first judge: a small CLIP pair that tells which caption fits a picture.

Stock transformers classes, trained by symmetric InfoNCE (CLIP, arXiv 2103.00020, section 2.3). Every batch
also holds captions that are wrong in a single word (as in NegCLIP, arXiv 2210.01936), because that is what
the judge is asked: which of several captions that differ in one word fits best. A linear layer that names
subject, colour, place and so on from the picture's vector is trained along and thrown away: while both models
are still random, it tells the vision model at once what there is to see.
"""

import copy
import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import (
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from miniature.banks import WORDINGS, Bank, Columns
from miniature.data import HELD_OUT_SEED
from miniature.fit import low_precision
from miniature.judges.scenes import (
    CLASSES,
    JUDGE_PIXELS,
    UNKNOWN,
    blemished,
    judge_input,
    judge_scene,
    labels_of,
    near_miss,
    small_pictures,
    telling,
    with_value,
)
from miniature.package import change_config, replacing
from miniature.shapes import MAX_TOKENS, PIXELS, Stage
from miniature.text_to_image import text_config, token_ids
from miniature.world import Scene, draw, sample_scene

PROJECTION = 64
NAMING = 0.3  # weight of the classes' loss
CLIP_TEXT = {
    "hidden_size": 96,
    "intermediate_size": 192,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": MAX_TOKENS,
    "projection_dim": PROJECTION,
}
CLIP_VISION = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "image_size": JUDGE_PIXELS,
    "patch_size": 16,
    "projection_dim": PROJECTION,
}
HIGHEST_SCALE = math.log(100.0)  # CLIP's own limit of the learned temperature
ENCODED_AT_ONCE = 64


class Temperature(nn.Module):
    """The learned factor of the similarities, as its logarithm."""

    def __init__(self, start: float = math.log(1 / 0.07)):
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(start))

    def forward(self, similarities: torch.Tensor) -> torch.Tensor:
        return similarities * self.log_scale.clamp(max=HIGHEST_SCALE).exp()


def build_clip(tokenizer: CLIPTokenizer) -> nn.ModuleDict:
    """A fresh pair for the tokenizer's vocabulary: ``text``, ``vision``, their ``temperature``, ``names``."""
    config = text_config(tokenizer, CLIP_TEXT)
    vision = CLIPVisionModelWithProjection(CLIPVisionConfig(**CLIP_VISION))
    names = nn.Linear(PROJECTION, sum(map(len, CLASSES.values())))
    text = CLIPTextModelWithProjection(config)
    for model in (text, vision):  # on a CPU the fused kernel takes more than twice as long to learn through
        model.set_attn_implementation("eager")
    return nn.ModuleDict({"text": text, "vision": vision, "temperature": Temperature(), "names": names})


def clip_bank(stage: Stage, step: int, tokenizer: CLIPTokenizer) -> Bank:
    """Rows for ``clip_loss``: pictures, wordings, wordings wrong in a word, caption numbers, labels.

    uint8 (128, 128, 3), token numbers (WORDINGS, l) twice, a number that equal captions share, and (6).
    """

    def make(rng: np.random.Generator, count: int) -> Columns:
        scenes = [judge_scene(rng) for _ in range(count)]
        right, wrong = [], []
        for scene in scenes:
            right += [telling(scene), *(telling(scene, rng) for _ in range(WORDINGS - 1))]
            misses = [near_miss(scene, rng) for _ in range(WORDINGS)]
            wrong += [telling(miss, rng if rng.random() < 0.5 else None) for miss in misses]
        ids = [token_ids(tokenizer, texts).view(count, WORDINGS, -1) for texts in (right, wrong)]
        numbers = torch.tensor([zlib.crc32(telling(scene).encode()) for scene in scenes])
        labels = torch.tensor([labels_of(scene) for scene in scenes])
        return small_pictures(scenes), *ids, numbers, labels

    return Bank(stage, step, make)


def embed_pictures(parts: nn.ModuleDict, pictures: torch.Tensor) -> torch.Tensor:
    """Vectors, float32 (b, 64), not yet of length 1, of pictures (b, 3, 128, 128) in -1..1."""
    with low_precision(pictures.device):
        return parts["vision"](pictures).image_embeds.float()


def embed_captions(parts: nn.ModuleDict, ids: torch.Tensor) -> torch.Tensor:
    """Unit vectors, float32 (b, 64), of token numbers (b, l)."""
    with low_precision(ids.device):
        embeds = parts["text"](ids).text_embeds
    return F.normalize(embeds.float(), dim=-1)


def contrast(similarities: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Symmetric InfoNCE of similarities (b, b + n): row i belongs to column i, columns from b on to none.

    ``same`` (b, b) is true where a caption also fits another picture; such pairs are not held against it.
    """
    count = similarities.shape[0]
    own = torch.arange(count, device=similarities.device)
    others = same & ~torch.eye(count, dtype=torch.bool, device=same.device)
    allowed = F.pad(others, (0, similarities.shape[1] - count), value=False)
    similarities = similarities.masked_fill(allowed, -torch.inf)
    captions_of_picture = F.cross_entropy(similarities, own)
    pictures_of_caption = F.cross_entropy(similarities[:, :count].T, own)
    return (captions_of_picture + pictures_of_caption) / 2


def clip_loss(
    parts: nn.ModuleDict,
    pictures: torch.Tensor,
    right: torch.Tensor,
    wrong: torch.Tensor,
    numbers: torch.Tensor,
    labels: torch.Tensor,
) -> torch.Tensor:
    """Loss of ``clip_bank``'s rows."""
    device = next(parts.parameters()).device
    pictures, right, wrong, numbers, labels = (
        each.to(device) for each in (pictures, right, wrong, numbers, labels)
    )
    rows = torch.arange(len(right), device=device)
    ids = [w[rows, torch.randint(w.shape[1], (len(w),), device=device)] for w in (right, wrong)]
    seen, read = embed_pictures(parts, blemished(pictures)), embed_captions(parts, torch.cat(ids))
    scores = parts["names"](seen).split([len(values) for values in CLASSES.values()], dim=1)
    named = sum(F.cross_entropy(s, labels[:, i], ignore_index=UNKNOWN) for i, s in enumerate(scores))
    similarities = parts["temperature"](F.normalize(seen, dim=-1) @ read.T)
    return contrast(similarities, numbers[:, None] == numbers) + NAMING * named


@dataclass(frozen=True, eq=False)
class ClipJudge:
    """The trained pair with its tokenizer, asked for opinions."""

    parts: nn.ModuleDict
    tokenizer: CLIPTokenizer

    @property
    def device(self) -> torch.device:
        return next(self.parts.parameters()).device

    @torch.no_grad()
    def pictures(self, pictures: np.ndarray) -> torch.Tensor:
        """Unit vectors (b, 64) of uint8 RGB pictures (b, h, w, 3)."""
        batches = [pictures[i : i + ENCODED_AT_ONCE] for i in range(0, len(pictures), ENCODED_AT_ONCE)]
        vectors = [embed_pictures(self.parts, judge_input(batch).to(self.device)) for batch in batches]
        return F.normalize(torch.cat(vectors), dim=-1)

    @torch.no_grad()
    def captions(self, captions: Sequence[str]) -> torch.Tensor:
        """Unit vectors (b, 64) of captions, each different one read once."""
        different = list(dict.fromkeys(captions))
        ids = token_ids(self.tokenizer, different).to(self.device)
        vectors = torch.cat([embed_captions(self.parts, batch) for batch in ids.split(4 * ENCODED_AT_ONCE)])
        number = {text: index for index, text in enumerate(different)}
        return vectors[[number[text] for text in captions]]

    def choose(self, pictures: np.ndarray, scenes: Sequence[Scene], name: str) -> list[str]:
        """Which value of CLASSES[name] fits each picture (b, h, w, 3), given the scene that was asked for.

        The captions compared say the asked scene with this one word exchanged. So a picture whose colour
        failed can still be right in its subject, no value of the word in question is favoured, and two
        subjects or a style in the prompt are no obstacle. Where captions are the same for several values
        (day and night in a city, see ``can_tell``) the first of them is named.
        """
        values = CLASSES[name]
        texts = [telling(with_value(scene, name, value)) for scene in scenes for value in values]
        read = self.captions(texts).view(len(scenes), len(values), -1)
        best = torch.einsum("bd,bnd->bn", self.pictures(pictures), read).argmax(dim=1)
        return [values[index] for index in best.tolist()]


def different_scenes(seed: int, count: int) -> list[Scene]:
    """Held-out scenes with pairwise different (subject, colour, place), the same for a seed every time."""
    rng = np.random.default_rng([HELD_OUT_SEED, seed])
    found: dict[tuple, Scene] = {}
    while len(found) < count:
        scene = sample_scene(rng, "held-out")
        triple = scene.subjects[0].kind, scene.subjects[0].colour, scene.place
        found.setdefault(triple, scene)
    return list(found.values())


def retrieval(judge: ClipJudge, groups: int = 4, among: int = 64) -> float:
    """Share of held-out pictures whose own caption, of ``among`` in plain wording, fits them best."""
    right = []
    for group in range(groups):
        scenes = different_scenes(group, among)
        seen = judge.pictures(np.stack([draw(scene, PIXELS) for scene in scenes]))
        best = (seen @ judge.captions([telling(scene) for scene in scenes]).T).argmax(dim=1)
        right.append((best.cpu() == torch.arange(among)).float().mean().item())
    return sum(right) / groups


def save_clip(folder: Path, parts: nn.ModuleDict, tokenizer: CLIPTokenizer) -> Path:
    """Write both models in half precision as transformers does, what their input has to be, and the words."""
    facts = {
        "size": {"height": JUDGE_PIXELS, "width": JUDGE_PIXELS},
        "resample": 4,  # PIL's box filter: plain averaging
        "rescale_factor": 1 / 255,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "logit_scale": parts["temperature"].log_scale.item(),
    }
    with replacing(folder) as part:
        for name in ("text", "vision"):
            copy.deepcopy(parts[name]).half().save_pretrained(part / name)
            change_config(part / name / "config.json", dtype="float32")  # loads so unless asked otherwise
        (part / "preprocessor_config.json").write_text(json.dumps(facts, indent=1) + "\n")
        tokenizer.save_pretrained(part / "tokenizer")
    return folder


def load_clip(folder: Path, device: str | torch.device = "cpu") -> ClipJudge:
    """The judge written by ``save_clip``, in float32."""
    facts = json.loads((folder / "preprocessor_config.json").read_text())
    parts = {
        "text": CLIPTextModelWithProjection.from_pretrained(folder / "text", dtype=torch.float32),
        "vision": CLIPVisionModelWithProjection.from_pretrained(folder / "vision", dtype=torch.float32),
        "temperature": Temperature(facts["logit_scale"]),
    }
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    return ClipJudge(nn.ModuleDict(parts).eval().to(device), tokenizer)

"""Textual inversion (arXiv 2208.01618): words learned as vectors, from files in the folder of models.

A prompt that has a file's name in it, whatever its capitals, means its vectors. In the tokenizer they stand
under names of their own, which nobody types, so that words that the model has already stay as they are.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.weights.listing import Listed, listed
from t2v.weights.marks import Mark, file_mark
from t2v.weights.refusals import ModelError, log_failure, reason
from t2v.weights.single_file.values import Values

ENCODERS = (("text_encoder", "tokenizer"), ("text_encoder_2", "tokenizer_2"))
OF_XL = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}
BESIDE = re.compile(r"^string_to_token|^(?:step|sd_checkpoint|name)$", re.ASCII)
LARGEST = 2  # an encoder's end mark where it takes the word with the largest number for it
Shapes = Mapping[str, tuple[int, int]]  # (n d) of the vectors for each text encoder
INSTEAD = "take its name out of the prompt, or the file out of the folder of models"


@dataclass(frozen=True)
class Kept:
    """A file's words in a pipeline. mark: of the file when it was read; tokens: that stand for its vectors.

    tokens: () where they do not fit.
    """

    mark: Mark
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class Reads:
    """What a model reads of texts: how wide each text encoder's vectors are, and how many words at once."""

    widths: Mapping[str, int] = field(default_factory=dict)
    room: int = 0

    def fits(self, shapes: Shapes) -> bool:
        """Whether vectors for these encoders, (n d) each, are as wide as theirs, and not too many."""
        widths = {part: width for part, (_, width) in shapes.items()}
        return widths == self.widths and all(count <= self.room for count, _ in shapes.values())


def reads_of(pipeline: VideoPipeline) -> Reads:
    """What a model in memory reads."""
    both: dict[str, Any] = {part: getattr(pipeline, part, None) for part, _ in ENCODERS}
    widths = {part: one.config.hidden_size for part, one in both.items() if one is not None}
    return Reads(widths, room_of(pipeline.tokenizer))


def room_of(tokenizer: Any) -> int:
    """How many words a text encoder reads beside the marks of begin and end."""
    return int(tokenizer.model_max_length) - 2


def named_words(*texts: str) -> tuple[Listed, ...]:
    """The files of learned words in the folder of models whose names stand in the texts."""
    told = "\n".join(texts)
    return tuple(
        one
        for one in listed()
        if one.kind is not None and one.kind.kind == "embedding" and pattern(one).search(told)
    )


def pattern(one: Listed) -> re.Pattern[str]:
    """What finds a file's name in a text."""
    return re.compile(rf"(?<![\w-]){re.escape(one.path.stem)}(?![\w-])", re.IGNORECASE)


def use_words(pipeline: VideoPipeline, words: tuple[Listed, ...]) -> None:
    """Let prompts mean the vectors of these files by their names, and no others.

    ModelError for a file that is broken; one that was made for another model is left out.
    """
    kept: dict[Path, Kept] = pipeline.__dict__.setdefault("_kept_words", {})
    pipeline.words.clear()
    for one in words:
        mark, before = file_mark(one.path), kept.get(one.path)
        if before is None or before.mark != mark:
            vectors = read_words(one.path)
            shapes = {part: (len(rows), rows.shape[1]) for part, rows in vectors.items()}
            tokens: tuple[str, ...] = () if before is None else before.tokens
            kept[one.path] = Kept(mark, ())
            if not reads_of(pipeline).fits(shapes):
                continue
            kept[one.path] = Kept(mark, _put(pipeline, tokens, vectors))
        if kept[one.path].tokens:
            pipeline.words[one.path.stem.lower()] = " ".join(kept[one.path].tokens)


def read_words(path: Path) -> dict[str, torch.Tensor]:
    """The vectors (n d) of a file, float32, by text encoder; ModelError for a broken one."""
    name = f"the file {path.name} of learned words"
    try:
        values = Values(path)
        found = {part: values[key] for part, key in parts_of(values).items()}
    except Exception as error:
        log_failure(f"reading {path.name}", error)
        raise ModelError(f"{name} is broken and cannot be read ({reason(error)}); {INSTEAD}.") from error
    found = {part: _rows(one) for part, one in found.items()}
    if not found or not all(
        one.ndim == 2 and one.numel() and bool(one.isfinite().all()) for one in found.values()
    ):
        raise ModelError(f"{name} has no vectors in it that can be used; {INSTEAD}.")
    if len({len(one) for one in found.values()}) > 1:
        raise ModelError(f"{name} has not as many vectors for both text encoders; {INSTEAD}.")
    return found


def parts_of(names: Iterable[str]) -> dict[str, str]:
    """Text encoder -> the name of its vectors, of a file with these names; {} where they tell nothing."""
    own = [name for name in names if not BESIDE.search(name)]
    if OF_XL.keys() & set(own):
        return {OF_XL[name]: name for name in own if name in OF_XL}
    return {"text_encoder": own[0]} if len(own) == 1 else {}


def _rows(one: torch.Tensor) -> torch.Tensor:
    return (one[None] if one.ndim == 1 else one).float()


def _put(
    pipeline: VideoPipeline, tokens: tuple[str, ...], vectors: Mapping[str, torch.Tensor]
) -> tuple[str, ...]:
    """Set vectors in the text encoders; the tokens that stand for them: these, where they are as many."""
    count = len(next(iter(vectors.values())))
    if len(tokens) != count:
        name = f"<own-{len(pipeline.tokenizer)}"
        tokens = tuple(f"{name}-{number}>" for number in range(count))
    for part, tokenizer in ENCODERS:
        if part in vectors:
            getattr(pipeline, tokenizer).add_tokens(list(tokens))
            ids = getattr(pipeline, tokenizer).convert_tokens_to_ids(list(tokens))
            _grow(getattr(pipeline, part).get_input_embeddings(), ids, vectors[part])
            _tell_end(getattr(pipeline, part), getattr(pipeline, tokenizer))
    return tokens


def _tell_end(encoder: torch.nn.Module, tokenizer: Any) -> None:
    """Let an encoder find the end of a text by its mark.

    Older ones take the word with the largest number for it, which from now on is a learned one.
    """
    for module in encoder.modules():
        if getattr(module, "eos_token_id", None) == LARGEST:
            module.eos_token_id = tokenizer.eos_token_id


@torch.no_grad()
def _grow(table: Any, ids: list[int], vectors: torch.Tensor) -> None:
    """Set rows of a table of words, which grows for them."""
    own = table.weight
    more = max(0, max(ids) + 1 - len(own))
    grown = torch.cat([own, own.new_zeros(more, own.shape[1])])
    grown[ids] = vectors.to(grown)
    table.weight = torch.nn.Parameter(grown, requires_grad=False)
    table.num_embeddings = len(grown)

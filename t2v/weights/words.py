"""Textual inversion (arXiv 2208.01618): words learned as vectors, from files in the folder of models.

A prompt that has a file's name in it, whatever its capitals, means its vectors. In the tokenizer they stand
under names of their own, which nobody types, so that words that the model has already stay as they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.weights.files import is_file
from t2v.weights.listing import Listed, listed
from t2v.weights.refusals import ModelError, log_failure, reason
from t2v.weights.single_file.checks import look
from t2v.weights.single_file.values import Values
from t2v.weights.source import Source

ENCODERS = (("text_encoder", "tokenizer"), ("text_encoder_2", "tokenizer_2"))
OF_XL = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}
BESIDE = re.compile(r"^string_to_token|^(?:step|sd_checkpoint|name)$", re.ASCII)
LARGEST = 2  # an encoder's end mark where it takes the word with the largest number for it
INSTEAD = "take its name out of the prompt, or the file out of the folder of models"


@dataclass(frozen=True)
class Kept:
    """A word in a pipeline. mark: of its file when it was read; tokens: that stand for its vectors."""

    mark: tuple[int, int]
    tokens: str


def named_words(*texts: str) -> tuple[Listed, ...]:
    """The files of learned words in the folder of models whose names stand in the texts."""
    told = "\n".join(texts)
    return tuple(
        one for one in listed() if one.kind is not None and one.kind.kind == "embedding" and _names(one, told)
    )


def _names(one: Listed, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(one.path.stem)}(?![\w-])", text, re.IGNORECASE) is not None


def word_notes(source: Source, words: tuple[Listed, ...]) -> list[str]:
    """What to tell of learned words in a prompt for a model, as far as headers tell."""
    own = None
    if is_file(source.folder):
        own = look(source.base, source.folder).generation
    notes = []
    for one in words:
        family = None if one.kind is None else one.kind.generation
        if own is not None and family is not None and own is not family:
            left_out = (
                f"is for {family.name} and this model of {own.name}, so its name is read as plain words"
            )
            notes.append(f"The file {one.name} of learned words {left_out}.")
        else:
            notes.append(f"“{one.path.stem}” in the prompt means the learned words of {one.name}.")
    return notes


def use_words(pipeline: VideoPipeline, words: tuple[Listed, ...]) -> None:
    """Let prompts mean the vectors of these files by their names, and no others.

    ModelError for a file that is broken; one that was made for another model is left out.
    """
    kept: dict[Path, Kept] = pipeline.__dict__.setdefault("_kept_words", {})
    pipeline.words.clear()
    for one in words:
        mark = _mark(one.path)
        if one.path not in kept or kept[one.path].mark != mark:
            vectors = read_words(one.path)
            if not _fits(pipeline, vectors):
                continue
            kept[one.path] = Kept(mark, _put(pipeline, f"<own-{len(kept)}-{mark[0]}", vectors))
        pipeline.words[one.path.stem.lower()] = kept[one.path].tokens


def _mark(path: Path) -> tuple[int, int]:
    try:
        told = path.stat()
    except OSError as error:  # it was there when the folder was looked through
        told_of = f"the file {path.name} of learned words cannot be read ({error.strerror})"
        raise ModelError(f"{told_of}; {INSTEAD}.") from error
    return told.st_mtime_ns, told.st_size


def read_words(path: Path) -> dict[str, torch.Tensor]:
    """The vectors (n d) of a file, float32, by text encoder; ModelError for a broken one."""
    name = f"the file {path.name} of learned words"
    try:
        values = Values(path)
        held = {key: values[key] for key in values if not BESIDE.search(key)}
    except Exception as error:
        log_failure(f"reading {path.name}", error)
        raise ModelError(f"{name} is broken and cannot be read ({reason(error)}); {INSTEAD}.") from error
    if held.keys() & OF_XL.keys():
        found = {OF_XL[key]: one for key, one in held.items() if key in OF_XL}
    else:
        found = {"text_encoder": next(iter(held.values()))} if len(held) == 1 else {}
    found = {part: _rows(one) for part, one in found.items()}
    if not found or not all(
        one.ndim == 2 and one.numel() and bool(one.isfinite().all()) for one in found.values()
    ):
        raise ModelError(f"{name} has no vectors in it that can be used; {INSTEAD}.")
    if len({len(one) for one in found.values()}) > 1:
        raise ModelError(f"{name} has not as many vectors for both text encoders; {INSTEAD}.")
    return found


def _rows(one: torch.Tensor) -> torch.Tensor:
    return (one[None] if one.ndim == 1 else one).float()


def _fits(pipeline: VideoPipeline, vectors: Mapping[str, torch.Tensor]) -> bool:
    """Whether a model has these text encoders, as wide as the vectors, and room for so many."""
    both: dict[str, Any] = {part: getattr(pipeline, part, None) for part, _ in ENCODERS}
    encoders = {part: encoder for part, encoder in both.items() if encoder is not None}
    room = pipeline.tokenizer.model_max_length - 2
    return vectors.keys() == encoders.keys() and all(
        one.shape[1] == encoders[part].config.hidden_size and len(one) <= room
        for part, one in vectors.items()
    )


def _put(pipeline: VideoPipeline, name: str, vectors: Mapping[str, torch.Tensor]) -> str:
    """Add vectors to the text encoders; the tokens that stand for them."""
    count = len(next(iter(vectors.values())))
    tokens = [f"{name}-{number}>" for number in range(count)]
    for part, tokenizer in ENCODERS:
        if part in vectors:
            getattr(pipeline, tokenizer).add_tokens(tokens)
            ids = getattr(pipeline, tokenizer).convert_tokens_to_ids(tokens)
            _grow(getattr(pipeline, part).get_input_embeddings(), ids, vectors[part])
            _tell_end(getattr(pipeline, part), getattr(pipeline, tokenizer))
    return " ".join(tokens)


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

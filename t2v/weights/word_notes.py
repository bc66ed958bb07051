"""What is told of learned words in a prompt: whether the chosen model reads them. Headers alone are read."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from t2v.weights.files import config_path, read_object
from t2v.weights.here import is_here
from t2v.weights.listing import Listed
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import look
from t2v.weights.single_file.header import read_header
from t2v.weights.source import CONFIG, Source
from t2v.weights.video_kinds import video_kind
from t2v.weights.words import ENCODERS, Reads, Shapes, parts_of, room_of

WORDS = "token_embedding.weight"  # of a text encoder in a file: a vector for each word


def word_notes(source: Source, words: tuple[Listed, ...], tokenizer: Any | None = None) -> list[str]:
    """What to tell of learned words in a prompt for a model; nothing of what nobody can tell yet.

    tokenizer: the model's; None where it is not on this machine.
    """
    reads = told_reads(source, tokenizer) if words else None
    if reads is None:
        return []
    name = "the miniature" if source.is_bundled else "this model"
    return [text for one in words if (text := _note(name, one, reads)) is not None]


def told_reads(source: Source, tokenizer: Any | None) -> Reads | None:
    """What a model reads of texts, without loading it; None where it is not here, or broken."""
    if video_kind(source) is not None:
        return Reads()  # none of these is given learned words
    if tokenizer is None or not is_here(source.base):
        return None
    try:
        widths = dict(_of_file(source) if source.kind == "file" else _of_folder(source))
    except (OSError, ValueError, KeyError, ModelError):
        return None
    return Reads(widths, room_of(tokenizer)) if widths else None


def _of_file(source: Source) -> Iterator[tuple[str, int]]:
    generation = look(source.base, source.folder).generation
    tensors = read_header(source.folder).tensors
    encoders = () if generation is None else generation.texts
    for (part, _), encoder in zip(ENCODERS, encoders, strict=False):
        own = (
            one for name, one in tensors.items() if name.startswith(encoder.prefix) and name.endswith(WORDS)
        )
        yield from ((part, one.shape[-1]) for one in own if one.shape)


def _of_folder(source: Source) -> Iterator[tuple[str, int]]:
    place = source.place()
    for part, _ in ENCODERS:
        path = _config(place, part)
        if path is not None:
            yield part, read_object(path)["hidden_size"]


def _config(place: str, part: str) -> Path | None:
    """A text encoder's configuration on this disk; nothing is fetched."""
    from huggingface_hub.errors import EntryNotFoundError

    try:
        path = config_path(place, True, f"{part}/{CONFIG}")
    except (EntryNotFoundError, OSError):
        return None
    return path if path.is_file() else None


def _note(name: str, one: Listed, reads: Reads) -> str | None:
    shapes = _shapes(one.path)
    if not shapes:  # a broken file, which the run says
        return None
    if reads.fits(shapes):
        return f"“{one.path.stem}” in the prompt means the learned words of {one.name}."
    made_for, count = None if one.kind is None else one.kind.generation, max(n for n, _ in shapes.values())
    why = f"is for {'another model' if made_for is None else made_for.name}"
    if replace(reads, room=count).fits(shapes):
        why = f"has {count} vectors, where a text has room for {reads.room},"
    unread = f"{why} and is not read by {name}"
    return f"The file {one.name} of learned words {unread}; its name is read as plain words."


def _shapes(path: Path) -> Shapes:
    try:
        tensors = read_header(path).tensors
    except (OSError, ValueError):
        return {}
    parts = {part: tensors[name].shape for part, name in parts_of(tensors).items()}
    return {part: (shape[0] if len(shape) > 1 else 1, shape[-1]) for part, shape in parts.items() if shape}

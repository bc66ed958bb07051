"""The words of a T5 as older models keep them: spiece.model, SentencePiece's file, a protocol buffer.

Of it only the pieces, their scores and the table of how letters are first written alike are read: to read it
otherwise would take two packages more.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from transformers import T5TokenizerFast

MOST_BYTES = 20_000_000  # the longest known, of 256,000 pieces in all languages, has 5 million
PIECES, TRAINED, NORMED = 1, 2, 3  # fields of the whole
PIECE, SCORE = 1, 2  # of a piece
ALGORITHM = 3  # of how it was trained
UNIGRAM = 1  # T5's, also where nothing is said
LETTERS = 2  # of how a text is made ready
VARINT, EIGHT, SIZED, FOUR = 0, 1, 2, 5  # how a field's value is written


class Pieces(NamedTuple):
    """Each piece with its score, in order of their numbers; and the table of letters, None without one."""

    scores: list[tuple[str, float]]
    letters: bytes | None


def spiece_tokenizer(path: Path) -> T5TokenizerFast:
    """The tokenizer of a file; ValueError where it is none, or of another algorithm than T5's."""
    found = read_pieces(path)
    return T5TokenizerFast(vocab=found.scores, _spm_precompiled_charsmap=found.letters, extra_ids=0)


def read_pieces(path: Path) -> Pieces:
    """What a file holds; ValueError as above."""
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"its {path.name} is longer than any of its kind")
    try:
        fields = list(_fields(path.read_bytes()))
        scores = [_piece(value) for number, value in fields if number == PIECES]
        trained = [dict(_fields(value)) for number, value in fields if number == TRAINED]
        normed = [dict(_fields(value)) for number, value in fields if number == NORMED]
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as error:
        raise ValueError(f"its {path.name} breaks off or is of another kind") from error
    if len(scores) < 3 or any(one.get(ALGORITHM, UNIGRAM) != UNIGRAM for one in trained):
        raise ValueError(f"its {path.name} is not of T5's kind")
    letters = normed[0].get(LETTERS) if normed else None
    return Pieces(scores, letters if letters else None)


def _piece(message: bytes) -> tuple[str, float]:
    held = dict(_fields(message))
    return held[PIECE].decode(), struct.unpack("<f", held.get(SCORE, bytes(4)))[0]


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a message: a number, or the bytes that it is written in."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        written = key & 7
        if written == VARINT:
            value: Any
            value, at = _varint(message, at)
        else:
            size = {EIGHT: 8, FOUR: 4}.get(written)
            if written == SIZED:
                size, at = _varint(message, at)
            if size is None or at + size > len(message):
                raise IndexError("a field goes beyond its message")
            value, at = message[at : at + size], at + size
        yield key >> 3, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of as many bytes as it takes, seven bits in each, and where the next thing begins."""
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise IndexError("a number without end")

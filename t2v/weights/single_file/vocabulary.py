"""CLIP's vocabulary, which checkpoint files leave out: from the package openai-clip, none of whose code runs.

Every Stable Diffusion reads texts by it.
"""

import gzip
import hashlib
from functools import lru_cache
from importlib import metadata
from typing import Any

from t2v.weights.refusals import ModelError

PACKAGES = ("openai-clip", "clip-anytorch", "open-clip-torch")  # each has the file; the first is asked for
FILE = "bpe_simple_vocab_16e6.txt.gz"
SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
MERGES = 49152 - 256 - 2  # of the file's many more
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
PLACES = 77


def check_vocabulary() -> None:
    """ModelError where the vocabulary is not on this machine."""
    _packed()


def _packed() -> bytes:
    for package in PACKAGES:
        try:
            files = metadata.files(package)
        except metadata.PackageNotFoundError:
            continue
        for file in files if files is not None else ():
            if file.name == FILE:
                try:
                    held = file.locate().read_bytes()  # type: ignore[attr-defined]
                except OSError:
                    continue
                if hashlib.sha256(held).hexdigest() == SHA256:
                    return bytes(held)
    raise ModelError(
        "model is a checkpoint file, for which the package openai-clip with CLIP's vocabulary is missing; "
        "install it (pip install openai-clip), or choose a folder in diffusers' format."
    )


@lru_cache(maxsize=1)
def _pieces() -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    """Word pieces with their numbers, and which two are joined, the first the soonest."""
    lines = gzip.decompress(_packed()).decode("utf-8").split("\n")[1 : MERGES + 1]
    pairs = tuple((one, two) for one, two in (line.split() for line in lines))
    letters = _letters()
    pieces = [
        *letters,
        *(f"{letter}</w>" for letter in letters),
        *(one + two for one, two in pairs),
        BEGIN,
        END,
    ]
    return {piece: number for number, piece in enumerate(pieces)}, pairs


def _letters() -> list[str]:
    """A letter for each byte, in the vocabulary's order; bytes that can be seen stand for themselves."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = 256 - len(visible)
    return [chr(byte) for byte in visible] + [chr(256 + number) for number in range(hidden)]


def clip_tokenizer(pad: str = END) -> Any:
    """CLIP's own tokenizer of 77 places, as transformers' CLIPTokenizer. pad: the word that fills up texts.

    ModelError where the vocabulary is not on this machine.
    """
    from transformers import CLIPTokenizer

    vocab, pairs = _pieces()
    return CLIPTokenizer(vocab=dict(vocab), merges=list(pairs), pad_token=pad, model_max_length=PLACES)

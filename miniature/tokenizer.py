"""A CLIP tokenizer with a small vocabulary of its own."""

import json
from collections.abc import Iterable

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from miniature.shapes import MAX_TOKENS

BEGIN, END = "<|startoftext|>", "<|endoftext|>"


def build_tokenizer(captions: Iterable[str], words: Iterable[str] = ()) -> CLIPTokenizer:
    """Byte-pair pieces learned from ``captions``, in which every word of them is one token.

    Words never seen are cut into pieces and bytes, as in CLIP, instead of being lost. ``words`` are learned
    even if no caption holds them.
    """
    reader = CLIPTokenizer()  # borrow CLIP's own way of cutting text into words
    texts = [*captions, *words]
    known = sorted({word for text in texts for word in _split(reader, text)})
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    byte_letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        # A pair of letters that occurs once is worth a merge: so every known word ends as one piece.
        min_frequency=1,
        vocab_size=100_000,
        special_tokens=[BEGIN, END],
        initial_alphabet=byte_letters,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    bpe.train_from_iterator(known, trainer)
    vocab, merges = _vocabulary(bpe, byte_letters)
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=MAX_TOKENS)


def _split(reader: CLIPTokenizer, text: str) -> list[str]:
    backend = reader.backend_tokenizer
    normal = backend.normalizer.normalize_str(text)
    return [piece for piece, _ in backend.pre_tokenizer.pre_tokenize_str(normal)]


def _vocabulary(bpe: Tokenizer, byte_letters: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The trained pieces and merges, with every byte also known as the end of a word."""
    model = json.loads(bpe.to_str())["model"]
    vocab = dict(model["vocab"])
    for letter in byte_letters:
        vocab.setdefault(f"{letter}</w>", len(vocab))
    return vocab, [tuple(merge) for merge in model["merges"]]

"""spiece.model, in which older T5s keep their words, read without the packages that write it."""

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from small_videos import PIECES, saved, small_cogvideox, small_t5_tokenizer

from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.trained.spiece import read_pieces, spiece_tokenizer
from t2v.weights.refusals import ModelError


def varint(number: int) -> bytes:
    made = b""
    while number > 127:
        made, number = made + bytes([number & 127 | 128]), number >> 7
    return made + bytes([number])


def sized(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def piece(text: str, score: float, kind: int = 1) -> bytes:
    held = (
        sized(1, text.encode())
        + varint(2 << 3 | 5)
        + struct.pack("<f", score)
        + varint(3 << 3)
        + varint(kind)
    )
    return sized(1, held)


def write_spiece(path: Path, algorithm: int = 1) -> Path:
    """As SentencePiece writes it: pieces, how it was trained, how letters are written (here: as they are)."""
    trained = sized(1, b"texts.txt" * 40) + varint(3 << 3) + varint(algorithm) + varint(40 << 3) + varint(2)
    normed = sized(1, b"identity") + varint(3 << 3) + varint(1)
    pieces = b"".join(piece(text, score) for text, score in PIECES)
    path.write_bytes(pieces + sized(2, trained) + sized(3, normed))
    return path


def test_pieces_scores_and_numbers_are_those_of_the_file(tmp_path):
    path = write_spiece(tmp_path / "spiece.model")
    found = read_pieces(path)
    assert [text for text, _ in found.scores] == [text for text, _ in PIECES] and found.letters is None
    assert np.allclose([score for _, score in found.scores], [score for _, score in PIECES])
    ours, right = spiece_tokenizer(path), small_t5_tokenizer()
    for text in ("a red car", "a  blue dog on a street", "something unknown", ""):
        given = {"padding": "max_length", "max_length": 12, "truncation": True}
        assert ours(text, **given).input_ids == right(text, **given).input_ids
        assert ours(text, **given).attention_mask == right(text, **given).attention_mask


def test_a_model_that_has_nothing_else_draws_the_same(tmp_path):
    model = Path(saved(small_cogvideox(), tmp_path / "new"))
    old = Path(shutil.copytree(model, tmp_path / "old"))
    (old / "tokenizer" / "tokenizer.json").unlink()
    write_spiece(old / "tokenizer" / "spiece.model")
    engine = Engine("cpu")
    new_frames, old_frames = (
        engine.generate(
            TextToVideoSettings("a red car", model=str(one), seed=1, num_frames=1, num_inference_steps=2)
        ).frames
        for one in (model, old)
    )
    assert np.array_equal(old_frames, new_frames) and new_frames.std() > 5


@pytest.mark.parametrize("harm", ["empty", "cut", "noise", "other"])
def test_files_of_another_kind_are_refused(tmp_path, harm):
    model = Path(saved(small_cogvideox(), tmp_path / "model"))
    (model / "tokenizer" / "tokenizer.json").unlink()
    path = write_spiece(model / "tokenizer" / "spiece.model", algorithm=2 if harm == "other" else 1)
    whole = path.read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes()
    path.write_bytes({"empty": b"", "cut": whole[:-3], "noise": noise, "other": whole}[harm])
    with pytest.raises(ModelError, match="its spiece.model (breaks off|is not of T5's kind)"):
        Engine("cpu").load(str(model))

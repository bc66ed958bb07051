"""Single files spoiled at random: each is told what it is, or refused in one sentence, and nothing is run."""

import contextlib
import io
import zipfile

import hostile
import pytest
import torch
from fuzzing import fuzzed, sentence, spoiled
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import look, why_not
from t2v.weights.single_file.kinds import KINDS
from t2v.weights.single_file.values import Values

pytestmark = pytest.mark.slow

TENSORS = {
    "model.diffusion_model.input_blocks.0.0.weight": torch.ones(2, 4, 3, 3),
    "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": torch.ones(4, 6),
    "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": torch.ones(3, 6).half(),
    "first_stage_model.decoder.conv_in.weight": torch.ones(2, 4, 3, 3),
}
SAFE = save(TENSORS)
HEAD = 8 + int.from_bytes(SAFE[:8], "little")


def pickled(old: bool) -> bytes:
    held = io.BytesIO()
    torch.save({"state_dict": TENSORS, "epoch": 3}, held, _use_new_zipfile_serialization=not old)
    return held.getvalue()


OLD = pickled(True)
with zipfile.ZipFile(io.BytesIO(pickled(False))) as _archive:
    ENTRIES = {name: _archive.read(name) for name in _archive.namelist()}
PROGRAM = next(name for name in ENTRIES if name.endswith("data.pkl"))


def archive(program: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name, entry in ENTRIES.items():
            file.writestr(name, program if name == PROGRAM else entry)
    return held.getvalue()


FILES = (
    st.tuples(st.just("x.safetensors"), spoiled(SAFE, HEAD))
    | st.tuples(st.just("x.ckpt"), spoiled(ENTRIES[PROGRAM]).map(archive))
    | st.tuples(st.just("x.pt"), spoiled(pickled(False)) | spoiled(OLD, len(OLD) // 2))
)


@fuzzed(150)
@given(FILES)
def test_every_file_is_told_or_refused(tmp_path_factory, file):
    name, held = file
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(held)
    with hostile.watched("/forbidden/") as seen:
        try:
            kind = look("model x", path)
            assert kind.kind in KINDS and kind.words
            why = why_not(kind)
            assert why is None or sentence(ModelError(f"model x {why}"))
        except ModelError as error:
            sentence(error)
            return
        finally:
            assert seen == []
        if name != "x.safetensors":  # whose values are read by its own library
            with contextlib.suppress(ValueError):
                for one in Values(path).values():
                    assert one.numel() < 1000

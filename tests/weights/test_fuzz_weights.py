"""Models, ControlNets and LoRAs spoiled at random: each draws, or is refused in one sentence."""

import json
import logging
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hostile
import pytest
import torch
from conftest import small_controlnet
from fuzzing import changed_json, fuzzed, sentence, spoiled
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from test_hostile import BIG, CARD, INDEX, LORA, SCHEDULER, TEXT, UNET, VAE, WORDS, draws, pair

from t2v.checks import InputError
from t2v.weights.controlnet import load_controlnet
from t2v.weights.fits import check_fits
from t2v.weights.load import load_pipeline

pytestmark = pytest.mark.slow

WEIGHTS = (f"unet/{BIG}", f"vae/{BIG}", "text_encoder/model.safetensors")
CARDS = {
    "words": {"subjects": ["cat", "dog"]},
    "defaults": {"width": 32, "height": 32, "t0": 500, "t1": 600, "guidance_scale": 5.0},
    "tasks": {"canny": {"num_inference_steps": 2}},
    "preview": [[0.1, 0.2, 0.3]] * 5,
    "examples": ["a cat"],
}
ADAPTER = {"r": 2, "lora_alpha": 2, "target_modules": ["to_q"]}


@pytest.fixture(scope="module", autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def copied(model_folder, tmp_path_factory) -> Path:
    folder = Path(shutil.copytree(model_folder, tmp_path_factory.mktemp("models") / "model"))
    (folder / CARD).write_text(json.dumps(CARDS))
    return folder


@contextmanager
def spoilt(path: Path, content: bytes) -> Iterator[None]:
    """The file holds this in the meantime; nothing outside of the tests' folders is opened, nothing run."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        with hostile.watched("/forbidden/") as seen:
            yield
        assert seen == []
    except InputError as error:
        sentence(error)
    finally:
        path.write_bytes(before)


@st.composite
def other_header(draw: st.DrawFn, whole: bytes) -> bytes:
    """A safetensors file whose header is still JSON, of its right length, and says something else."""
    size = struct.unpack("<Q", whole[:8])[0]
    header = json.dumps(draw(changed_json(json.loads(whole[8 : 8 + size])))).encode()
    return struct.pack("<Q", len(header)) + header + whole[8 + size :]


def spoiled_weights(whole: bytes) -> st.SearchStrategy[bytes]:
    size = struct.unpack("<Q", whole[:8])[0]
    return other_header(whole) | spoiled(whole, 8 + size) | spoiled(whole)


def spoiled_json(whole: bytes) -> st.SearchStrategy[bytes]:
    return changed_json(json.loads(whole)).map(lambda said: json.dumps(said).encode()) | spoiled(whole)


@pytest.mark.parametrize("file", [INDEX, UNET, VAE, TEXT, SCHEDULER, WORDS, "tokenizer/tokenizer.json", CARD])
@fuzzed(2)
@given(data=st.data())
def test_a_model_with_a_spoiled_config(copied, file, data):
    with spoilt(copied / file, data.draw(spoiled_json((copied / file).read_bytes()))):
        draws(copied)


@pytest.mark.parametrize("file", WEIGHTS)
@fuzzed(2)
@given(data=st.data())
def test_a_model_with_spoiled_weights(copied, file, data):
    with spoilt(copied / file, data.draw(spoiled_weights((copied / file).read_bytes()))):
        draws(copied)


@pytest.fixture(scope="module")
def controlnet(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("controlnet")
    small_controlnet().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("file", ["config.json", BIG])
@fuzzed(3)
@given(data=st.data())
def test_a_spoiled_controlnet(pipeline, controlnet, file, data):
    whole = (controlnet / file).read_bytes()
    with spoilt(controlnet / file, data.draw((spoiled_weights if file == BIG else spoiled_json)(whole))):
        check_fits("own", load_controlnet(str(controlnet), "canny", "cpu", torch.float32), "small", pipeline)


@fuzzed(4)
@given(data=st.data(), adapter=st.none() | changed_json(ADAPTER))
def test_a_spoiled_lora(model_folder, tmp_path_factory, data, adapter):
    path = tmp_path_factory.getbasetemp() / LORA
    told = {} if adapter is None else {"lora_adapter_metadata": json.dumps({"unet": adapter})}
    save_file(pair(), path, metadata={"format": "pt", **told})
    with spoilt(path, data.draw(spoiled_weights(path.read_bytes()))):
        load_pipeline(f"{model_folder}+{path}", "cpu", torch.float32)

"""controlnet.py: what loads, what fits, and the one sentence for what does not."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from conftest import small_controlnet, small_pipeline, small_unet
from safetensors.torch import load_file, save_file

from t2v.weights import beside
from t2v.weights.controlnet import load_controlnet
from t2v.weights.fits import check_fits
from t2v.weights.refusals import ModelError
from t2v.weights.source import Source


def load(source, task: str = "canny"):
    return load_controlnet(str(source), task, "cpu", torch.float32)


@pytest.fixture
def folder(tmp_path) -> Path:
    small_controlnet(3).save_pretrained(tmp_path / "controlnet-canny")
    return tmp_path / "controlnet-canny"


def test_a_folder_loads_with_its_own_weights_and_fits(folder):
    loaded, pipeline = load(folder), small_pipeline()
    for name, tensor in small_controlnet(3).state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    assert not loaded.training
    check_fits(str(folder), loaded, "small", pipeline)
    other = small_pipeline(cross_attention_dim=24)
    with pytest.raises(ModelError, match="cross_attention_dim is 16, the model's 24; choose"):
        check_fits(str(folder), loaded, "small", other)


def test_precision_is_the_one_asked_for(folder):
    assert load_controlnet(str(folder), "canny", "cpu", torch.bfloat16).dtype == torch.bfloat16


def test_the_one_beside_the_model_is_chosen_else_the_hubs(folder, tmp_path):
    model = tmp_path / "text-to-image"
    model.mkdir()
    assert Source.parse(str(model)).controlnet("canny", "hub/id") == str(folder.resolve())
    assert Source.parse(str(model)).controlnet("depth", "hub/id") == "hub/id"
    assert Source.parse("some/model").controlnet("canny", "hub/id") == "hub/id"
    assert Source.parse("x" * 400).controlnet("canny", "hub/id") == "hub/id"
    assert Source.parse("miniature").controlnet("canny", "hub/id") == "miniature"


def test_the_miniatures_own_are_found_by_task(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(beside, "MINIATURE", tmp_path / "text-to-image")
    assert load("miniature").config.cross_attention_dim == 16
    with pytest.raises(ModelError, match="no weights for pose in this copy"):
        load("miniature", "pose")


@pytest.mark.parametrize("source", ["nothing", "./nothing", "/no/such/folder"])
def test_places_that_are_not_there(source):
    with pytest.raises(ModelError, match=f"controlnet {source} is not there"):
        load(source)


def test_a_hub_id_without_a_network_says_what_to_do():
    with pytest.raises(ModelError, match="^controlnet lllyasviel/x is not on this machine.*connect once"):
        load("lllyasviel/x")


def test_what_is_no_controlnet_is_named(folder, tmp_path):
    small_unet().save_pretrained(tmp_path / "unet")
    with pytest.raises(ModelError, match="is not a ControlNet or T2I-Adapter but UNet2DConditionModel"):
        load(tmp_path / "unet")
    with pytest.raises(ModelError, match="has no config.json"):
        load(tmp_path)
    with pytest.raises(ModelError, match="is a file of another kind"):
        load(folder / "config.json")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "global_pool_conditions": True}))
    with pytest.raises(ModelError, match="shuffle"):
        load(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match="is broken"):
        load(folder)


def test_broken_weights_are_named(folder):
    path = next(folder.glob("*.safetensors"))
    tensors = load_file(path)
    save_file(dict(list(tensors.items())[3:]), path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="is broken and cannot be loaded"):
        load(folder)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="is broken and cannot be loaded"):
        load(folder)
    shutil.move(path, folder / "other.bin")
    with pytest.raises(ModelError, match="safetensors"):
        load(folder)

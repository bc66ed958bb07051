"""network.py, fits.py, files.py: what a network's folder may say, and whether all of it arrived."""

import pytest
import torch
from conftest import small_pipeline
from safetensors.torch import load_file, save_file

from t2v.diffusion.options import own_cells
from t2v.weights.files import best_weights, read_json
from t2v.weights.fits import check_parts
from t2v.weights.load import load_pipeline
from t2v.weights.network import Unset, lost_tensors
from t2v.weights.refusals import ModelError


def test_tensors_that_never_arrived_are_counted_whoever_knows_of_them():
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    assert lost_tensors(network, {"missing_keys": []}) == 0
    assert lost_tensors(network, {"missing_keys": ["0.weight", "0.bias"]}) == 2
    network[0].weight = torch.nn.Parameter(torch.empty(3, 2, device="meta"))  # of this the library is silent
    network[1].running_mean = torch.empty(3, device="meta")
    assert lost_tensors(network, {"missing_keys": ["0.weight", "0.bias"]}) == 3


def test_networks_made_without_values_come_to_the_same_with_less_done():
    with torch.device("meta"), Unset():
        drawn, counted = torch.nn.Embedding(3, 2), torch.arange(1, 7, 2, dtype=torch.int32)
    assert drawn.weight.is_meta and drawn.weight.shape == (3, 2)
    assert counted.is_meta and (counted.shape, counted.dtype) == ((3,), torch.int32)
    torch.manual_seed(0)
    right = torch.nn.Embedding(3, 2).weight
    torch.manual_seed(0)
    with Unset():
        made = torch.empty_like(counted.expand(2, -1), device="cpu")
        assert (made.shape, made.dtype, made.device.type) == ((2, 3), torch.int32, "cpu")
        assert torch.empty_like(counted).is_meta and torch.equal(torch.arange(3), torch.tensor([0, 1, 2]))
        assert torch.equal(torch.nn.Embedding(3, 2).weight, right)  # what has values has them drawn


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_tensor_missing_of_any_network_is_told(part, tmp_path):
    small_pipeline().save_pretrained(tmp_path)
    path = next((tmp_path / part).glob("*.safetensors"))
    save_file(dict(list(load_file(path).items())[1:]), path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=rf"is broken .*1 missing tensor in its folder {part}\);"):
        load_pipeline(str(tmp_path), "cpu", torch.float32)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"class_embed_type": "timestep"}, "further input .class_embed_type"),
        ({"num_class_embeds": 10}, "further input .num_class_embeds"),
        (
            {
                "addition_embed_type": "text_time",
                "addition_time_embed_dim": 8,
                "projection_class_embeddings_input_dim": 64,
            },
            "further input .addition_embed_type",
        ),
        (
            {"encoder_hid_dim_type": "text_proj", "encoder_hid_dim": 16},
            "further input .encoder_hid_dim",
        ),
        ({"cross_attention_dim": 24}, "reads text 24 wide .* writes it 16 wide"),
        ({"cross_attention_dim": (16, 24)}, r"reads text \(16, 24\) wide"),
        ({"out_channels": 8}, "gives 8 channels, not the 4 of its VAE"),
        ({"in_channels": 9}, "made for editing or inpainting .its UNet takes 9 channels"),
        ({"only_cross_attention": True}, "with only_cross_attention, which"),
    ],
)
def test_unets_that_want_more_or_other_than_they_are_given_are_refused(changes, told):
    with pytest.raises(ModelError, match=f"model small .*{told}.*; choose"):
        check_parts("small", small_pipeline(**changes), editor=False)


def test_unets_as_they_are_fit():
    for changes in ({}, {"sample_size": None}, {"sample_size": (16, 24)}, {"cross_attention_dim": (16, 16)}):
        check_parts("small", small_pipeline(**changes), editor=False)
    check_parts("small", small_pipeline(in_channels=8), editor=True)


def test_a_size_is_a_side_a_pair_or_the_usual():
    assert (own_cells(32), own_cells([16, 24]), own_cells(None)) == ((32, 32), (16, 24), (64, 64))
    for odd in (0, -1, True, 1.5, "64", [], [1], [1, 2, 3], [16, None], 10**6, {}):
        with pytest.raises(ValueError, match="sample_size is"):
            own_cells(odd)


def test_the_best_weights_are_those_in_full_then_in_half():
    model, whole = "diffusion_pytorch_model", {"use_safetensors": True, "variant": None}
    assert best_weights([f"{model}.safetensors", f"{model}.fp16.safetensors"]) == whole
    half = best_weights([f"{model}.bf16.safetensors", f"{model}.bin"])
    assert half == {"use_safetensors": True, "variant": "bf16"}
    assert best_weights([f"{model}.fp16-00001-of-00002.safetensors"])["variant"] == "fp16"
    assert best_weights(["model.bf16.bin"]) == {"use_safetensors": False, "variant": "bf16"}
    assert best_weights(["flax_model.msgpack", f"{model}.int8.safetensors"]) is None


def test_json_without_end_is_no_json(tmp_path):
    path = tmp_path / "config.json"
    endless = "[" * 100_000
    for content, told in ((endless, "nested too deep"), (" " * 10_000_001, "longer than any")):
        path.write_text(content)
        with pytest.raises(ValueError, match=f"its config.json is {told}"):
            read_json(path)
    with pytest.raises(FileNotFoundError, match="no file other.json"):
        read_json(tmp_path / "other.json")

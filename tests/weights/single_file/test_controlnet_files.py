"""ControlNets in single files: by the first ones' names and by diffusers', unions among them."""

import pytest
import torch
from checkpoint_files import TEXT_WIDTH, XL, assert_same, write_pickle, write_safetensors
from diffusers import ControlNetModel, ControlNetUnionModel

from benchmarks.original_names import unet_name
from t2v.engine.check_weights import check_weights
from t2v.tasks.canny import CannySettings
from t2v.weights.controlnet import load_controlnet
from t2v.weights.refusals import ModelError

SHAPE = {
    "block_out_channels": (32, 64),
    "layers_per_block": 1,
    "conditioning_embedding_out_channels": (16, 32, 48, 64),
}
DOWN = {
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": 8,
}
LARGER = {name: value for name, value in XL.items() if name != "up_block_types"}
UNION = {"num_control_type": 6, "num_trans_channel": 32, "num_proj_channel": 32}


def made(kind=ControlNetModel, **shape):
    torch.manual_seed(4)
    network = kind(**{**SHAPE, **shape}).eval()
    for one in network.parameters():
        torch.nn.init.normal_(one, std=0.1)
    return network


def original(network, prefix="control_model."):
    """Its tensors by the first ControlNets' names."""
    state, last = {}, 2 * len(network.controlnet_cond_embedding.blocks) + 2
    for name, one in network.state_dict().items():
        part, _, rest = name.partition(".")
        if part == "controlnet_down_blocks":
            number, kind = rest.split(".")
            new = f"zero_convs.{number}.0.{kind}"
        elif part == "controlnet_mid_block":
            new = f"middle_block_out.0.{rest}"
        elif part == "controlnet_cond_embedding":
            *where, kind = rest.split(".")
            place = {"conv_in": 0, "conv_out": last}.get(where[0])
            new = f"input_hint_block.{2 * int(where[1]) + 2 if place is None else place}.{kind}"
        else:
            new = unet_name(name, network.config.layers_per_block, set())
        state[prefix + new] = one
    return state


def load(path):
    return load_controlnet(str(path), "canny", "cpu", torch.float32)


@pytest.mark.parametrize("prefix", ["control_model.", ""])
def test_the_first_ones_names(tmp_path, prefix):
    network = made(**DOWN)
    state = original(network, prefix)
    if prefix:  # as in a whole model
        state["first_stage_model.decoder.conv_in.weight"] = torch.zeros(4, 4, 3, 3)
    for path in (
        write_safetensors(tmp_path / "edges.safetensors", state),
        write_pickle(tmp_path / "edges.pth", state),
    ):
        assert_same(load(path), network)


@pytest.mark.parametrize("shape", [DOWN, LARGER], ids=["sd1", "sdxl"])
def test_diffusers_names(tmp_path, shape):
    network = made(**shape)
    path = write_safetensors(tmp_path / "edges.safetensors", network.state_dict())
    loaded = load(path)
    assert_same(loaded, network)
    same = ("attention_head_dim", "down_block_types", "cross_attention_dim", "addition_embed_type")
    assert [loaded.config[name] for name in same] == [network.config[name] for name in same]
    check_weights(CannySettings("no clip", "a red car", model="who/knows", controlnet=str(path)))


def test_a_union(tmp_path):
    network = made(ControlNetUnionModel, **LARGER, **UNION)
    loaded = load(write_safetensors(tmp_path / "union.safetensors", network.state_dict()))
    assert isinstance(loaded, ControlNetUnionModel)
    assert_same(loaded, network)


def test_what_is_no_whole_controlnet_is_told(tmp_path):
    state = made(**DOWN).state_dict()
    less = {name: one for name, one in state.items() if name != "controlnet_mid_block.bias"}
    path = write_safetensors(tmp_path / "less.safetensors", less)
    with pytest.raises(
        ModelError, match="^controlnet .*less.safetensors is broken .*1 missing tensor in its"
    ):
        load(path)
    lora = {"lora_controlnet": torch.zeros(0), "input_blocks.0.0.up": torch.zeros(4, 4)}
    path = write_safetensors(tmp_path / "lora.safetensors", lora)
    for refuse in (load, lambda one: check_weights(CannySettings("no", "a car", controlnet=str(one)))):
        with pytest.raises(ModelError, match="lora.safetensors is a Control-LoRA; choose a ControlNet or"):
            refuse(path)

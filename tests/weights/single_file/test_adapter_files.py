"""T2I-Adapters in single files: by their first releases' names and by diffusers', and what is refused."""

import pytest
import torch
from checkpoint_files import assert_same, write_pickle, write_safetensors
from diffusers import ControlNetModel, T2IAdapter
from small_t2i import released, small_t2i, small_xl_t2i

from benchmarks.made_up.adapters import original_t2i_adapter, t2i_adapter
from t2v.engine.check_weights import check_weights
from t2v.tasks.canny import CannySettings
from t2v.weights.controlnet import load_controlnet
from t2v.weights.index import check_model
from t2v.weights.listing import listed
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import look
from t2v.weights.single_file.header import Tensor
from t2v.weights.single_file.shapes import adapter_config

WIDE = {"channels": [16, 32, 48, 48]}
LIGHT = {"adapter_type": "light_adapter", "channels": [16, 32, 48], "num_res_blocks": 4}
MADE = {
    "full": lambda: small_t2i(1, **WIDE),
    "without colours": lambda: small_t2i(2, **WIDE, in_channels=1, num_res_blocks=3),
    "all as wide": lambda: small_t2i(3, channels=[16, 16, 16]),
    "light": lambda: small_t2i(4, **LIGHT),
    "xl": lambda: small_xl_t2i(5, **WIDE),
    "xl without colours": lambda: small_xl_t2i(6, **WIDE, in_channels=1),
}
SAME = ("in_channels", "num_res_blocks", "downscale_factor", "adapter_type")


def load(path):
    return load_controlnet(str(path), "canny", "cpu", torch.float32)


def refuse(path):
    """As before a run with a model of which nothing is known here."""
    check_weights(CannySettings("no clip", "a red car", model="who/knows", controlnet=str(path)))


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("spelling", ["released", "released within", "diffusers", "old pickle"])
def test_all_that_is_in_a_file_arrives(tmp_path, name, spelling):
    network = MADE[name]()
    state = network.state_dict() if spelling == "diffusers" else released(network)
    if spelling in ("released", "diffusers"):
        path = write_safetensors(tmp_path / "edges.safetensors", state)
    elif spelling == "released within":
        path = tmp_path / "edges.pth"
        torch.save({"adapter": state}, path)
    else:
        path = write_pickle(tmp_path / "edges.pth", state, old=True)
    kind = look("x", path)
    family = "Stable Diffusion XL" if "xl" in name else "Stable Diffusion 1.x"
    assert (kind.kind, kind.words) == ("t2i-adapter", f"a T2I-Adapter for {family}")
    loaded = load(path)
    assert isinstance(loaded, T2IAdapter) and not loaded.training
    assert_same(loaded, network)
    assert [loaded.config[one] for one in SAME] == [network.config[one] for one in SAME]
    assert list(loaded.config.channels) == list(network.config.channels)
    sides = 2 * loaded.total_downscale_factor
    picture = torch.rand(1, loaded.config.in_channels, sides, sides)
    for one, wanted in zip(loaded(picture), network(picture), strict=True):
        assert torch.equal(one, wanted)
    refuse(path)  # nothing


PUBLISHED = {  # as the makers' own configurations have them
    ("full_adapter", 3): (8, [320, 640, 1280, 1280], 2),
    ("full_adapter", 1): (8, [320, 640, 1280, 1280], 2),
    ("full_adapter_xl", 3): (16, [320, 640, 1280, 1280], 2),
    ("light_adapter", 3): (8, [320, 640, 1280], 4),
}


@pytest.mark.parametrize(("kind", "colours"), PUBLISHED)
def test_published_ones_are_configured_as_their_makers_do(kind, colours):
    folded, channels, layers = PUBLISHED[kind, colours]
    for shapes in (t2i_adapter(kind, colours), original_t2i_adapter(kind, colours)):
        config = adapter_config(
            {name.removeprefix("adapter."): Tensor("", one) for name, one in shapes.items()}
        )
        assert (config["adapter_type"], config["in_channels"]) == (kind, colours)
        assert (config["downscale_factor"], config["num_res_blocks"]) == (folded, layers)
        assert list(config["channels"]) == channels


def test_a_controlnet_beside_it_is_still_one(tmp_path):
    network = ControlNetModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        cross_attention_dim=64,
        conditioning_embedding_out_channels=(16, 32, 48, 64),
    )
    assert_same(load(write_safetensors(tmp_path / "net.safetensors", network.state_dict())), network)


OTHERS = {
    "a T2I-Adapter for styles": {"style_embedding": torch.zeros(1, 8, 4), "ln_pre.weight": torch.zeros(4)},
    "a fuser of T2I-Adapters": {
        "task_embedding": torch.zeros(16, 8),
        "spatial_feat_mapping.0.1.weight": torch.zeros(8, 4),
    },
    "a T2I-Adapter for another kind of model": {
        **released(small_t2i(1)),
        "conv_in.weight": torch.zeros(16, 5, 3, 3),
    },
    "an IP-Adapter": {"image_proj.proj.weight": torch.zeros(8, 4)},
}


@pytest.mark.parametrize("words", OTHERS)
def test_others_are_named_and_refused(tmp_path, words):
    path = write_safetensors(tmp_path / "other.safetensors", OTHERS[words])
    for way in (load, refuse):
        with pytest.raises(ModelError) as refusal:
            way(path)
        assert str(refusal.value) == (
            f"controlnet {path} is {words}; choose a ControlNet or T2I-Adapter of Stable Diffusion."
        )


BROKEN = {
    "1 missing tensor in its network": lambda state: state.pop("body.1.block2.bias"),
    "broken .*it lacks 'body.1.block1.weight'": lambda state: state.pop("body.1.block1.weight"),
    "has a tensor body.0.skep.weight": lambda state: state.update({"body.0.skep.weight": torch.zeros(1)}),
    "its levels are of different lengths": lambda state: state.update(
        {"body.0.in_conv.weight": torch.zeros(16, 16, 1, 1)}
    ),
    "is broken": lambda state: state.update({"body.1.block1.weight": torch.zeros(16, 8, 3, 3)}),
}


@pytest.mark.parametrize("told", BROKEN)
def test_what_is_no_whole_adapter_is_told(tmp_path, told):
    state = released(small_t2i(1))
    BROKEN[told](state)
    with pytest.raises(ModelError, match=f"^controlnet .*less.safetensors .*{told}") as refusal:
        load(write_safetensors(tmp_path / "less.safetensors", state))
    assert str(refusal.value).count(". ") == 0


def test_it_is_listed_with_its_family(tmp_path):
    write_safetensors(tmp_path / "sketch.safetensors", released(small_xl_t2i(1)))
    (one,) = listed(tmp_path)
    assert one.words == "a T2I-Adapter for Stable Diffusion XL"
    assert one.why == (
        "is a T2I-Adapter for Stable Diffusion XL; give it as ControlNet (--controlnet) to a run that "
        "follows a clip."
    )


@pytest.mark.parametrize("write", [write_safetensors, write_pickle])
def test_behind_a_model_it_is_named_whatever_its_ending(tmp_path, write):
    path = write(
        tmp_path / f"edges{'.pth' if write is write_pickle else '.safetensors'}", released(small_t2i(1))
    )
    with pytest.raises(ModelError) as refusal:
        check_model(f"miniature+{path}")
    words, use = "a T2I-Adapter for Stable Diffusion 1.x", "give it as ControlNet (--controlnet) to a run"
    assert str(refusal.value) == f"lora {path} is {words}; {use} that follows a clip, or choose a LoRA."

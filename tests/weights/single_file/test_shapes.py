"""Configurations from shapes: at the published sizes they are those of the published models."""

import diffusers
import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from benchmarks.made_up.kinds import MADE_UP
from benchmarks.made_up.models import CONFIGS, TEXTS, diffusers_unet, unet, vae
from t2v.weights.single_file.details import within
from t2v.weights.single_file.generations import GENERATIONS, SD1
from t2v.weights.single_file.header import Tensor
from t2v.weights.single_file.shapes import text_config, unet_config, vae_config
from t2v.weights.single_file.texts import text_state

pytestmark = pytest.mark.slow
IN_NAMES = {one.key: one for one in GENERATIONS}


def names(shapes):
    return {name: Tensor("F16", shape) for name, shape in shapes.items()}


def built(kind, config):
    """The names and shapes of a network of this configuration."""
    with torch.device("meta"):
        network = kind(**config) if isinstance(config, dict) else kind(config)
    return {name: tuple(one.shape) for name, one in network.state_dict().items()}, network.config


@pytest.mark.parametrize("key", CONFIGS)
def test_the_unet_of_each_generation(key):
    for shapes in (unet(key, ""), diffusers_unet(key)):
        config = unet_config(names(shapes), IN_NAMES[key])
        made, told = built(diffusers.UNet2DConditionModel, config)
        assert made == diffusers_unet(key)
        wanted = {**CONFIGS[key], "sample_size": 128 if key == "sdxl" else 64}
        for field, value in wanted.items():
            has = told[field]
            assert (tuple(has) if isinstance(has, list) else has) == value, field


@pytest.mark.parametrize("changes", [{"in_channels": 9}, {"in_channels": 8}, {"time_cond_proj_dim": 256}])
def test_unets_that_take_more(changes):
    config = unet_config(names(unet("sd1", "", **changes)), SD1)
    for field, value in changes.items():
        assert config[field] == value


def test_a_unet_that_predicts_v_draws_larger_pictures():
    second = IN_NAMES["sd2"]
    sizes = [unet_config(names(unet("sd2", "")), second, is_v)["sample_size"] for is_v in (False, True)]
    assert sizes == [64, 96]


def test_the_vae():
    for shapes in (vae(""), MADE_UP["vae diffusers"][0]()):
        config = vae_config(names(shapes), SD1)
        made, told = built(diffusers.AutoencoderKL, config)
        assert made == MADE_UP["vae diffusers"][0]()
        assert (told.scaling_factor, told.layers_per_block) == (0.18215, 2)
    assert vae_config(names(vae("")), IN_NAMES["sdxl"])["scaling_factor"] == 0.13025


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sd1", [(768, 12, 12, "quick_gelu")]),
        ("sd2", [(1024, 23, 16, "gelu")]),
        ("sdxl", [(768, 12, 12, "quick_gelu"), (1280, 32, 20, "gelu")]),
    ],
)
def test_text_encoders(key, shown):
    """Of the second generation's the last layer is left out, before which its text is read."""
    for encoder, (width, layers, heads, activation) in zip(IN_NAMES[key].texts, shown, strict=True):
        own = within(names(TEXTS[key]()), encoder.prefix)
        config = CLIPTextConfig(**text_config(own, encoder))
        assert (config.hidden_size, config.num_hidden_layers) == (width, layers)
        assert (config.num_attention_heads, config.hidden_act) == (heads, activation)
        assert config.vocab_size == 49408 and config.max_position_embeddings == 77
        made, _ = built(CLIPTextModelWithProjection if encoder.is_whole else CLIPTextModel, config)
        with torch.device("meta"):
            state = {name: torch.empty(one.shape) for name, one in own.items()}
        assert {name: tuple(one.shape) for name, one in text_state(state, encoder, layers).items()} == made


def test_networks_that_cannot_be():
    own = names(unet("sd1", ""))
    odd = {name: one for name, one in own.items() if not name.startswith("input_blocks.2.")}
    with pytest.raises(ValueError, match="levels of different lengths"):
        unet_config(odd, SD1)
    many = {**own, "input_blocks.99999.0.in_layers.2.weight": Tensor("F16", (320, 320, 3, 3))}
    with pytest.raises(ValueError, match="more layers than any of their kind"):
        unet_config(many, SD1)

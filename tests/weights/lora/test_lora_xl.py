"""LoRAs behind the name of a Stable Diffusion XL: in its UNet and both of its text encoders."""

import lora_files as made
import pytest
import torch
from conftest import seeded
from small_xl import small_xl_pipeline
from test_lora_exact import assert_exact, file_for, sd1, weights

from t2v.weights.load import load_pipeline
from t2v.weights.refusals import ModelError


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("xl") / "model"
    small_xl_pipeline().save_pretrained(folder)
    return folder


def load(name):
    return load_pipeline(str(name), "cpu", torch.float32)


def test_one_goes_into_all_three_networks_and_is_seen(saved, tmp_path):
    torch.manual_seed(6)
    plain, path = load(saved), tmp_path / "style.safetensors"
    before = weights(plain)
    wanted = file_for(plain, path, made.lora, made.kohya)
    assert {name.partition("/")[0] for name in wanted} == {"unet", "text_encoder", "text_encoder_2"}
    styled = load(f"{saved}+{path}")
    assert_exact(styled, before, wanted)
    call = {"num_frames": 1, "num_inference_steps": 2, "width": 64, "height": 64}
    drawn = [pipe("a red car", generator=seeded(1), **call) for pipe in (plain, styled)]
    assert (drawn[0] - drawn[1]).abs().max() > 0.1


def test_one_for_another_kind_is_refused(saved, tmp_path):
    torch.manual_seed(6)
    path = tmp_path / "other.safetensors"
    file_for(sd1(), path, made.lora, made.kohya)
    with pytest.raises(
        ModelError, match="is for the kind that reads text 16 wide, and the model is of Stable D"
    ):
        load(f"{saved}+{path}")

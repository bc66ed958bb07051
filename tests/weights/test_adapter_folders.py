"""T2I-Adapters in diffusers' folders, and which models they fit."""

import pytest
import torch
from conftest import small_pipeline
from small_t2i import small_t2i, small_xl_t2i
from small_xl import small_xl_pipeline

from t2v.weights.adapter_fits import features_of, places_in
from t2v.weights.controlnet import load_controlnet
from t2v.weights.fits import check_fits
from t2v.weights.refusals import ModelError

SD = {
    "block_out_channels": (320, 640, 1280, 1280),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
}
XL = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
}
WIDTHS = [320, 640, 1280, 1280]


def load(folder):
    return load_controlnet(str(folder), "canny", "cpu", torch.float32)


@pytest.mark.parametrize("safe", [True, False])
def test_a_folder_loads_with_its_own_weights_and_fits(tmp_path, safe):
    wanted = small_t2i(3, adapter_type="light_adapter", in_channels=1)
    wanted.save_pretrained(tmp_path / "edges", safe_serialization=safe)
    loaded = load(tmp_path / "edges")
    for name, tensor in wanted.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    assert dict(loaded.config) == {**wanted.config, "_name_or_path": str(tmp_path / "edges")}
    with pytest.raises(ModelError, match="features of 16 at 1/8, 32 at 1/16, 32 at 1/32, and the"):
        check_fits("edges", loaded, "small", small_pipeline())
    check_fits("edges", small_t2i(), "small", small_pipeline())
    check_fits("edges", small_xl_t2i(), "small", small_xl_pipeline())


def test_stable_diffusions_own_shapes_fit():
    for kind, unet, side in (("full_adapter", SD, 8), ("full_adapter_xl", XL, 16)):
        config = {"downscale_factor": side, "channels": WIDTHS, "adapter_type": kind}
        assert features_of(config) == places_in(unet, 8)[:4]
    light = {"downscale_factor": 8, "channels": WIDTHS[:3], "adapter_type": "light_adapter"}
    assert features_of(light) == places_in(SD, 8)[:4]
    assert places_in(XL, 8) == [(320, 16), (640, 16), (1280, 32), (1280, 32)]


def test_one_for_another_family_is_refused():
    """By the width of its text; small ones by how they are built. The features' shapes are no news then."""
    cases = [
        (small_t2i(), {"cross_attention_dim": 2048}, "Stable Diffusion 1.x", "Stable Diffusion XL"),
        (small_t2i(), {"cross_attention_dim": 1024}, "Stable Diffusion 1.x", "Stable Diffusion 2.x"),
        (small_t2i(), {"use_linear_projection": True}, "Stable Diffusion 1.x", "Stable Diffusion 2.x"),
        (small_xl_t2i(), {"cross_attention_dim": 768}, "Stable Diffusion XL", "Stable Diffusion 1.x"),
        (small_xl_t2i(), {}, "Stable Diffusion XL", "Stable Diffusion 1.x"),
    ]
    for network, unet, made_for, own in cases:
        with pytest.raises(ModelError) as refusal:
            check_fits("edges", network, "mine", small_pipeline(**unet))
        assert str(refusal.value) == (
            f"controlnet edges is for {made_for}, and the model is of {own}; choose one made for that."
        )


def test_features_and_pictures_that_do_not_fit_are_told():
    cases = [
        (small_t2i(channels=[16, 24]), "features of 16 at 1/8, 24 at 1/16, and the UNet's are"),
        (small_t2i(channels=[16]), "features of 16 at 1/8, and"),
        (small_t2i(in_channels=2), "for pictures of 2 channels, and those here are grey or RGB; choose"),
    ]
    for network, told in cases:
        with pytest.raises(ModelError, match=told):
            check_fits("edges", network, "small", small_pipeline())
    wide = small_xl_t2i(channels=[16, 24])
    with pytest.raises(ModelError, match="16 at 1/16, 24 at 1/16, and the UNet's are 16 at 1/16, 32 at 1/16"):
        check_fits("edges", wide, "xl", small_xl_pipeline())

"""Stable Diffusion XL from folders: loaded whole, drawn as it was made, and what is none of it refused."""

import json
import shutil

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet
from safetensors.torch import save_file
from small_xl import (
    POOLED,
    WIDTHS,
    small_text_config,
    small_union,
    small_xl_controlnet,
    small_xl_pipeline,
    small_xl_unet,
)
from transformers import CLIPTextModelWithProjection

from t2v.checks import InputError
from t2v.diffusion.pipeline import TextToVideoXLPipeline
from t2v.engine.check_weights import check_weights
from t2v.engine.defaults import told_defaults
from t2v.engine.engine import Engine
from t2v.engine.networks import choose_network
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.controlnet import load_controlnet
from t2v.weights.family import STABLE_DIFFUSION_XL
from t2v.weights.fits import check_fits
from t2v.weights.index import check_model
from t2v.weights.load import load_pipeline, loaded_family
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError
from t2v.weights.words import named_words, use_words

SMALL = {"num_frames": 3, "num_inference_steps": 3, "height": 64, "width": 64, "generator": None}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small random XL as diffusers saves one, with ControlNets and an editor beside it."""
    root = tmp_path_factory.mktemp("xl")
    small_xl_pipeline().save_pretrained(root / "model")
    change(root / "model/model_index.json", _class_name="StableDiffusionXLPipeline")
    small_xl_controlnet(1).save_pretrained(root / "controlnet-canny")
    small_union(2).save_pretrained(root / "union")
    small_xl_unet(in_channels=8).save_pretrained(root / "editor")
    return root / "model"


@pytest.fixture
def copied(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "copied")


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def load(folder, editor=False, dtype=torch.float32):
    return load_pipeline(str(folder), "cpu", dtype, editor)


def test_a_folder_draws_as_it_was_made(saved):
    check_model(str(saved))
    loaded, made = load(saved), small_xl_pipeline()
    assert isinstance(loaded, TextToVideoXLPipeline) and loaded_family(loaded) is STABLE_DIFFUSION_XL
    assert loaded.config.force_zeros_for_empty_prompt is True
    drawn, wanted = (
        pipe("a red car", **{**SMALL, "generator": seeded(1)}, guidance_scale=5.0) for pipe in (loaded, made)
    )
    # weights that lie elsewhere in memory are rounded otherwise
    assert (drawn - wanted).abs().max() < 1e-5 * wanted.std()


def test_whether_no_negative_prompt_is_nothing_is_read_of_the_index(copied):
    change(copied / "model_index.json", force_zeros_for_empty_prompt=False)
    assert load(copied).config.force_zeros_for_empty_prompt is False


def test_an_engine_draws_edges_edits_and_tells(saved, square_clip):
    engine = Engine("cpu")
    asked = {"model": str(saved), "width": 64, "height": 64, "num_inference_steps": 2, "seed": 1}
    video = engine.generate(TextToVideoSettings("a red car", num_frames=2, **asked))
    assert video.frames.shape == (2, 64, 64, 3)
    latents = torch.randn(1, 2, 4, 8, 8, generator=seeded(1))
    rows = torch.tensor(STABLE_DIFFUSION_XL.preview)
    wanted = ((latents[0].movedim(1, -1) @ rows[:4] + rows[4]) / 2 + 0.5).clamp(0, 1) * 255
    assert np.abs(engine.preview(latents) - wanted.numpy()).max() <= 0.5
    plain = engine.generate(CannySettings(square_clip, "a red car", num_frames=2, **asked)).frames
    union = str(saved.parent / "union")
    by_union = engine.generate(
        CannySettings(square_clip, "a red car", num_frames=2, controlnet=union, **asked)
    ).frames
    assert plain.shape == by_union.shape == (2, 64, 64, 3) and not np.array_equal(plain, by_union)
    edited = engine.generate(Pix2PixVideoSettings(square_clip, "make it blue", num_frames=2, **asked)).frames
    assert edited.shape == (2, 64, 64, 3)


def test_what_suits_it_is_told_without_loading(saved):
    own = told_defaults(STABLE_DIFFUSION_XL.model, TextToVideoSettings)
    assert (own["width"], own["height"], own["guidance_scale"]) == (1024, 1024, 5.0)
    assert (own["t0"], own["t1"], own["motion_x"]) == (881, 941, 24.0)
    own = told_defaults(str(saved), TextToVideoSettings)
    assert (own["width"], own["guidance_scale"]) == (128, 5.0)  # of its UNet, and of its kind
    resolved = Engine("cpu").resolve(TextToVideoSettings("a red car", model=str(saved)))
    assert (resolved.width, resolved.guidance_scale, resolved.num_inference_steps) == (128, 5.0, 50)


def test_its_controlnets_are_its_own_kinds(saved):
    beside = choose_network(str(saved))("canny", {})
    assert beside == str(saved.parent / "controlnet-canny")
    hub = CannySettings.hub_ids
    assert choose_network(STABLE_DIFFUSION_XL.model)("canny", hub) == hub[STABLE_DIFFUSION_XL.key]
    check_weights(CannySettings("no clip", "a red car", model=str(saved)))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"text_encoder": [None, None], "tokenizer": [None, None]},
            "is Stable Diffusion XL's refiner, which only goes over finished pictures; choose the base model",
        ),
        ({"tokenizer_2": [None, None]}, "has no tokenizer_2; give"),
        (
            {"text_encoder_2": ["transformers", "T5EncoderModel"]},
            "is not of Stable Diffusion's 1.x, 2.x or XL",
        ),
    ],
)
def test_other_kinds_are_refused_by_their_index(copied, changed, told):
    change(copied / "model_index.json", **changed)
    for refuse in (check_model, load):
        with pytest.raises(ModelError, match=told):
            refuse(str(copied))


def test_a_folder_without_the_second_encoder_is_refused(copied):
    shutil.rmtree(copied / "text_encoder_2")
    with pytest.raises(ModelError, match="has no folder text_encoder_2; fetch it again"):
        load(copied)


@pytest.mark.parametrize(
    ("part", "network", "told"),
    [
        ("unet", small_xl_unet(in_channels=9), "made for editing or inpainting \\(its UNet takes 9 channels"),
        (
            "unet",
            small_xl_unet(projection_class_embeddings_input_dim=5 * 4 + POOLED),
            f"a UNet that is told {5 * 4 + POOLED} numbers beside the text, where there are {6 * 4 + POOLED}",
        ),
        (
            "unet",
            small_xl_unet(addition_embed_type=None),
            "a UNet that is not told the text as a whole and the picture's size beside the text",
        ),
        (
            "unet",
            small_xl_unet(cross_attention_dim=16),
            "reads text 16 wide .* text encoders that write it 40",
        ),
        (
            "text_encoder_2",
            CLIPTextModelWithProjection(small_text_config(WIDTHS[1], vocab_size=20)),
            "a tokenizer of 54 words, and a text encoder of 20",
        ),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(copied, part, network, told):
    network.save_pretrained(copied / part)
    with pytest.raises(ModelError, match=told):
        load(copied)


def test_a_vae_with_shifted_latents_is_refused(copied):
    change(copied / "vae/config.json", latents_mean=[0.0, 1.0, 0.0, 0.0])
    with pytest.raises(ModelError, match="a VAE whose latents are shifted"):
        load(copied)


def test_controlnets_of_other_kinds_are_refused(saved, tmp_path):
    pipeline = load(saved)
    union = load_controlnet(str(saved.parent / "union"), "canny", "cpu", torch.float32)
    check_fits("union", union, "xl", pipeline)
    wide = small_xl_controlnet(cross_attention_dim=48)
    with pytest.raises(
        ModelError, match="does not fit model xl: its cross_attention_dim is 48, the model's 40"
    ):
        check_fits("old", wide, "xl", pipeline)
    with pytest.raises(
        ModelError, match="old is for Stable Diffusion 1.x, and the model is of Stable Diffusion XL"
    ):
        check_fits("old", small_controlnet(), "xl", pipeline)
    for width, own, told in ((768, 2048, "1.x, and the model is of"), (2048, 768, "XL, and the model is of")):
        network, model = small_controlnet(cross_attention_dim=width), small_xl_pipeline()
        model.unet.register_to_config(cross_attention_dim=own)
        with pytest.raises(ModelError, match=f"is for Stable Diffusion {told}"):
            check_fits("one", network, "m", model)
    untold = small_xl_controlnet(addition_embed_type=None, cross_attention_dim=2048)
    model.unet.register_to_config(cross_attention_dim=2048)
    with pytest.raises(ModelError, match="network that is not told the text as a whole"):
        check_fits("one", untold, "m", model)


def test_a_union_without_this_kind_of_pictures_is_refused():
    from t2v.diffusion.controls import Control

    pictures = np.zeros((1, 64, 64, 3), np.uint8)
    for kind in (None, 6):
        with pytest.raises(InputError, match="knows 6 kinds of pictures, and these are none of them"):
            Control(small_union(), pictures, union_kind=kind)


def test_learned_words_for_both_encoders(saved, tmp_path):
    """An encoder that takes the largest word for the end of a text must not take a learned one."""
    vectors = {"clip_l": torch.randn(2, WIDTHS[0]), "clip_g": torch.randn(2, WIDTHS[1])}
    save_file(vectors, tmp_path / "Glow.safetensors")
    use_models_folder(tmp_path)
    try:
        pipe = load(saved)
        second = pipe.text_encoder_2.text_model
        plain = pipe.told("a car", "", branches=False)[0]
        second.eos_token_id = 2  # as in XL's own files
        assert torch.equal(pipe.told("a car", "", branches=False)[0].pooled[:, :0], plain.pooled[:, :0])
        use_words(pipe, named_words("a glow car"))
        ids = pipe.tokenizer_2(pipe.worded("a glow car")).input_ids
        assert len(ids) == len(pipe.tokenizer_2("a car").input_ids) + 2
        table = pipe.text_encoder_2.get_input_embeddings().weight
        assert torch.equal(table[ids[2:4]], vectors["clip_g"])
        told = pipe.told("a GLOW car", "", branches=False)[0]
        with torch.no_grad():
            whole = torch.tensor([ids + [pipe.tokenizer_2.pad_token_id] * (16 - len(ids))])
            hidden = second(whole).last_hidden_state[:, len(ids) - 1]
            assert torch.allclose(told.pooled, pipe.text_encoder_2.text_projection(hidden), atol=1e-5)
    finally:
        use_models_folder(None)

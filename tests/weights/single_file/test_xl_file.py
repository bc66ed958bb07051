"""Stable Diffusion XL in one file: what is loaded is what was written, and it draws as the folder does."""

import numpy as np
import pytest
import torch
from checkpoint_files import assert_same, checkpoint_of_xl, parts_of_xl, write_safetensors
from conftest import seeded

from t2v.diffusion.pipeline import TextToVideoXLPipeline
from t2v.engine.defaults import native_side_px, told_defaults
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.assembled import assembled
from t2v.weights.family import STABLE_DIFFUSION_XL
from t2v.weights.index import check_model
from t2v.weights.load import load_pipeline, loaded_family
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.load import noise_schedule
from t2v.weights.single_file.vocabulary import clip_tokenizer
from t2v.weights.source import Source
from t2v.weights.told import told_family

EPSILON = {"modelspec.prediction_type": "epsilon"}


def load(path, editor=False):
    return load_pipeline(str(path), "cpu", torch.float32, editor)


@pytest.fixture(scope="module")
def parts():
    return parts_of_xl()


@pytest.fixture(scope="module")
def state(parts):
    return checkpoint_of_xl(parts)


@pytest.fixture(scope="module")
def written(state, tmp_path_factory):
    return write_safetensors(tmp_path_factory.mktemp("files") / "own xl.safetensors", state, EPSILON)


@pytest.fixture(scope="module")
def loaded(written):
    return load(written)


def test_it_loads_exactly(written, loaded, parts):
    check_model(str(written))
    assert isinstance(loaded, TextToVideoXLPipeline) and loaded_family(loaded) is STABLE_DIFFUSION_XL
    for name, part in parts.items():
        assert_same(getattr(loaded, name), part)
    assert loaded.vae.config.scaling_factor == 0.13025 and loaded.is_vae_wide
    assert loaded.unet.config.sample_size == 128
    assert loaded.config.force_zeros_for_empty_prompt is True
    assert loaded.tokenizer("a", padding="max_length").input_ids[-1] == 49407
    assert loaded.tokenizer_2("a", padding="max_length").input_ids[-1] == 0  # "!"


def test_it_draws_as_the_folder_does(loaded, parts, tmp_path):
    made = assembled(
        {
            **parts,
            "tokenizer": clip_tokenizer(),
            "tokenizer_2": clip_tokenizer("!"),
            "scheduler": noise_schedule("epsilon", False),
        }
    )
    made.vae.register_to_config(scaling_factor=0.13025)
    made.save_pretrained(tmp_path / "folder")
    call = {"num_frames": 2, "num_inference_steps": 3, "guidance_scale": 5.0, "width": 64, "height": 64}
    latents = [pipe("a red car", **call, generator=seeded(1)) for pipe in (loaded, load(tmp_path / "folder"))]
    assert (latents[0] - latents[1]).abs().max() < 1e-5 * latents[1].std()
    first, second = (np.stack(list(loaded.decode(one))) for one in latents)
    assert first.shape == (2, 64, 64, 3) and np.abs(first.astype(int) - second).max() <= 1


def test_what_is_told_of_it_without_loading(written):
    assert told_family(Source.parse(str(written))) is STABLE_DIFFUSION_XL
    own = told_defaults(str(written), TextToVideoSettings)
    assert (own["width"], own["height"], own["guidance_scale"]) == (1024, 1024, 5.0)
    assert native_side_px(str(written), "text-to-video") == 1024


def test_a_projection_kept_as_a_layer_keeps_it(state, parts, tmp_path):
    name = "conditioner.embedders.1.model.text_projection"
    other = {**{key: one for key, one in state.items() if key != name}, f"{name}.weight": state[name].T}
    loaded = load(write_safetensors(tmp_path / "other.safetensors", other, EPSILON))
    assert_same(loaded.text_encoder_2, parts["text_encoder_2"])


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        ("conditioner.embedders.1.model.text_projection", "1 missing tensor in its text encoder"),
        ("conditioner.embedders.1.", "has no text encoder inside; choose a whole checkpoint"),
    ],
)
def test_what_is_missing_is_told(state, tmp_path, left_out, told):
    less = {name: one for name, one in state.items() if not name.startswith(left_out)}
    with pytest.raises(ModelError, match=told):
        load(write_safetensors(tmp_path / "less.safetensors", less, EPSILON))


def test_what_it_predicts_is_a_key_or_is_found_out(state, tmp_path):
    """A random UNet does not give back the noise that goes in, so it is none that predicts it."""
    keyed = load(write_safetensors(tmp_path / "v.safetensors", {**state, "v_pred": torch.zeros(0)}))
    assert keyed.scheduler.config.prediction_type == "v_prediction"
    untold = load(write_safetensors(tmp_path / "untold.safetensors", state))
    assert untold.scheduler.config.prediction_type == "v_prediction"


@pytest.mark.parametrize(
    ("channels", "editor", "told"),
    [
        (9, None, "is a checkpoint for inpainting of Stable Diffusion XL, and its UNet wants more than text"),
        (8, False, "is made for editing videos by instructions; choose a text-to-image checkpoint"),
    ],
)
def test_other_jobs_are_refused_by_name(tmp_path, channels, editor, told):
    state = checkpoint_of_xl(parts_of_xl(in_channels=channels))
    path = write_safetensors(tmp_path / "other.safetensors", state, EPSILON)
    with pytest.raises(ModelError, match=told):
        check_model(str(path), editor)


def test_an_editor_in_a_file_edits(tmp_path):
    made = parts_of_xl(1, in_channels=8)
    path = write_safetensors(tmp_path / "edit.safetensors", checkpoint_of_xl(made), EPSILON)
    loaded = load(path, editor=True)
    assert_same(loaded.unet, made["unet"])
    frames = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3), np.uint8)
    drawn = loaded.guided("make it blue", source=loaded.encode(frames), num_inference_steps=2)
    assert drawn.shape == (1, 2, 4, 8, 8) and bool(drawn.isfinite().all())

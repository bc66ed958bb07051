"""Checkpoint files: what is loaded is exactly what was written, and what is missing is told in a sentence."""

import numpy as np
import pytest
import torch
from checkpoint_files import (
    assert_same,
    checkpoint,
    parts_of_1,
    parts_of_2,
    small_unet,
    small_vae,
    write_pickle,
    write_safetensors,
)
from conftest import seeded
from peft import LoraConfig, get_peft_model_state_dict

from benchmarks.original_names import ema_of, original_unet, original_vae
from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.weights.load import load_pipeline, read_tokenizer
from t2v.weights.refusals import ModelError
from t2v.weights.source import Source


def load(name, editor=False, dtype=torch.float32):
    return load_pipeline(str(name), "cpu", dtype, editor)


@pytest.fixture(scope="module")
def parts():
    return parts_of_1()


@pytest.fixture(scope="module")
def state(parts):
    return checkpoint(parts)


@pytest.fixture(scope="module")
def written(state, tmp_path_factory):
    return write_safetensors(tmp_path_factory.mktemp("files") / "own v1.5.safetensors", state)


def assert_loaded(pipeline, parts, dtype=torch.float32):
    for name, part in parts.items():
        assert_same(getattr(pipeline, name), part, dtype)


def test_a_checkpoint_loads_exactly_and_draws(written, parts):
    pipeline = load(written)
    assert_loaded(pipeline, parts)
    assert pipeline.vae.config.scaling_factor == 0.18215
    assert pipeline.unet.config.sample_size == 64
    assert pipeline.scheduler.config.prediction_type == "epsilon"
    assert pipeline.scheduler.config.beta_end == 0.012
    latents = pipeline(
        "a red car", num_frames=2, num_inference_steps=3, width=64, height=64, generator=seeded()
    )
    frames = np.stack(list(pipeline.decode(latents)))
    assert frames.shape == (2, 64, 64, 3)


def test_networks_compute_as_those_that_were_written(written, parts):
    pipeline = load(written)
    ids = pipeline.tokenizer("a photo of a cat", padding="max_length", return_tensors="pt").input_ids
    assert ids[0, :8].tolist() == [49406, 320, 1125, 539, 320, 2368, 49407, 49407]
    with torch.no_grad():
        text = parts["text_encoder"](ids)[0]
        assert torch.allclose(pipeline.text_encoder(ids)[0], text, atol=1e-5)
        noise = torch.randn(1, 4, 16, 16, generator=seeded())
        wanted = parts["unet"](noise, 500, encoder_hidden_states=text).sample
        given = pipeline.unet(noise, 500, encoder_hidden_states=text).sample
        assert torch.allclose(given, wanted, atol=1e-4)
        wanted = parts["vae"].decode(noise).sample
        assert torch.allclose(pipeline.vae.decode(noise).sample, wanted, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_values_of_less_precision_arrive_as_they_are(tmp_path, state, parts, dtype):
    half = {name: one.to(dtype) for name, one in state.items()}
    pipeline = load(write_safetensors(tmp_path / "half.safetensors", half))
    assert pipeline.unet.dtype == torch.float32
    assert_loaded(pipeline, parts, dtype)


def test_the_precision_asked_for_is_had(written):
    assert load(written, dtype=torch.bfloat16).unet.dtype == torch.bfloat16


@pytest.mark.parametrize("old", [False, True])
def test_pickles_of_tensors_load_exactly_too(tmp_path, state, parts, old):
    path = write_pickle(tmp_path / "own.ckpt", state, old, optimizer={"lr": np.float32(3)})
    assert_loaded(load(path), parts)


def test_a_file_that_somebody_renamed(tmp_path, written, parts):
    path = tmp_path / "renamed.ckpt"
    path.write_bytes(written.read_bytes())
    assert_loaded(load(path), parts)


def test_a_lora_goes_into_the_weights_of_a_file(tmp_path, written, parts):
    unet = small_unet()
    unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_q"], init_lora_weights=False))
    layers = get_peft_model_state_dict(unet)
    TextToVideoPipeline.save_lora_weights(tmp_path / "style", unet_lora_layers=layers)
    torch.manual_seed(5)
    other = small_vae()
    vae = write_safetensors(tmp_path / "vae.safetensors", original_vae(other))
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    down, up = (layers[f"{name}.lora_{part}.weight"] for part in "AB")
    for order in ((tmp_path / "style", vae), (vae, tmp_path / "style")):
        pipeline = load("+".join(map(str, (written, *order))))
        wanted = parts["unet"].state_dict()[f"{name}.weight"] + up @ down
        assert torch.allclose(pipeline.unet.state_dict()[f"{name}.weight"], wanted, atol=1e-6)
        assert_same(pipeline.vae, other)


def test_averaged_weights_are_chosen_where_both_are_there(tmp_path, state, parts):
    unet = original_unet(parts["unet"])
    path = write_safetensors(tmp_path / "both.safetensors", {**state, **ema_of(unet)})
    loaded = load(path).unet.state_dict()
    for name, one in parts["unet"].state_dict().items():
        assert torch.equal(loaded[name], one + 1), name
    some = dict(list(ema_of(unet).items())[3:])  # cut by somebody: the plain ones are whole
    path = write_safetensors(tmp_path / "some.safetensors", {**state, **some})
    assert_loaded(load(path), parts)


def test_a_vae_beside_it_is_taken_instead(tmp_path, written, state, parts):
    torch.manual_seed(5)
    other = small_vae()
    original = write_safetensors(tmp_path / "original.safetensors", original_vae(other, ""))
    own = write_safetensors(tmp_path / "own+ft.safetensors", other.state_dict())  # a plus in its name
    pickled = write_pickle(tmp_path / "vae.pt", original_vae(other))
    for path in (original, own, pickled):
        pipeline = load(f"{written}+{path}")
        assert_loaded(pipeline, {**parts, "vae": other})
        assert pipeline.vae.config.scaling_factor == 0.18215
    bare = {name: one for name, one in state.items() if not name.startswith("first_stage")}
    lacking = write_safetensors(tmp_path / "bare.safetensors", bare)
    assert_loaded(load(f"{lacking}+{original}"), {**parts, "vae": other})
    with pytest.raises(ModelError, match="has no VAE inside; give one behind it, as MODEL\\+VAE"):
        load(lacking)
    with pytest.raises(ModelError, match="two VAEs behind it"):
        load(f"{written}+{original}+{own}")


def test_a_folder_takes_a_vae_from_a_file(tmp_path, model_folder):
    torch.manual_seed(6)
    other = small_vae()
    path = write_safetensors(tmp_path / "vae.safetensors", original_vae(other))
    pipeline = load(f"{model_folder}+{path}")
    assert_same(pipeline.vae, other)
    assert pipeline.vae.config.scaling_factor == 0.18215
    with pytest.raises(ModelError, match="VAE of another kind \\(AutoencoderTiny\\), which stays"):
        load(f"miniature+{path}")


@pytest.fixture(scope="module")
def second():
    return parts_of_2()


def test_the_second_generation(tmp_path, second):
    """OpenCLIP's encoder read before its last layer, linear projections, and its own number of heads."""
    told = {"modelspec.prediction_type": "v"}
    path = write_safetensors(tmp_path / "v2.safetensors", checkpoint(second, True), told)
    pipeline = load(path)
    assert_loaded(pipeline, second)
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    assert pipeline.unet.config.sample_size == 96
    assert pipeline.tokenizer("a", padding="max_length").input_ids[-1] == 0  # the second's texts end in "!"
    ids = pipeline.tokenizer("a cat", padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        assert torch.allclose(pipeline.text_encoder(ids)[0], second["text_encoder"](ids)[0], atol=1e-5)


def test_what_nothing_tells_is_found_out(tmp_path, second):
    """A random UNet does not give back the noise that goes in, so it is none that predicts it."""
    path = write_safetensors(tmp_path / "v2.safetensors", checkpoint(second, True))
    assert load(path).scheduler.config.prediction_type == "v_prediction"
    path.with_suffix(".yaml").write_text("model:\n  params:\n    unet_config:\n      target: x\n")
    assert load(path).scheduler.config.prediction_type == "epsilon"
    path.with_suffix(".yaml").write_text('model:\n  params:\n    parameterization: "v"\n')
    assert load(path).scheduler.config.prediction_type == "v_prediction"


def test_noise_that_ends_in_noise_alone(tmp_path, state):
    marks = {"v_pred": torch.zeros(()), "ztsnr": torch.zeros(())}
    pipeline = load(write_safetensors(tmp_path / "own.safetensors", {**state, **marks}))
    config = pipeline.scheduler.config
    assert (config.prediction_type, config.rescale_betas_zero_snr) == ("v_prediction", True)
    assert config.timestep_spacing == "trailing"
    pipeline("a cat", num_frames=2, num_inference_steps=3, width=64, height=64, generator=seeded())


def test_an_editor_edits_and_nothing_else(tmp_path, written):
    parts = parts_of_1(in_channels=8)
    path = write_safetensors(tmp_path / "edits.safetensors", checkpoint(parts))
    assert_loaded(load(path, editor=True), parts)
    with pytest.raises(ModelError, match="made for editing videos by instructions"):
        load(path)
    with pytest.raises(ModelError, match="cannot edit, as its UNet sees no picture"):
        load(written, editor=True)


def test_a_network_made_for_few_steps_keeps_its_place_for_guidance(tmp_path):
    parts = parts_of_1(time_cond_proj_dim=16)
    assert_loaded(load(write_safetensors(tmp_path / "lcm.safetensors", checkpoint(parts))), parts)


@pytest.mark.parametrize("part", ["model.diffusion_model.out.2", "first_stage_model.decoder", "layers.1.mlp"])
def test_a_tensor_that_never_arrived_is_told(tmp_path, state, part):
    lost = next(name for name in state if part in name)
    less = {name: one for name, one in state.items() if name != lost}
    path = write_safetensors(tmp_path / "less.safetensors", less)
    with pytest.raises(ModelError, match="is broken and cannot be loaded"):
        load(path)


def test_a_file_cut_short_is_told_by_its_header(tmp_path, written):
    path = tmp_path / "short.safetensors"
    path.write_bytes(written.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="is broken and cannot be loaded \\(the file is cut short\\)"):
        load(path)


def test_the_tokenizer_of_a_file_is_clips(written):
    assert read_tokenizer(Source.parse(str(written)))("a photo of a cat").input_ids[1] == 320


def test_names_of_files_that_have_a_plus(tmp_path, state):
    path = write_safetensors(tmp_path / "mix + more.safetensors", state)
    source = Source.parse(f"{path}+some/lora + other")
    assert (source.base, source.adapters) == (str(path), ("some/lora", "other"))
    assert source.public_name == "mix + more.safetensors+some/lora+other"
    assert Source.parse(str(path)) == Source(str(path))


def test_without_the_vocabulary_it_is_said(written, monkeypatch):
    from t2v.weights.single_file import vocabulary

    monkeypatch.setattr(vocabulary, "PACKAGES", ("no-such-package",))
    with pytest.raises(ModelError, match="the package openai-clip with CLIP's vocabulary is missing"):
        load(written)

"""few_steps.py: which models and LoRAs are made for few steps, as far as files and names tell."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from checkpoint_files import checkpoint, parts_of_1, write_safetensors
from safetensors.torch import save_file

from t2v.weights.few_steps import few_steps, sentence, signs_of
from t2v.weights.models_folder import use_models_folder
from t2v.weights.source import Source

EULER = "EulerDiscreteScheduler"
LORA = {"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": torch.zeros(2, 16)}


def told(name: object) -> tuple | None:
    """The kind, steps and guidance that are taken of a model's name, and whether a LoRA made it so."""
    found = few_steps(Source.parse(str(name)))
    return None if found is None else (found.kind.key, found.steps, found.guidance_scale, found.by_lora)


def lora(path: Path, title: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(LORA, path, metadata={"ss_output_name": title} if title else None)
    return path


@pytest.fixture
def model(model_folder, tmp_path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "plain"))


def saved_with(model: Path, **changes: object) -> Path:
    path = model / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return model


def test_a_unet_that_takes_the_guidance_is_an_lcm_whatever_it_is_called(model, tmp_path):
    config = model / "unet" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "time_cond_proj_dim": 256}))
    assert told(model) == ("lcm", 4, 8, False)
    state = checkpoint(parts_of_1(time_cond_proj_dim=16))
    file = write_safetensors(tmp_path / "dream_turbo.safetensors", state)
    assert told(file) == ("lcm", 4, 8, False)
    assert "its UNet takes the guidance as an input" in sentence(Source.parse(str(file)))
    assert told(write_safetensors(tmp_path / "dream.safetensors", checkpoint(parts_of_1()))) is None


@pytest.mark.parametrize(
    ("config", "kind", "steps"),
    [
        ({"_class_name": "LCMScheduler"}, "lcm", 4),
        ({"_class_name": "TCDScheduler"}, "tcd", 4),
        ({"_class_name": EULER, "timestep_spacing": "trailing"}, "lightning", 4),
        ({"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing"}, "turbo", 4),
        ({"_class_name": "DDIMScheduler", "timestep_spacing": "trailing"}, "hyper", 8),
    ],
)
def test_the_scheduler_that_a_folder_was_saved_with_tells(model, config, kind, steps):
    assert told(saved_with(model, **config)) == (kind, steps, 1, False)
    assert config["_class_name"] in sentence(Source.parse(str(model)))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"_class_name": EULER, "timestep_spacing": "leading"},
        {"_class_name": EULER},
        # of many steps, whose noise ends in noise alone
        {"_class_name": "DDIMScheduler", "timestep_spacing": "trailing", "rescale_betas_zero_snr": True},
        {"_class_name": EULER, "timestep_spacing": "trailing", "prediction_type": "v_prediction"},
        {"_class_name": "DPMSolverMultistepScheduler", "timestep_spacing": "trailing"},
    ],
)
def test_other_schedulers_tell_nothing(model, config):
    assert told(saved_with(model, **config)) is None
    assert sentence(Source.parse(str(model))) is None


def test_of_euler_with_trailing_steps_the_name_tells_turbo_from_lightning(model):
    saved_with(model, _class_name=EULER, timestep_spacing="trailing")
    assert told(model.rename(model.parent / "sd-turbo")) == ("turbo", 4, 1, False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dreamshaper_8LCM", ("lcm", 4)),
        ("sd_turbo", ("turbo", 4)),
        ("sdxlturbo", ("turbo", 4)),
        ("DreamShaperXL_Turbo_v2", ("turbo", 4)),
        ("realvisxlV40_v40LightningBakedvae", ("lightning", 4)),
        ("sd_lightning_8step", ("lightning", 8)),
        ("sd_lightning_2step_unet", ("lightning", 2)),
        ("epicrealism-hyper", ("hyper", 8)),
        ("Hyper-SD15-1step", ("hyper", 1)),
        ("anything_tcd", ("tcd", 4)),
        ("LCMTurboMix", ("lcm", 4)),
        ("hyperRealism_v2", None),
        ("hyper-realistic", None),
        ("hypernetwork", None),
        ("turbovision", None),
        ("epic_4000steps", None),
    ],
)
def test_a_files_name_tells_where_nothing_in_it_does(tmp_path, name, expected):
    file = tmp_path / f"{name}.safetensors"
    file.write_bytes(b"")
    assert told(file) == (None if expected is None else (*expected, 1, False))


def test_a_hub_id_tells_by_its_name_before_it_is_fetched():
    assert told("SimianLuo/LCM_Dreamshaper_v7")[0] == "lcm"
    assert told("stabilityai/sd-turbo") == ("turbo", 4, 1, False)
    assert told("stable-diffusion-v1-5/stable-diffusion-v1-5") is None


def test_a_files_title_tells_where_its_name_does_not(tmp_path):
    state = checkpoint(parts_of_1())
    file = write_safetensors(
        tmp_path / "v7.safetensors", state, {"modelspec.title": "Dream Lightning 4-step"}
    )
    assert told(file) == ("lightning", 4, 1, False)
    assert told(f"miniature+{lora(tmp_path / 'mine.safetensors', 'lcm-lora-sdv1-5')}") == ("lcm", 4, 1, True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lcm-lora-sdv1-5", ("lcm", 4, 1)),
        ("TCD-SD15-LoRA", ("tcd", 4, 1)),
        ("sdxl_lightning_4step_lora", ("lightning", 4, 1)),
        ("Hyper-SD15-8steps-lora", ("hyper", 8, 1)),
        ("Hyper-SD15-12steps-CFG-lora", ("hyper", 12, 5)),
        ("sd_turbo_lora", ("turbo", 4, 1)),
    ],
)
def test_a_lora_tells_by_its_name(tmp_path, name, expected):
    file = lora(tmp_path / f"{name}.safetensors")
    assert told(f"miniature+{file}") == (*expected, True)
    assert told(f"miniature+{file}@0.8") == (*expected, True)
    for weak in ("0", "0.3", "-1", "a lot"):
        assert told(f"miniature+{file}@{weak}") is None
    assert told("miniature") is None


def test_a_lora_in_a_folder_or_on_the_hub_tells_by_that_ones_name(tmp_path):
    folder = lora(tmp_path / "lcm-lora-sdv1-5" / "pytorch_lora_weights.safetensors").parent
    assert told(f"miniature+{folder}") == ("lcm", 4, 1, True)
    assert told(f"miniature+{folder / 'pytorch_lora_weights.safetensors'}") == ("lcm", 4, 1, True)
    assert told("miniature+latent-consistency/lcm-lora-sdv1-5") == ("lcm", 4, 1, True)


def test_a_lora_in_the_folder_of_models_is_known_by_its_name_there(tmp_path):
    lora(tmp_path / "lcm-lora.safetensors")
    use_models_folder(tmp_path)
    try:
        assert told("miniature+lcm-lora.safetensors") == ("lcm", 4, 1, True)
    finally:
        use_models_folder(None)


def test_a_loras_word_comes_before_the_models(tmp_path):
    file = tmp_path / "sd_turbo.safetensors"
    write_safetensors(file, checkpoint(parts_of_1()))
    assert told(f"{file}+{lora(tmp_path / 'tcd_lora.safetensors')}") == ("tcd", 4, 1, True)
    assert told(file) == ("turbo", 4, 1, False)


def test_a_card_beside_a_lora_knows_its_steps_best(model, tmp_path):
    folder = lora(tmp_path / "lcm" / "pytorch_lora_weights.safetensors").parent
    (folder / "miniature.json").write_text('{"defaults": {"num_inference_steps": 6, "guidance_scale": 1.5}}')
    assert told(f"{model}+lcm") == ("lcm", 6, 1.5, True)


@pytest.mark.parametrize("kind", ["lcm", "hyper"])
def test_a_card_beside_a_lora_tells_its_kind(model, tmp_path, kind):
    folder = lora(tmp_path / "brisk" / "pytorch_lora_weights.safetensors").parent
    (folder / "miniature.json").write_text(json.dumps({"few_steps": kind, "defaults": {"guidance_scale": 1}}))
    steps = {"lcm": 4, "hyper": 8}[kind]
    assert told(f"{model}+brisk") == (kind, steps, 1, True)
    assert told(f"{model}+brisk@0.2") is None
    assert sentence(Source.parse(f"{model}+brisk")) is None  # nothing is guessed, so nobody need be warned


@pytest.mark.parametrize("kind", ["slow", 4, None])
def test_a_card_that_names_no_kind_is_none_of_few_steps(model, tmp_path, kind):
    folder = lora(tmp_path / "brisk" / "pytorch_lora_weights.safetensors").parent
    (folder / "miniature.json").write_text(json.dumps({"few_steps": kind}))
    assert told(f"{model}+brisk") is None


@pytest.mark.parametrize("name", ["lightning_bolts", "turbo_cars", "hyper_detail"])
def test_where_a_loras_name_may_mean_a_thing_that_is_said_and_nothing_taken(tmp_path, name):
    source = Source.parse(f"miniature+{lora(tmp_path / f'{name}.safetensors')}")
    assert few_steps(source) is None and len(signs_of(source)) == 1
    assert f"{name}.safetensors may be a LoRA for few steps (by nothing but its name" in sentence(source)
    assert "if it is, choose" in sentence(source)


def test_the_sentence_names_what_is_taken(tmp_path):
    text = sentence(Source.parse(f"miniature+{lora(tmp_path / 'sd_lightning_1step.safetensors')}"))
    assert text == (
        "sd_lightning_1step.safetensors is taken for a LoRA of Lightning's kind (by its name), which lets "
        "the model draw in few steps: 1 step, guidance 1 (off) and the sampler euler are taken where you "
        "choose none."
    )


@pytest.mark.parametrize("broken", ["[]", "{", '{"_class_name": 7, "timestep_spacing": []}'])
def test_broken_files_tell_nothing(model, broken):
    for part in ("scheduler/scheduler_config.json", "unet/config.json"):
        (model / part).write_text(broken)
    assert told(model) is None

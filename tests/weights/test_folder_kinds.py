"""folder_kinds.py: folders with one network or one file are told as what they are, wherever they stand."""

import pytest
import torch
from checkpoint_files import checkpoint, parts_of_1, small_vae, write_safetensors
from conftest import small_controlnet, small_unet
from small_t2i import small_t2i

from benchmarks.made_up.write import write_kind
from t2v.weights.index import check_model
from t2v.weights.load import load_pipeline
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError
from t2v.weights.source import Source

GUIDE = "give it as ControlNet (--controlnet) to a run that follows a clip"
VAE_FILE = "soft/diffusion_pytorch_model.safetensors"
BEHIND = f"write its file behind a model's name, as MODEL+{VAE_FILE}"


@pytest.fixture
def folder(tmp_path):
    write_safetensors(tmp_path / "own.safetensors", checkpoint(parts_of_1(1)))
    small_controlnet().save_pretrained(tmp_path / "control")
    small_t2i().save_pretrained(tmp_path / "nets" / "light")
    small_vae().save_pretrained(tmp_path / "soft")
    small_unet().save_pretrained(tmp_path / "bare")
    write_kind(tmp_path / "neon" / "style.safetensors", "lora kohya sd1")
    write_safetensors(tmp_path / "dream" / "dream.v1.safetensors", checkpoint(parts_of_1(2)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "config.json").write_text('{"_class_name": ["ControlNetModel"]}')
    (tmp_path / "odd" / "broken.safetensors").write_bytes(b"no weights")
    use_models_folder(tmp_path)
    yield tmp_path
    use_models_folder(None)


def refusal(name):
    with pytest.raises(ModelError) as told:
        check_model(name)
    return str(told.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("control", f"is a ControlNet; {GUIDE}."),
        ("nets/light", f"is a T2I-Adapter; {GUIDE}."),
        ("soft", f"is a VAE; {BEHIND}."),
        ("bare", "is a UNet alone; choose a checkpoint of Stable Diffusion 1.x, 2.x or XL."),
        ("neon", "holds a LoRA for Stable Diffusion 1.x; write it behind a model's name, as MODEL+neon."),
        (
            "dream",
            "holds a checkpoint of Stable Diffusion 1.x; give the file itself, dream/dream.v1.safetensors.",
        ),
    ],
)
def test_a_folder_that_is_no_model_is_told_as_what_it_is(folder, name, told):
    assert refusal(name) == f"model {name} {told}"


def test_of_a_folder_that_tells_nothing_the_index_is_missed(folder):
    for name in ("empty", "odd"):
        told = f"model {folder / name} has no model_index.json; give a folder in diffusers' format."
        assert refusal(name) == told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("control", f"is a ControlNet; {GUIDE}, or choose a LoRA."),
        ("nets/light", f"is a T2I-Adapter; {GUIDE}, or choose a LoRA."),
        ("soft", f"is a VAE's folder; {BEHIND}."),
        ("bare", "is a UNet alone; choose a LoRA, or leave it out."),
        ("dream", "is a checkpoint of Stable Diffusion 1.x; choose a LoRA, or leave it out."),
    ],
)
@pytest.mark.parametrize("strength", ["", "@0.5"])
def test_behind_a_plus_it_is_told_so_too(folder, name, told, strength):
    assert refusal(f"own+{name}{strength}") == f"lora {name} {told}"


def test_what_the_refusals_advise_is_drawn_with(folder, model_folder):
    check_model("own+neon@0.5")
    model = str(model_folder)
    plain, soft = (load_pipeline(one, "cpu", torch.float32) for one in (model, f"{model}+{VAE_FILE}"))
    ends = [one.vae.state_dict()["decoder.conv_out.weight"] for one in (plain, soft)]
    assert not torch.equal(*ends)
    wanted = type(soft.vae).from_pretrained(folder / "soft").state_dict()["decoder.conv_out.weight"]
    assert torch.equal(ends[1], wanted)
    check_model("dream/dream.v1.safetensors")


def test_what_lies_beside_the_model_goes_before_a_folder_of_its_name(folder):
    small_controlnet().save_pretrained(folder / "style")
    check_model("miniature+style")


@pytest.mark.parametrize("typed", ["own+@0.5", "own+", "own++neon", "+own", "own+neon@0.5+@1", " + "])
def test_a_name_that_is_missing_at_a_plus_is_refused_as_it_was_typed(folder, typed):
    assert refusal(typed) == f"model is {typed.strip()!r}; give the names of both, as in miniature+style."
    kept = Source.parse(typed).name  # as settings are kept before they are checked
    assert refusal(kept) == f"model is {typed.strip()!r}; give the names of both, as in miniature+style."

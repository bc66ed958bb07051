"""load.py, source.py, card.py: what loads, and the one sentence for what does not."""

import json
import logging
import shutil
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline, small_unet
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.weights.card import Card, read_card
from t2v.weights.load import load_pipeline
from t2v.weights.refusals import ModelError
from t2v.weights.source import Source


def load(source) -> object:
    return load_pipeline(str(source), "cpu", torch.float32)


@pytest.fixture
def copied(model_folder, tmp_path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def change_index(folder: Path, **parts) -> None:
    path = folder / "model_index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **parts}))


def test_a_folder_loads_with_its_own_weights(model_folder, pipeline):
    loaded = load(model_folder)
    for name, tensor in pipeline.unet.state_dict().items():
        assert torch.equal(loaded.unet.state_dict()[name], tensor)
    assert loaded.safety_checker is None


def test_precision_is_the_one_asked_for(model_folder):
    assert load_pipeline(str(model_folder), "cpu", torch.bfloat16).unet.dtype == torch.bfloat16


def test_the_layout_in_memory_never_changes_the_picture(model_folder):
    """On a CPU a pixel's channels lie side by side; as the file has them, the video is the same."""
    drawn = []
    for plain in (False, True):
        pipeline = load(model_folder)
        conv = pipeline.unet.conv_in.weight
        assert conv.is_contiguous(memory_format=torch.channels_last) and not conv.is_contiguous()
        if plain:
            for network in (pipeline.unet, pipeline.vae):
                network.to(memory_format=torch.contiguous_format)
            assert pipeline.unet.conv_in.weight.is_contiguous()
        latents = pipeline("a red car", num_frames=3, num_inference_steps=6, generator=seeded())
        drawn.append((latents, np.stack(list(pipeline.decode(latents))).astype(int)))
    assert torch.allclose(drawn[0][0], drawn[1][0], atol=1e-4)
    assert np.abs(drawn[0][1] - drawn[1][1]).max() <= 1


@pytest.mark.parametrize("source", ["nothing", "./nothing", "/no/such/folder", "a/b/c", "~/nothing-here"])
def test_places_that_are_not_there(source):
    with pytest.raises(ModelError, match="is not there"):
        load(source)


def test_a_broken_file_and_a_folder_without_index(tmp_path):
    (tmp_path / "one.safetensors").write_bytes(b"\x00")
    with pytest.raises(ModelError, match="is broken and cannot be loaded"):
        load(tmp_path / "one.safetensors")
    (tmp_path / "one.txt").write_bytes(b"x")
    with pytest.raises(ModelError, match="is a file of another kind \\(.txt\\); give a .safetensors"):
        load(tmp_path / "one.txt")
    with pytest.raises(ModelError, match=r"no model_index.json"):
        load(tmp_path)


def test_a_hub_id_without_a_network_says_what_to_do():
    with pytest.raises(ModelError, match="cannot be reached; connect once to fetch it, or choose miniature"):
        load("stable-diffusion-v1-5/stable-diffusion-v1-5")


def test_an_index_that_is_no_json(copied):
    (copied / "model_index.json").write_text("{")
    with pytest.raises(ModelError, match="is broken"):
        load(copied)


@pytest.mark.parametrize("index", [[], "text", 5, {"unet": 3}])
def test_an_index_of_another_shape(copied, index):
    (copied / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="Stable Diffusion model in diffusers' format|is broken"):
        load(copied)


def test_foreign_code_is_never_imported(copied):
    change_index(copied, unet=["os", "UNet2DConditionModel"])
    with pytest.raises(ModelError, match=r"code of its own \(os\)"):
        load(copied)


def test_other_kinds_of_model_are_named(copied):
    second = {"tokenizer_2": ["transformers", "CLIPTokenizer"]}
    change_index(copied, text_encoder_2=["transformers", "CLIPTextModel"], **second)
    with pytest.raises(ModelError, match="1.x, 2.x or XL kind"):
        load(copied)
    change_index(copied, vae=[None, None])
    with pytest.raises(ModelError, match="has no vae"):
        load(copied)


def test_cut_off_weights_are_broken(copied):
    path = copied / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="is broken and cannot be loaded"):
        load(copied)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_weights_with_missing_tensors_are_broken(copied, part):
    path = next((copied / part).glob("*.safetensors"))
    tensors = load_file(path)
    save_file(dict(list(tensors.items())[3:]), path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="is broken and cannot be loaded"):
        load(copied)


@pytest.mark.parametrize("part", ["tokenizer", "scheduler", "unet"])
def test_missing_folders_are_named(copied, part):
    shutil.rmtree(copied / part)
    with pytest.raises(ModelError, match=f"has no folder {part}"):
        load(copied)


@pytest.mark.parametrize("name", ["x" * 400, "a/" + "x" * 400])
def test_names_that_no_file_can_have(name):
    with pytest.raises(ModelError):
        load(name)
    assert read_card(Source.parse(name)).words == {}


@pytest.mark.parametrize("card", ["{", "[]", '{"words": 5}', '{"preview": 3}', '{"figure": {"hip": [1]}}'])
def test_a_broken_card_is_not_used(tmp_path, card):
    (tmp_path / "miniature.json").write_text(card)
    assert read_card(Source.parse(str(tmp_path))) == Card()


PARTS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
}


def to_pickles(folder: Path, variant: str = "") -> None:
    """The model's weights as older ones have them: pickles, "fp16" ones in half precision."""
    for part, name in PARTS.items():
        path = folder / part / f"{name}.safetensors"
        tensors = load_file(path)
        if variant:
            tensors = {key: tensor.half() for key, tensor in tensors.items()}
        pickled = f"{name.replace('model', 'pytorch_model') if part == 'text_encoder' else name}{variant}.bin"
        torch.save(tensors, folder / part / pickled)
        path.unlink()


def assert_same_weights(loaded, pipeline, dtype=torch.float32) -> None:
    for part in PARTS:
        state = getattr(loaded, part).state_dict()
        for name, tensor in getattr(pipeline, part).state_dict().items():
            assert torch.equal(state[name], tensor.to(dtype).to(torch.float32)), name


@pytest.mark.parametrize(("variant", "dtype"), [("", torch.float32), (".fp16", torch.float16)])
def test_models_of_pickled_weights_load_too(copied, pipeline, variant, dtype):
    """Of such are the four DreamBooth models that the original offers."""
    to_pickles(copied, variant)
    loaded = load(copied)
    assert loaded.unet.dtype == torch.float32
    assert_same_weights(loaded, pipeline, dtype)


def test_each_part_is_read_from_its_best_weights(copied, pipeline):
    whole, safe = copied / "unet" / "diffusion_pytorch_model.bin", PARTS["unet"] + ".safetensors"
    torch.save({}, whole)  # nobody reads it
    (copied / "vae" / safe).rename(copied / "vae" / "diffusion_pytorch_model.fp16.safetensors")
    text = copied / "text_encoder"
    torch.save(load_file(text / "model.safetensors"), text / "pytorch_model.bin")
    (text / "model.safetensors").unlink()
    assert_same_weights(load(copied), pipeline)


class Trap:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple:
        return open, (self.path, "w")


@pytest.mark.parametrize("part", PARTS)
def test_a_pickle_that_would_run_something_runs_nothing(copied, tmp_path, part):
    to_pickles(copied)
    path = next((copied / part).glob("*.bin"))
    torch.save({**torch.load(path, weights_only=True), "trap": Trap(tmp_path / "sprung")}, path)
    with pytest.raises(ModelError, match="is broken and cannot be loaded"):
        load(copied)
    assert not (tmp_path / "sprung").exists()
    torch.load(path, weights_only=False)  # the trap is one
    assert (tmp_path / "sprung").exists()


def test_what_was_fetched_from_the_hub_is_used_without_it(copied, pipeline, tmp_path, monkeypatch):
    to_pickles(copied)
    cached, commit = tmp_path / "models--someone--arcane", "a" * 40
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(commit)
    copied = Path(shutil.move(copied, cached / "snapshots" / commit))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert_same_weights(load("someone/arcane"), pipeline)
    (copied / "vae" / "diffusion_pytorch_model.bin").unlink()  # as where the line broke
    with pytest.raises(ModelError, match="someone/arcane is not on this machine and the hub cannot"):
        load("someone/arcane")


def test_a_part_without_weights_is_named(copied):
    (copied / "vae" / "diffusion_pytorch_model.safetensors").rename(copied / "vae" / "flax_model.msgpack")
    with pytest.raises(ModelError, match="no weights in its folder vae that can be read"):
        load(copied)


class Answer:
    """What the hub's errors carry."""

    def __init__(self) -> None:
        self.headers, self.status_code, self.text, self.request = {}, 404, "", None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RepositoryNotFoundError("404", response=Answer()), "not known to the hub"),
        (GatedRepoError("403", response=Answer()), "licence"),
        (ConnectionError("reset"), "cannot be reached"),
        (ValueError("odd\nmany lines"), r"\(odd\)"),
    ],
)
def test_what_the_hub_raises_becomes_one_sentence(monkeypatch, error, said):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(ModelError, match=said) as refusal:
        load("some/model")
    assert "\n" not in str(refusal.value)


@pytest.fixture
def family(model_folder, tmp_path) -> Path:
    """A model with an editor beside it, as the miniature has one."""
    folder = Path(shutil.copytree(model_folder, tmp_path / "text-to-image"))
    small_unet(in_channels=8).save_pretrained(tmp_path / "editor")
    return folder


def test_the_editor_beside_a_model_takes_its_unets_place(family):
    editor = load_pipeline(str(family), "cpu", torch.float32, True)
    assert (editor.unet.config.in_channels, load(family).unet.config.in_channels) == (8, 4)
    assert type(editor.vae) is type(load(family).vae)


def test_editing_needs_an_editor_and_drawing_does_not_take_one(family, model_folder, tmp_path):
    with pytest.raises(ModelError, match="cannot edit, as its UNet sees no picture; choose"):
        load_pipeline(str(model_folder), "cpu", torch.float32, True)
    small_pipeline(in_channels=8).save_pretrained(tmp_path / "whole")
    change_index(tmp_path / "whole", _class_name="StableDiffusionInstructPix2PixPipeline")
    assert load_pipeline(str(tmp_path / "whole"), "cpu", torch.float32, True).unet.config.in_channels == 8
    with pytest.raises(ModelError, match="made for editing or inpainting"):
        load(tmp_path / "whole")


def test_a_broken_editor_is_named(family):
    path = next((family.parent / "editor").glob("*.safetensors"))
    tensors = load_file(path)
    save_file(dict(list(tensors.items())[3:]), path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="is broken and cannot be loaded"):
        load_pipeline(str(family), "cpu", torch.float32, True)


def test_card_of_a_folder(tmp_path):
    assert read_card(Source.parse(str(tmp_path))).words == {}
    told = {
        "words": {"subjects": ["car"]},
        "defaults": {"t0": 681},
        "tasks": {"canny": {"guidance_scale": 3}},
    }
    (tmp_path / "miniature.json").write_text(json.dumps(told))
    card = read_card(Source.parse(str(tmp_path)))
    assert (card.words["subjects"], card.defaults["t0"], card.preview) == (("car",), 681, ())
    assert card.tasks == {"canny": {"guidance_scale": 3}}
    assert card.figure is None and read_card(Source.parse("miniature")).figure.sizes["bear"] == 1.12


def test_the_card_of_a_lora_beside_a_model_adds_its_words_and_what_suits_it(tmp_path):
    known = {"base": {"subjects": ["car"], "styles": ["sketch"]}, "neon": {"styles": ["neon"]}}
    suits = {"base": {"guidance_scale": 5.0, "t0": 481}, "neon": {"guidance_scale": 1.5}}
    for name, words in known.items():
        (tmp_path / name).mkdir()
        card = {"words": words, "defaults": suits[name]}
        (tmp_path / name / "miniature.json").write_text(json.dumps(card))
    base = str(tmp_path / "base")
    assert read_card(Source.parse(f"{base}+neon")).words == {
        "subjects": ("car",),
        "styles": ("sketch",),
    }  # no LoRA there
    (tmp_path / "neon" / "pytorch_lora_weights.safetensors").write_bytes(b"")
    assert read_card(Source.parse(f"{base}+neon")).words == {
        "subjects": ("car",),
        "styles": ("sketch", "neon"),
    }
    assert read_card(Source.parse(f"{base}+neon")).defaults == {"guidance_scale": 1.5, "t0": 481}
    assert (read_card(Source.parse(base)).words["styles"], read_card(Source.parse(base)).defaults) == (
        ("sketch",),
        suits["base"],
    )


def test_a_controlnet_inside_a_model_is_left_where_it_is(copied, pipeline):
    """The DreamBooth models that the original offers are whole ControlNet pipelines."""
    small_controlnet().save_pretrained(copied / "controlnet")
    whole = "StableDiffusionControlNetPipeline"
    change_index(copied, _class_name=whole, controlnet=["diffusers", "ControlNetModel"])
    loaded = load(copied)
    assert isinstance(loaded, TextToVideoPipeline) and "controlnet" not in loaded.components
    for name, tensor in pipeline.unet.state_dict().items():
        assert torch.equal(loaded.unet.state_dict()[name], tensor)


def save_lora(folder: Path, **unet_changes) -> Path:
    """A LoRA that adds A^T A to the queries' weights, as trainers write one."""
    unet = small_unet(**unet_changes)
    unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_q"], init_lora_weights=False))
    layers = get_peft_model_state_dict(unet)
    TextToVideoPipeline.save_lora_weights(folder, unet_lora_layers=layers)
    return folder


def test_a_lora_goes_into_the_weights_of_its_model_alone(model_folder, pipeline, tmp_path):
    folder = save_lora(tmp_path / "style")
    layers = load_file(folder / "pytorch_lora_weights.safetensors")
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    down, up = (layers[f"unet.{name}.lora_{part}.weight"] for part in "AB")
    plain = pipeline.unet.state_dict()
    model = shutil.copytree(model_folder, tmp_path / "model")
    for lora in (folder, folder / "pytorch_lora_weights.safetensors", "style"):
        state = load(f"{model}+{lora}").unet.state_dict()
        assert set(state) == set(plain)
        assert torch.allclose(state[f"{name}.weight"], plain[f"{name}.weight"] + up @ down, atol=1e-6)
        assert torch.equal(state["conv_in.weight"], plain["conv_in.weight"])


def test_loras_that_cannot_be_had_or_do_not_fit_are_named(model_folder, tmp_path):
    (tmp_path / "style.ckpt").write_bytes(b"x")
    for lora, told in (
        ("./nowhere", "lora ./nowhere is not there"),
        ("", "give the names of both"),
        ("someone/style", "lora someone/style is not on this machine .* or leave it out"),
        ("someone/style+more/style", "lora someone/style is not on this machine"),
        (tmp_path / "style.ckpt", "style.ckpt is a file of another kind; give a .safetensors file"),
        ("nothere", "lora nothere is not there; give a .safetensors file, a folder"),
        (save_lora(tmp_path / "wide", block_out_channels=(32, 32)), "lora .* does not fit .*; leave it out"),
    ):
        with pytest.raises(ModelError, match=told):
            load(f"{model_folder}+{lora}")
    save_file({"unet.nothing.weight": torch.zeros(2, 2)}, tmp_path / "empty.safetensors")
    with pytest.raises(ModelError, match="lora"):
        load(f"{model_folder}+{tmp_path / 'empty.safetensors'}")


def test_a_plus_in_a_folders_name_is_no_lora(tmp_path):
    (tmp_path / "a+b").mkdir()
    assert Source.parse(str(tmp_path / "a+b")) == Source(str(tmp_path / "a+b"))
    assert (
        Source.parse("miniature+style")
        == Source.parse("miniature + style ")
        == Source("miniature", ("style",))
    )
    assert Source.parse("own/model") == Source("own/model")


def test_ids_that_left_the_hub_are_told_of_their_successor():
    with pytest.raises(
        ModelError, match="has left the hub; give stable-diffusion-v1-5/stable-diffusion-v1-5,"
    ):
        load_pipeline("runwayml/stable-diffusion-v1-5", "cpu", torch.float32)


def tracebacks(caplog, source) -> list[str]:
    """What a server's log would show with a traceback of a model that cannot be loaded."""
    caplog.clear()
    with caplog.at_level(logging.INFO), pytest.raises(ModelError):
        load(source)
    return [record.levelname for record in caplog.records if record.exc_info]


def test_of_damaged_models_and_those_that_cannot_be_had_the_log_keeps_no_traceback(copied, caplog):
    assert tracebacks(caplog, "no-one/no-model") == []
    weights = copied / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert tracebacks(caplog, copied) == []
    (copied / "unet" / "config.json").write_text("{")
    assert tracebacks(caplog, copied) == []
    with caplog.at_level(logging.DEBUG), pytest.raises(ModelError):
        load(copied)
    assert [record.levelname for record in caplog.records if record.exc_info] == ["DEBUG"]


def test_of_what_nobody_foresaw_in_loading_the_log_keeps_the_traceback(copied, caplog, monkeypatch):
    def fail(*told):
        raise AttributeError("a fault of our own")

    monkeypatch.setattr("t2v.weights.load.check_parts", fail)
    assert tracebacks(caplog, copied) == ["WARNING"]

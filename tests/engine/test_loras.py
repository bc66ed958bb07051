"""engine.py with LoRAs: drawn with, at other strengths from memory, and out of the model again."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import seeded
from safetensors.torch import load_file, save_file

from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError

LAYER = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v"
HOW = {"num_frames": 2, "num_inference_steps": 2, "width": 64, "height": 64, "seed": 3, "method": "paper"}


@pytest.fixture
def model(model_folder, tmp_path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def write(path: Path, seed: int) -> Path:
    halves = {"lora_A": (2, 16), "lora_B": (16, 2)}
    made = {name: torch.randn(*shape, generator=seeded(seed)) for name, shape in halves.items()}
    save_file({f"unet.{LAYER}.{name}.weight": one for name, one in made.items()}, path)
    return path


def draw(engine: Engine, name: str) -> np.ndarray:
    return engine.generate(TextToVideoSettings("a car", model=name, **HOW)).frames


@pytest.mark.slow
def test_strengths_draw_what_they_say_and_none_draws_the_model_alone(model, tmp_path):
    a, b = write(tmp_path / "a.safetensors", 1), write(tmp_path / "b.safetensors", 2)
    engine = Engine("cpu")
    plain = draw(engine, str(model))
    both = draw(engine, f"{model}+{a}@0.7+{b}@-0.3")
    unet = engine.load(f"{model}+{a}@0.7+{b}@-0.3").unet
    own = load_file(model / "unet" / "diffusion_pytorch_model.safetensors")[f"{LAYER}.weight"]
    changes = [load_file(path)[f"unet.{LAYER}.lora_B.weight"] @ load_file(path)[f"unet.{LAYER}.lora_A.weight"]
               for path in (a, b)]  # fmt: skip
    wanted = own + 0.7 * changes[0] - 0.3 * changes[1]
    assert torch.allclose(unet.state_dict()[f"{LAYER}.weight"], wanted, atol=1e-6)
    assert not np.array_equal(both, plain)
    assert np.array_equal(draw(Engine("cpu"), f"{model}+{b}@-0.3+{a}@0.7"), both)  # and so does a new one
    assert np.array_equal(draw(engine, f"{model}+{a}@0+{b}@0"), plain)
    assert np.array_equal(draw(engine, str(model)), plain)


@pytest.mark.slow
def test_learned_words_are_drawn_by_their_files_name(model, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    save_file({"emb_params": torch.randn(2, 16, generator=seeded(9))}, folder / "Zorg.safetensors")
    engine = Engine("cpu")

    def drawn(prompt: str) -> np.ndarray:
        return engine.generate(TextToVideoSettings(prompt, model=str(model), **HOW)).frames

    before, car = drawn("a zorg"), drawn("a car")
    use_models_folder(folder)
    try:
        meant = drawn("a ZORG")
        assert not np.array_equal(meant, before)
        assert np.array_equal(drawn("a zorg"), meant) and np.array_equal(drawn("a car"), car)
        settings = TextToVideoSettings("a zorg", model=str(model))
        told = "“Zorg” in the prompt means the learned words of Zorg.safetensors."
        assert told in [note.text for note in engine.prompt_notes(settings)]
    finally:
        use_models_folder(None)
    assert np.array_equal(drawn("a zorg"), before)


def test_another_strength_reads_nothing_from_disk(model, tmp_path, monkeypatch):
    a = write(tmp_path / "a.safetensors", 1)
    engine = Engine("cpu")
    pipeline = engine.load(f"{model}+{a}@0.5")
    weight = pipeline.unet.get_parameter(f"{LAYER}.weight")
    half = weight.detach().clone()
    monkeypatch.setattr("t2v.weights.lora.merge.read_lora", None)
    monkeypatch.setattr("t2v.engine.keeping.load_pipeline", None)
    assert engine.load(f"{model}+{a}@-0.5") is pipeline
    less = weight.detach().clone()
    assert engine.load(str(model)) is pipeline
    assert torch.allclose((half + less) / 2, weight, atol=1e-6) and not torch.equal(half, weight)


def test_a_lora_that_is_refused_leaves_the_model_alone_in_memory(model, tmp_path):
    a = write(tmp_path / "a.safetensors", 1)
    wrong = tmp_path / "wrong.safetensors"
    save_file(
        {f"unet.{LAYER}.lora_A.weight": torch.ones(2, 24), f"unet.{LAYER}.lora_B.weight": torch.ones(16, 2)},
        wrong,
    )
    engine = Engine("cpu")
    pipeline = engine.load(str(model))
    before = {name: one.clone() for name, one in pipeline.unet.state_dict().items()}
    with pytest.raises(ModelError, match="wrong.safetensors is for the kind that reads text 24 wide"):
        engine.load(f"{model}+{a}+{wrong}")
    assert all(torch.equal(one, before[name]) for name, one in pipeline.unet.state_dict().items())
    assert engine.load(str(model)) is pipeline


def test_the_strengths_travel_with_the_settings():
    from t2v.library.results import settings_dict

    settings = TextToVideoSettings("a car", model="miniature+/some/where/a.safetensors@0.7+style@-0.3")
    assert settings_dict(settings)["model"] == "miniature+a.safetensors@0.7+style@-0.3"

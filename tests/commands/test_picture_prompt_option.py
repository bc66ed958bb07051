"""``--picture-prompt`` and what goes with it, on the command line and in a batch's rows."""

import json

import pytest
from conftest import small_pipeline
from small_adapters import a_picture, save_with_encoder

from t2v.commands.generate import main
from t2v.tasks import settings_of
from t2v.video.picture import write_picture
from t2v.weights.models_folder import use_models_folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("t2v.weights.models_folder._chosen", [])  # which --models changes
    save_with_encoder(tmp_path / "models", small_pipeline().unet)
    write_picture(tmp_path / "fur.png", a_picture())
    return tmp_path


def run(folder, model_folder, *more, output="car.mp4"):
    small = ["--model", str(model_folder), "--steps", "2", "--num-frames", "2", "--width", "64"]
    where = ["--height", "64", "--seed", "3", "--models", str(folder / "models"), "-o", str(folder / output)]
    return main(["text-to-video", "a car", *small, *where, *more])


def test_a_run_is_shown_a_picture_and_again_by_like(folder, model_folder, capsys):
    picture = str(folder / "fur.png")
    assert run(folder, model_folder, output="bare.mp4") == 0
    assert run(folder, model_folder, "--picture-prompt", picture, "--picture-prompt-strength", "1") == 0
    made = settings_of(folder / "car.mp4")
    assert (made.picture_prompt, made.picture_prompt_strength, made.ip_adapter) == (
        picture,
        1.0,
        "ip.safetensors",
    )
    assert (folder / "car.mp4").read_bytes() != (folder / "bare.mp4").read_bytes()
    again = ["--like", str(folder / "car.mp4"), "--model", str(model_folder)]
    where = ["--models", str(folder / "models"), "-o", str(folder / "again.mp4")]
    assert main([*again, *where]) == 0
    assert settings_of(folder / "again.mp4").picture_prompt_strength == 1.0


def test_a_row_of_a_batch_names_one_beside_it(folder, model_folder):
    use_models_folder(folder / "models")
    row = {"task": "text-to-video", "prompt": "a car", "model": str(model_folder), "seed": 1}
    row |= {"num_frames": 2, "width": 64, "height": 64, "num_inference_steps": 2}
    row |= {"picture_prompt": "fur.png", "output": str(folder / "row.mp4")}
    (folder / "jobs.jsonl").write_text(json.dumps(row))
    assert main(["batch", str(folder / "jobs.jsonl")]) == 0
    assert settings_of(folder / "row.mp4").ip_adapter == "ip.safetensors"


def test_refusals_name_options(folder, model_folder, capsys):
    assert run(folder, model_folder, "--ip-adapter", "ip.safetensors") == 2
    assert "--ip-adapter is ip.safetensors, and --picture-prompt is not given" in capsys.readouterr().err
    (folder / "models" / "ip.safetensors").unlink()
    assert run(folder, model_folder, "--picture-prompt", str(folder / "fur.png")) == 2
    told = capsys.readouterr().err
    assert told.startswith("--picture-prompt is given, and there is no IP-Adapter for this model")
    assert "name one (--ip-adapter), or put an IP-Adapter" in told

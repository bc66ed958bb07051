"""``generate.py models`` lists the folder of models, and runs know its files by their names."""

import json

import pytest
from checkpoint_files import checkpoint, parts_of_1, small_vae, write_safetensors

from benchmarks.original_names import original_vae
from t2v.commands.generate import main
from t2v.weights.models_folder import use_models_folder


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "models"
    write_safetensors(folder / "own.safetensors", checkpoint(parts_of_1()))
    write_safetensors(folder / "vae" / "soft.safetensors", original_vae(small_vae()))
    (folder / "half.ckpt").write_bytes(b"PK\x03\x04 and no more")
    yield folder
    use_models_folder(None)


def test_the_folder_is_listed(folder, capsys):
    assert main(["models", "--models", str(folder)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"3 files in {folder}:"
    assert told[1].split("  ")[0].strip() == "half.ckpt"
    broken = "broken and cannot be loaded (its pickle cannot be read); fetch it again or choose another"
    assert told[1].endswith(f"  1 KB  {broken}")
    assert told[2].startswith("own.safetensors") and told[2].endswith("a checkpoint of Stable Diffusion 1.x")
    assert told[3].startswith("soft.safetensors") and told[3].endswith("a VAE")
    assert main(["models", "--models", str(folder), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["models"]
    assert [(one["name"], one.get("kind"), one["why_not"] is None) for one in report] == [
        ("half.ckpt", None, False), ("own.safetensors", "checkpoint", True),
        ("soft.safetensors", "vae", False),
    ]  # fmt: skip


def test_an_empty_folder_and_none(tmp_path, capsys):
    assert main(["models", "--models", str(tmp_path)]) == 0
    assert "there is no file of weights; put checkpoints" in capsys.readouterr().out
    for command in (["models"], ["text-to-video", "a cat"]):
        assert main([*command, "--models", str(tmp_path / "none")]) == 2
        assert "which is no folder; give one with files of models in it." in capsys.readouterr().err


@pytest.mark.slow
def test_a_file_of_the_folder_draws_by_its_name(folder, tmp_path, capsys):
    video = tmp_path / "own.mp4"
    model = "own.safetensors+soft.safetensors"
    run = ["text-to-video", "a red car", "--models", str(folder), "--model", model]
    small = ["--width", "64", "--height", "64", "--num-frames", "2", "--steps", "2", "--seed", "1"]
    assert main([*run, *small, "-o", str(video), "--json"]) == 0, capsys.readouterr().err
    report = json.loads(capsys.readouterr().out)
    assert (report["width"], report["frames"], report["model"]) == (64, 2, model)
    assert main(["--like", str(video), "--models", str(folder), "-o", str(tmp_path / "again.mp4")]) == 0
    assert (tmp_path / "again.mp4").is_file()


def test_a_lora_for_a_model_is_told_before_anything_is_loaded(folder, capsys):
    assert main(["text-to-video", "a cat", "--models", str(folder), "--model", "soft.safetensors"]) == 2
    told = capsys.readouterr().err
    assert told == "--model soft.safetensors is a VAE; write it behind a model's name, as MODEL+FILE.\n"

"""``generate.py models`` lists the folder of models, and runs know its files by their names."""

import json

import pytest
from checkpoint_files import checkpoint, parts_of_1, small_vae, write_safetensors
from conftest import small_controlnet
from small_t2i import small_t2i
from strange_folders import closed

from benchmarks.made_up.write import write_kind
from benchmarks.original_names import original_vae
from t2v.commands.generate import main
from t2v.video.write import read_settings
from t2v.weights.models_folder import NOTE, use_models_folder


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


def test_folders_with_one_network_are_listed_as_files_are(folder, capsys):
    small_controlnet().save_pretrained(folder / "nets" / "edges.v1")
    small_controlnet().save_pretrained(folder / "nets" / "edges.v1", safe_serialization=False)  # not read
    small_t2i().save_pretrained(folder / "pose")
    (folder / "cut").mkdir()
    (folder / "cut" / "config.json").write_text('{"_class_name": "ControlNetModel"}')
    size = (folder / "nets/edges.v1/diffusion_pytorch_model.safetensors").stat().st_size
    assert main(["models", "--models", str(folder), "--json"]) == 0
    report = {one.pop("name"): one for one in json.loads(capsys.readouterr().out)["models"]}
    assert list(report) == [
        "cut", "half.ckpt", "nets/edges.v1", "own.safetensors", "pose", "soft.safetensors",
    ]  # fmt: skip
    words = "a ControlNet for Stable Diffusion 1.x"
    assert report["nets/edges.v1"] == {
        "is": words,
        "kind": "controlnet",
        "family": "Stable Diffusion 1.x",
        "bytes": size,
        "why_not": f"is {words}; give it as ControlNet (--controlnet) to a run that follows a clip.",
    }
    assert report["pose"]["is"] == "a T2I-Adapter for Stable Diffusion 1.x" and report["pose"]["bytes"] > 0
    assert (report["cut"]["is"], report["cut"]["bytes"]) == ("a ControlNet", 0)
    rows = table(folder, capsys)
    assert rows[0] == f"6 files in {folder}:"
    assert rows[3] == f"nets/edges.v1     {size // 1000:>4} KB  {words}"


def test_an_empty_folder_and_none(tmp_path, capsys):
    assert main(["models", "--models", str(tmp_path)]) == 0
    assert "there is no file of weights; put checkpoints" in capsys.readouterr().out
    for command in (["models"], ["text-to-video", "a cat"]):
        assert main([*command, "--models", str(tmp_path / "none")]) == 2
        assert "which is no folder; give one with files of models in it." in capsys.readouterr().err


def table(folder, capsys):
    assert main(["models", "--models", str(folder)]) == 0
    return capsys.readouterr().out.splitlines()


def test_rows_read_as_what_a_file_is(folder, capsys):
    (folder / "notes.safetensors").write_text("hello\n")
    (folder / "zero.safetensors").write_bytes(b"")
    (folder / "a\nb.pt").write_bytes(b"")
    write_kind(folder / "flux.safetensors", "lora flux")
    rows = {row.split("  ")[0]: row.split("  ", 1)[1].strip() for row in table(folder, capsys)[1:]}
    assert (
        rows["notes.safetensors"] == "1 KB  a text, not a file of weights; fetch it again or choose another"
    )
    assert rows["zero.safetensors"] == rows["a\\nb.pt"] == "0 bytes  empty; fetch it again"
    assert rows["flux.safetensors"].endswith("  a LoRA for another kind of model")
    with closed(folder / "own.safetensors"):
        row = next(row for row in table(folder, capsys) if row.startswith("own."))
    assert row.endswith("  cannot be read (Permission denied); choose another")


def test_what_is_left_out_is_told_below(folder, capsys):
    with closed(folder / "vae"):
        told = table(folder, capsys)
        assert told[0] == f"2 files in {folder}:" and len(told) == 4
        assert told[3] == "vae cannot be looked into (Permission denied)."
        assert main(["models", "--models", str(folder), "--json"]) == 0
        left_out = json.loads(capsys.readouterr().out)["left_out"]
        assert left_out == [{"name": "vae", "why": "cannot be looked into (Permission denied)"}]
        run = [
            "text-to-video",
            "a cat",
            "--models",
            str(folder),
            "--model",
            "soft.safetensors",
            "-o",
            "x.mp4",
        ]
        assert main(run) == 2
        assert capsys.readouterr().err.startswith(
            "--model soft.safetensors is not there; give miniature, a file"
        )


def test_a_folder_that_cannot_be_read(folder, capsys):
    with closed(folder):
        for command in (["models"], ["text-to-video", "a cat"]):
            assert main([*command, "--models", str(folder)]) == 2
            why = "cannot be looked into (Permission denied); choose another, or let it be read."
            assert capsys.readouterr().err == f"--models is '{folder}', which {why}\n"


def test_the_folder_beside_the_app_is_made(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["models"]) == 0
    assert capsys.readouterr().out == (
        f"There are no models yet: models is made now, and {NOTE} in it says what belongs there.\n"
    )
    assert "LoRAs (.safetensors): behind a model's name" in (tmp_path / "models" / NOTE).read_text()
    assert main(["models"]) == 0
    assert capsys.readouterr().out == (
        "In models there is no file of weights; put checkpoints, VAEs and LoRAs there.\n"
    )
    (tmp_path / "closed").mkdir()
    monkeypatch.chdir(tmp_path / "closed")
    with closed(tmp_path / "closed", 0o500):
        assert main(["models"]) == 0
    none = (
        "there is no folder models here, and none can be made (Permission denied); give another, --models DIR"
    )
    assert capsys.readouterr().out == f"There are no models yet: {none}.\n"


def test_a_name_without_its_ending_draws_and_is_kept_whole(folder, tmp_path, capsys):
    video = tmp_path / "own.mp4"
    run = [
        "text-to-video",
        "a car",
        "--models",
        str(folder),
        "--model",
        " own + soft",
        "-o",
        str(video),
        "--json",
    ]
    small = ["--width", "64", "--height", "64", "--num-frames", "1", "--steps", "1", "--seed", "1"]
    assert main([*run, *small]) == 0, capsys.readouterr().err
    assert json.loads(capsys.readouterr().out)["model"] == "own.safetensors+soft.safetensors"
    assert read_settings(video)["model"] == "own.safetensors+soft.safetensors"


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

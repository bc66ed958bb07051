"""``--like`` and ``--continue`` draw with the very files that a video was made with, or not at all."""

import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from checkpoint_files import checkpoint, parts_of_1, small_vae, write_safetensors
from clips import grey_steps
from PIL import Image

from benchmarks.original_names import original_vae
from t2v.commands.generate import main
from t2v.commands.order import read_order
from t2v.library.results import settings_dict
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.write import read_settings, write_video
from t2v.weights.models_folder import use_models_folder

SMALL = ["--width", "64", "--height", "64", "--num-frames", "1", "--steps", "2", "--seed", "1"]


@pytest.fixture
def models(tmp_path):
    """A folder of models with an own.safetensors; another of that name lies in "elsewhere" beside it."""
    for place, seed in (("models", 0), ("elsewhere", 1)):
        write_safetensors(tmp_path / place / "own.safetensors", checkpoint(parts_of_1(seed)))
    yield tmp_path / "models"
    use_models_folder(None)


def made(model: str, path: Path, *more: str) -> Path:
    assert main(["text-to-video", "a red car", "--model", model, *SMALL, *more, "-o", str(path)]) == 0
    return path


def frames(video: Path) -> list[bytes]:
    """Pixels, without the settings that each picture carries."""
    with zipfile.ZipFile(video) as files:
        names = [name for name in files.namelist() if name.endswith(".png")]
        return [Image.open(files.open(name)).tobytes() for name in names]


def kept(model: str, path: Path, **changed: object) -> str:
    """A file made with a model, as far as its settings tell."""
    told = settings_dict(TextToVideoSettings("a car", model=model))
    return str(write_video(path, grey_steps(1, 16, 16), 4, {**told, **changed}))


@pytest.mark.slow
def test_a_file_of_the_same_name_is_not_drawn_with(models, tmp_path, capsys):
    folder = ["--models", str(models)]
    elsewhere = tmp_path / "elsewhere"
    for place, seed in ((models, 1), (elsewhere, 2)):
        torch.manual_seed(seed)
        write_safetensors(place / "soft.safetensors", original_vae(small_vae()))
    model = f"{elsewhere}/own.safetensors+{elsewhere}/soft.safetensors"
    video = made(model, tmp_path / "own.zip", *folder)
    told = read_settings(video)
    assert told["model"] == "own.safetensors+soft.safetensors"
    assert str(tmp_path) not in str(told)
    again = ["--like", str(video), *folder, "-o", str(tmp_path / "again.zip")]
    capsys.readouterr()
    assert main(again) == 2
    assert capsys.readouterr().err == (
        "--model own.safetensors is another file here than the one that the video was made with; give the "
        "path of that one, or own.safetensors+soft.safetensors again for what is here.\n"
    )
    assert not (tmp_path / "again.zip").exists()
    assert main([*again, "--model", "own.safetensors"]) == 0  # which somebody typed
    assert frames(tmp_path / "again.zip") != frames(video)
    (models / "new").mkdir()
    shutil.move(elsewhere / "own.safetensors", models / "new")  # where it is found
    assert main(again) == 2
    assert "--model soft.safetensors is another file here" in capsys.readouterr().err
    shutil.move(elsewhere / "soft.safetensors", models / "new")
    assert main(again) == 0
    assert read_settings(tmp_path / "again.zip")["model"] == "new/own.safetensors+new/soft.safetensors"
    assert frames(tmp_path / "again.zip") == frames(video)


@pytest.mark.slow
def test_a_file_where_the_program_is_started_is_not_drawn_with(models, tmp_path, monkeypatch):
    video = made("own.safetensors", tmp_path / "own.zip", "--models", str(models))
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = tmp_path / "again.zip"
    assert main(["--like", str(video), "--models", str(models), "-o", str(again)]) == 0
    assert frames(again) == frames(video)
    typed = made("own.safetensors", tmp_path / "typed.zip", "--models", str(models))
    assert frames(typed) != frames(video)
    assert main(["--like", str(typed), "--models", str(models), "-o", str(again)]) == 0
    assert frames(again) == frames(typed)


def test_settings_of_before_are_read_in_the_folder_of_models_first(models, tmp_path, monkeypatch):
    use_models_folder(models)
    old = kept("own.safetensors", tmp_path / "old.webp", weights={})
    assert read_order(["--like", old]).settings.model == "own.safetensors"
    monkeypatch.chdir(tmp_path / "elsewhere")
    named = {"both": str(models / "own.safetensors")}
    assert read_order(["--like", old]).settings.model == named["both"]
    (tmp_path / "typed.json").write_text(
        '{"task": "text-to-video", "prompt": "a", "model": "own.safetensors"}'
    )
    assert read_order(["--like", str(tmp_path / "typed.json")]).settings.model == named["both"]
    assert (
        read_order(["text-to-video", "a", "--model", "own.safetensors"]).settings.model == "own.safetensors"
    )


def test_what_goes_on_from_a_video_is_drawn_with_its_file_too(models, tmp_path, capsys):
    video = kept(str(tmp_path / "elsewhere/own.safetensors"), tmp_path / "car.mp4")
    folder = ["--models", str(models)]
    assert main(["--continue", video, *folder]) == 2
    assert "--model own.safetensors is another file here" in capsys.readouterr().err
    (models / "own.safetensors").unlink()
    assert main(["--continue", video, *folder]) == 2
    assert capsys.readouterr().err == (
        "--model own.safetensors, which the video was made with, is not here; give its path, or put it into "
        "the folder of models.\n"
    )

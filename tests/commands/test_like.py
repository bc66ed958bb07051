"""``--like``: a run again from any kind of file it was written to, and what is changed of it."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import grey_steps
from PIL import Image

from t2v.checks import InputError
from t2v.commands.generate import main
from t2v.commands.order import read_order
from t2v.commands.tries import write_grid
from t2v.library.results import settings_dict
from t2v.tasks import settings_of
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.formats import FORMATS
from t2v.video.write import read_settings, write_video

TASK = "text-to-video"
CAR = TextToVideoSettings(
    "a red car", seed=7, num_frames=3, fps=6.0, zoom=1.02, motion_field=False, method="canvas", model="a/b"
)


def kept(path: Path, settings, **more) -> str:
    """A file that carries the settings."""
    return str(write_video(path, grey_steps(1, 16, 16), 4, {**settings_dict(settings), **more}))


def written(path: Path, settings: object) -> str:
    """A file of settings, as JSON; of a text as it stands."""
    path.write_text(settings if isinstance(settings, str) else json.dumps(settings))
    return str(path)


def grid(path: Path) -> Path:
    """Two pictures that were tried."""
    pictures = [np.zeros((16, 16, 3), np.uint8)] * 2
    write_grid(path, pictures, ["Seed 1", "Seed 2"], [settings_dict(replace(CAR, seed=n)) for n in (1, 2)])
    return path


def frames_of(path: Path) -> np.ndarray:
    """The frames of a zip of PNGs, as they were drawn."""
    with zipfile.ZipFile(path) as files:
        return np.stack(
            [np.asarray(Image.open(files.open(name))) for name in files.namelist() if name.endswith(".png")]
        )


@pytest.mark.slow
def test_a_file_of_each_kind_gives_the_same_frames_again(tmp_path, model_folder, capsys):
    torch.set_num_threads(1)
    model = ["--model", str(model_folder)]
    size = ["--steps", "2", "--width", "64", "--height", "64", "--motion-x", "3"]
    for ending in FORMATS:
        count = "1" if ending == ".png" else "3"
        made, again = tmp_path / f"made{ending}", tmp_path / f"again{ending}.zip"
        assert main([TASK, "a cat", "--num-frames", count, "-o", str(made), *size, *model]) == 0
        assert main(["--like", str(made), "-o", str(again), *model]) == 0
        first = tmp_path / f"first{ending}.zip"  # what was drawn, before it was encoded
        seed = str(read_settings(made)["seed"])
        assert (
            main([TASK, "a cat", "--num-frames", count, "--seed", seed, "-o", str(first), *size, *model]) == 0
        )
        assert np.abs(frames_of(again).astype(int) - frames_of(first)).max() <= 1, ending
        assert read_settings(again) == read_settings(made) == read_settings(first)
    capsys.readouterr()


@pytest.mark.slow
def test_a_clip_beside_the_file_is_followed_again(tmp_path, family, square_clip, capsys):
    torch.set_num_threads(1)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    made, again = folder / "made.webp", tmp_path / "again.zip"
    quick = ["--steps", "1", "--num-frames", "2", "--width", "80", "--height", "64"]
    assert main(["canny", square_clip, "a car", "-o", str(made), *quick, "--model", family]) == 0
    assert main(["--like", str(made), "--model", family, "--controlnet", "canny"]) == 2
    assert "clip is 'square.mp4', and there is no such file; put the video there" in capsys.readouterr().err
    shutil.copy(square_clip, folder)
    control = f"{Path(family).parent}/controlnet-canny"
    assert main(["--like", str(made), "-o", str(again), "--model", family, "--controlnet", control]) == 0
    assert frames_of(again).shape == (2, 64, 80, 3)
    assert read_settings(again)["seed"] == read_settings(made)["seed"]


def test_everything_is_taken_and_what_is_given_is_changed(tmp_path):
    file = kept(tmp_path / "car.gif", CAR, finished=[{"upscale": 2}])
    assert read_order(["--like", file]).settings == CAR
    assert read_order([TASK, f"--like={file}"]).settings == CAR
    order = read_order(
        ["--like", file, "a blue car", "--seed", "-1", "--motion-field", "--zoom", "1", "-o", "x.webm"]
    )
    assert order.settings == replace(CAR, prompt="a blue car", seed=None, motion_field=True, zoom=1)
    assert order.output == Path("x.webm") and order.with_settings
    assert not read_order([TASK, "a car", "--model", "a/b", "--no-settings"]).with_settings


def test_the_precision_is_taken_too(tmp_path):
    file = kept(tmp_path / "car.gif", replace(CAR, dtype="bfloat16"))
    assert read_order(["--like", file]).settings.dtype == "bfloat16"
    assert read_order(["--like", file, "--dtype", "float32"]).settings.dtype == "float32"
    old = settings_dict(replace(CAR, model="miniature"))
    del old["dtype"]  # a result of before it was told
    assert read_order(["--like", written(tmp_path / "old.json", old)]).settings.dtype == "float32"
    assert read_order([TASK, "a car", "--dtype", "bfloat16"]).settings.dtype == "bfloat16"
    assert read_order([TASK, "a car"]).settings.dtype is None


def test_of_a_clip_task_one_word_is_told_apart(tmp_path, square_clip, monkeypatch):
    also = (Also("depth", "c/d", 0.5),)
    asked = CannySettings("square.mp4", "a car", model="a/b", controlnet="e/f", also=also, low_threshold=50.0)
    file = kept(tmp_path / "car.png", asked)
    shutil.copy(square_clip, tmp_path)
    clip = str(tmp_path / "square.mp4")
    assert read_order(["--like", file]).settings == replace(asked, clip=clip)
    assert read_order(["--like", file, "a dog"]).settings == replace(asked, clip=clip, prompt="a dog")
    assert read_order(["canny", square_clip, "--like", file]).settings == replace(asked, clip=square_clip)
    both = read_order(["--like", file, square_clip, "a dog", "--controlnet", "g/h"]).settings
    assert both == replace(asked, clip=square_clip, prompt="a dog", controlnet="g/h", also=())
    ready = kept(tmp_path / "ready.png", replace(asked, also=(), control_ready=True))
    assert not read_order(["--like", ready, "--no-control-ready"]).settings.control_ready


def test_a_clip_is_looked_for_beside_the_file_and_nowhere_else(tmp_path, square_clip):
    for name in (square_clip, "../square.mp4", "/etc/passwd", "..", ""):
        asked = Pix2PixVideoSettings("x", "make it red")
        file = write_video(
            tmp_path / "car.png", grey_steps(1, 16, 16), 4, {**settings_dict(asked), "clip": name}
        )
        assert (
            Path(settings_of(file).clip).name == settings_of(file).clip
        )  # a bare name, of nothing that is there


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["canny", "{clip}", "x", "--like", "{car}"],
            "task is canny, and car.mp4 was made by text-to-video; leave",
        ),
        (["--like", "{plain}"], "plain.mp4 carries no settings; give a video that this program made"),
        (["--like", "{other}"], "other.mp4 carries no settings; give a video that this program made"),
        (["--like", "nowhere.mp4"], "nowhere.mp4 is not a file"),
        (["--like"], "--like: expected one argument"),
        (["--like", "{car}", "--num-frames", "0"], "--num-frames is 0"),
        (["--like", "{newer}"], "settings are of version 9.1.0 and this is 0."),
        (["--like", "{unknown}"], "settings name sparkle, which is unknown here; leave it out."),
        (["--like", "{near}"], "settings name num_frame, which is unknown here, did you mean 'num_frames'?"),
        (["--like", "{json}"], "car.json: it is no JSON (Expecting value"),
        (["--like", "{list}"], "list.json: it is no JSON object; give one, as"),
        (["--like", "nowhere.json"], "nowhere.json is not a file"),
        (["--like", "{grid}"], "grid.png shows 2 pictures, each with settings of its own; give a video, or"),
    ],
)
def test_what_cannot_be_taken_is_one_sentence(tmp_path, square_clip, capsys, arguments, told):
    files = {
        "clip": square_clip,
        "car": kept(tmp_path / "car.mp4", CAR),
        "newer": kept(tmp_path / "newer.mp4", CAR, version="9.1.0", sparkle=3),
        "unknown": kept(tmp_path / "unknown.mp4", CAR, sparkle=3),
        "other": str(write_video(tmp_path / "other.mp4", grey_steps(1), 4, {"title": "holiday"})),
        "near": written(tmp_path / "near.json", {**settings_dict(CAR), "num_frame": 3}),
        "json": written(tmp_path / "car.json", "red"),
        "list": written(tmp_path / "list.json", [1]),
        "grid": str(grid(tmp_path / "grid.png")),
        "plain": str(write_video(tmp_path / "plain.mp4", grey_steps(1), 4)),
    }
    assert main([one.format(**files) for one in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and told in err and err.count("\n") == 1


def test_settings_of_a_newer_version_that_are_known_are_taken(tmp_path):
    assert settings_of(kept(tmp_path / "car.zip", CAR, version="9.1.0")) == CAR
    assert settings_of(json.loads(json.dumps({**settings_dict(CAR), "version": "9.1"}))) == CAR
    with pytest.raises(InputError, match="^settings are of version 9.1 and this is .*; update the program"):
        settings_of({"task": "text-to-opera", "version": "9.1"})


@pytest.mark.slow
def test_a_switch_leaves_the_settings_out(tmp_path, model_folder, capsys):
    quick = [
        "--steps",
        "1",
        "--num-frames",
        "1",
        "--width",
        "64",
        "--height",
        "64",
        "--model",
        str(model_folder),
    ]
    for ending in FORMATS:
        path = tmp_path / f"plain{ending}"
        assert main([TASK, "a secret car", "-o", str(path), "--no-settings", *quick]) == 0
        assert read_settings(path) is None and b"secret" not in path.read_bytes()

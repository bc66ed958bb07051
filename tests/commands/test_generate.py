import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT
from safetensors.torch import save_file

from t2v.commands.generate import main
from t2v.tasks import settings_of
from t2v.version import __version__
from t2v.video.video import read_video
from t2v.video.write import read_settings
from t2v.weights.source import MINIATURE

TASK = "text-to-video"


def start(*arguments, cwd):
    """The program as people start it."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "generate.py"), *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # a test run started in the background inherits "ignore Ctrl-C"; a person's terminal does not
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.fixture
def small(model_folder):
    """Options for a run of a second on the small random model, on which a second thread only waits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    size = ["--num-frames", "5", "--steps", "4", "--width", "128", "--height", "64"]
    yield ["--model", str(model_folder), *size]
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_a_doubled_video_tells_its_size_and_remembers_that_it_was_doubled(tmp_path, small, capsys):
    path = tmp_path / "crisp.mp4"
    assert main([TASK, "a red car", "-o", str(path), "--upscale", "2", "--seed", "1", "--json", *small]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["width"], report["height"]) == (256, 128)
    assert read_video(path).frames.shape == (5, 128, 256, 3)
    again = settings_of(read_settings(path))
    assert (again.upscale, again.width, again.height) == (2, 128, 64)


@pytest.mark.slow
def test_json_result_and_file(tmp_path, small):
    options = ["-o", "car.mp4", "--seed", 0, "--fps", 12.5, "--json", *small]
    process = start(TASK, "a red car", *options, cwd=tmp_path)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert out.count("\n") == 1
    report = json.loads(out)
    seconds, parts = report.pop("seconds"), report.pop("parts")
    size = {"frames": 5, "width": 128, "height": 64, "fps": 12.5}
    assert report == {"output": "car.mp4", "seed": 0, **size, "model": small[1], "dtype": "float32"}
    assert set(parts) == {"start", "load", "denoise", "decode", "write"}
    assert sum(parts.values()) == pytest.approx(seconds, abs=0.05) and min(parts.values()) > 0
    # stderr holds our bar and nothing of the libraries
    lines = [line for line in err.split("\n") if line.strip()]
    assert all(line.count("|") == 2 for line in lines), err
    assert "step 4/4 100%" in lines[-1]
    video = read_video(tmp_path / "car.mp4")
    assert video.frames.shape == (5, 64, 128, 3) and video.fps == 12.5
    settings = read_settings(tmp_path / "car.mp4")
    told = {"task": TASK, "version": __version__, "prompt": "a red car", "seed": 0, "num_inference_steps": 4}
    assert {name: settings[name] for name in told} == told
    assert isinstance(settings["t0"], int) and settings["guidance_scale"] is not None
    assert [path.name for path in tmp_path.iterdir()] == ["car.mp4"]


@pytest.mark.slow
def test_same_seed_same_picture_at_every_chunk_size(tmp_path, small, capsys):
    frames = []
    for number, chunk in enumerate((8, 8, 2, 3)):
        path = tmp_path / f"{number}.mp4"
        options = ["-o", str(path), "--seed", "7", "--chunk-size", str(chunk), *small]
        assert main([TASK, "a red car", *options]) == 0
        sentence = f"Wrote {path}: 5 frames of 128x64 at 4 per second, seed 7, in "
        assert capsys.readouterr().out.startswith(sentence)
        frames.append(read_video(path).frames)
    assert frames[0].std() > 1
    for other in frames[1:]:
        assert np.array_equal(other, frames[0])


def test_without_output_each_run_makes_a_new_file(tmp_path, small, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reports = []
    for _ in range(2):
        assert main([TASK, "a red car", *small, "--json"]) == 0
        reports.append(json.loads(capsys.readouterr().out))
    paths = [Path(report["output"]) for report in reports]
    assert paths[0] != paths[1] and all(path.parent == Path("outputs") and path.is_file() for path in paths)
    assert reports[0]["seed"] != reports[1]["seed"]
    assert [read_settings(path)["seed"] for path in paths] == [report["seed"] for report in reports]


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_leaves_no_file(tmp_path, small):
    options = [*small, "--steps", 200, "--num-frames", 60]
    process = start(TASK, "a red car", "-o", "car.mp4", *options, cwd=tmp_path)
    shown = ""
    deadline = time.monotonic() + 120
    while "step 2" not in shown and time.monotonic() < deadline:
        shown += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, shown + err
    assert out == "" and err.endswith("\nStopped; no video was written.\n") and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_what_was_there_before(family, square_clip, tmp_path, capsys, monkeypatch):
    """Ctrl-C comes with the first frame, when the model has seen the clip."""
    kept = tmp_path / "saw.mp4"
    kept.write_bytes(b"an older one")

    def interrupted(path, settings, frames, with_settings):
        next(frames)
        raise KeyboardInterrupt

    monkeypatch.setattr("t2v.commands.generate.write_result", interrupted)
    quick = ["--steps", "1", "--width", "80", "--height", "64", "--num-frames", "1", "--model", family]
    files = ["-o", str(tmp_path / "car.mp4"), "--save-control", str(kept)]
    assert main(["canny", square_clip, "a car", *quick, *files]) == 130
    assert capsys.readouterr().err.endswith("Stopped; no video was written.\n")
    assert list(tmp_path.iterdir()) == [kept] and kept.read_bytes() == b"an older one"


def test_a_write_that_fails_is_one_sentence_and_status_1(tmp_path, small, capsys, monkeypatch):
    monkeypatch.setattr("t2v.video.encode.imageio_ffmpeg.get_ffmpeg_exe", lambda: str(tmp_path / "no-ffmpeg"))
    assert main([TASK, "a red car", "-o", str(tmp_path / "car.mp4"), *small]) == 1
    last = capsys.readouterr().err.rstrip("\n").split("\n")[-1]
    assert last.startswith("The video could not be made") and "no-ffmpeg" in last
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_miniature(tmp_path):
    if not (MINIATURE / "model_index.json").is_file():
        pytest.skip("the miniature's weights are not in this copy")
    prompt = "a red car on a street"
    process = start(TASK, prompt, "--seed", 7, "--steps", 4, "-o", "car.mp4", "--json", cwd=tmp_path)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    report = json.loads(out)
    assert (report["frames"], report["width"], report["height"]) == (8, 256, 256)
    assert report["model"] == "miniature"
    assert read_video(tmp_path / "car.mp4").frames.shape == (8, 256, 256, 3)
    assert "Note:" not in err


@pytest.mark.slow
def test_a_clip_is_followed_and_what_the_model_saw_is_kept(family, square_clip, tmp_path, capsys):
    video, control = tmp_path / "car.mp4", tmp_path / "saw.mp4"
    quick = ["--steps", "2", "--width", "80", "--height", "64", "--seed", "1", "--base-model", family]
    files = ["-o", str(video), "--save-control", str(control), "--json"]
    assert main(["canny", square_clip, "a car", "--num-frames", "4", *quick, *files]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["frames"], report["width"], report["height"], report["fps"]) == (4, 80, 64, 6.0)
    assert report["control"] == [str(control)] and report["parts"]["look"] > 0
    saw = read_video(control)
    assert saw.frames.shape == (4, 64, 80, 3) and saw.fps == 6
    assert 0.01 < (saw.frames > 200).mean() < 0.2 and np.median(saw.frames) < 10  # edges on black
    told = read_settings(video)
    assert (told["task"], told["clip"], told["model"]) == ("canny", "square.mp4", "text-to-image")
    edited = ["pix2pix", square_clip, "make it red", "--num-frames", "1"]
    assert main([*edited, *quick, *files[:-1]]) == 0
    assert capsys.readouterr().out.startswith(f"Wrote {video}: 1 frame of 80x64 at 6 per second, seed 1, in ")
    assert read_settings(video)["task"] == "pix2pix"
    assert 25 < np.median(read_video(control).frames) < 35  # the clip itself


def test_a_detector_that_is_not_there_is_one_sentence(family, square_clip, tmp_path, capsys):
    options = ["--steps", "1", "--model", family, "-o", str(tmp_path / "out.mp4")]
    assert main(["pose", square_clip, "a bear", *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "ready skeleton clips (--control-ready) and the examples work" in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_lora_for_another_network_is_refused_with_our_sentence_alone(tmp_path):
    layer = "unet.down_blocks.0.resnets.0.conv1"
    wide = {
        f"{layer}.lora_A.weight": torch.ones(2, 7, 3, 3),
        f"{layer}.lora_B.weight": torch.ones(9, 2, 1, 1),
    }
    save_file(wide, tmp_path / "wide.safetensors")
    process = start("text-to-video", "a car", "--model", "miniature+wide.safetensors", cwd=tmp_path)
    out, err = process.communicate(timeout=300)
    sentence = "lora wide.safetensors does not fit here, as it was made for another network; leave it out.\n"
    assert (process.returncode, out, err) == (2, "", sentence)


ALLOCATOR = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            RuntimeError(ALLOCATOR),
            "This run needs more memory than there is, also a frame at a time and in the profile low; lower",
        ),
        (ZeroDivisionError("secret"), "The program itself failed in this run (ZeroDivisionError), not your"),
        (AssertionError(), "The program itself failed in this run (AssertionError), not your input; the det"),
        (OSError("the disk is full"), "The video could not be made: the disk is full."),
        (OSError("it said so."), "The video could not be made: it said so.\n"),
    ],
)
def test_whatever_fails_is_one_sentence_on_the_terminal(
    error, sentence, tmp_path, small, capsys, monkeypatch
):
    def fail(*told):
        raise error

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("t2v.diffusion.moving.denoise", fail)
    assert main([TASK, "a red car", "-o", str(tmp_path / "car.mp4"), *small]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(sentence) and err.count("\n") == 1 and "secret" not in err
    logs = list(tmp_path.iterdir())
    assert all(path.suffix == ".log" and str(path) in err for path in logs)
    assert len(logs) == ("itself failed" in sentence)


@pytest.mark.parametrize("named", ["car.mp4", None])
def test_a_disk_with_too_little_room_is_told_before_anything_is_drawn(
    named, tmp_path, small, capsys, monkeypatch
):
    def fail(*told):
        raise AssertionError("drawn")

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("t2v.diffusion.moving.denoise", fail)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 2**40, 0))
    monkeypatch.chdir(tmp_path)
    assert main([TASK, "a red car", *([] if named is None else ["-o", named]), *small]) == 2
    folder = tmp_path if named else tmp_path / "outputs"
    sizes = "32 MB are needed, 0 MB are free"
    told = f"The disk of the folder '{folder}' is too full for this video ({sizes}).\n"
    assert capsys.readouterr() == ("", told)
    assert list(folder.iterdir()) == []


def test_too_little_memory_for_the_weights_is_not_called_a_broken_model(tmp_path, small, capsys, monkeypatch):
    def fail(*told, **more):
        raise RuntimeError(ALLOCATOR)

    monkeypatch.setattr("t2v.weights.network.settle", fail)
    assert main([TASK, "a red car", "-o", str(tmp_path / "car.mp4"), *small]) == 1
    assert capsys.readouterr().err.startswith("This run needs more memory than there is")


@pytest.mark.slow
def test_nobody_to_read_the_result_is_one_sentence_too(tmp_path, small):
    process = start(TASK, "a red car", "-o", "car.mp4", *small, cwd=tmp_path)
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(60) == 1 and "Traceback" not in err and "Exception ignored" not in err
    assert err.rstrip().endswith("could not be told on stdout: [Errno 32] Broken pipe.")
    assert (tmp_path / "car.mp4").is_file()

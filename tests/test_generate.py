import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import generate
from generate import main
from tasks import TASKS
from utils import read_settings, read_video
from version import __version__
from weights import MINIATURE

ROOT = Path(__file__).resolve().parents[1]
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


BAD = [
    (["text-to-video"], "prompt"),
    ([], "TASK"),
    (["text-to-song", "a car"], "text-to-song"),
    (["text-to-video", ""], "prompt is empty"),
    (["text-to-video", "   "], "prompt is empty"),
    (["text-to-video", "x" * 1_000_000], "1000000 characters"),
    (["text-to-video", "a car", "second"], "second"),
    (["text-to-video", "a car", "--colour", "red"], "--colour"),
    (["text-to-video", "a car", "--see", "7"], "--see"),
    (["text-to-video", "a car", "--seed", "seven"], "'seven' is not a number"),
    (["text-to-video", "a car", "--seed", "-1"], "--seed is -1"),
    (["text-to-video", "a car", "--seed", "1.5"], "--seed is 1.5"),
    (["text-to-video", "a car", "--seed", "4294967296"], "--seed is 4294967296"),
    (["text-to-video", "a car", "--num-frames", "0"], "--num-frames is 0"),
    (["text-to-video", "a car", "--num-frames", "9" * 400], "--num-frames is inf"),
    (["text-to-video", "a car", "--width", "100"], "--width is 100; give a multiple of 8"),
    (["text-to-video", "a car", "--height", "1e9"], "--height is"),
    (["text-to-video", "a car", "--fps", "nan"], "--fps is nan"),
    (["text-to-video", "a car", "--fps", "0"], "--fps is 0"),
    (["text-to-video", "a car", "--steps", "0"], "--steps is 0"),
    (["text-to-video", "a car", "--guidance", "inf"], "--guidance is inf"),
    (["text-to-video", "a car", "--motion-x", "1e308"], "--motion-x is 1e+308"),
    (["text-to-video", "a car", "--motion-y"], "--motion-y"),
    (["text-to-video", "a car", "--t0", "900", "--t1", "800"], "--t0"),
    (["text-to-video", "a car", "--chunk-size", "-2"], "--chunk-size is -2"),
    (["text-to-video", "a car", "--scheduler", "magic"], "choose one of ddim"),
    (["text-to-video", "a car", "--warp", "nine"], "--warp is 'nine'"),
    (["text-to-video", "a car", "--negative-prompt", "x" * 3000], "--negative-prompt has 3000"),
    (["text-to-video", "a car", "--model", ""], "--model is empty"),
    (["text-to-video", "a car", "-o", "car.avi"], "ends in .mp4"),
    (["text-to-video", "a car", "-o", "nowhere/car.mp4"], "no folder 'nowhere'"),
    (["text-to-video", "a car", "--model", "./nowhere"], "./nowhere"),
    (["text-to-video", "a car", "--device", "toaster"], "toaster"),
    (["text-to-video", "a car", "--dtype", "float7"], "float7"),
]


@pytest.mark.parametrize(("arguments", "part"), BAD, ids=[" ".join(case[0])[-30:] for case in BAD])
def test_bad_input_is_one_sentence_and_status_2(arguments, part, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert part in err and err.count("\n") == 1 and err.endswith(".\n") and len(err) < 400
    assert list(tmp_path.iterdir()) == []


def test_every_setting_has_an_option_with_the_settings_default():
    for name, settings_class in TASKS.items():
        arguments = generate.build_parser().parse_args([name, "a car"])
        assert generate.checked(arguments) == (settings_class(prompt="a car"), None)


def test_options_reach_the_settings():
    numbers = {
        "seed": 0, "num_frames": 3, "width": 512, "height": 256, "fps": 12.5, "num_inference_steps": 30,
        "guidance_scale": 1, "motion_x": -6, "motion_y": 0, "t0": 700, "t1": 750, "chunk_size": 0,
    }  # fmt: skip
    texts = {"scheduler": "euler", "warp": "reference", "negative_prompt": "dark", "model": "some/model"}
    values = {**numbers, **texts}
    options = [part for name in values for part in (generate.OPTIONS[name][0], values[name])]
    switches = ["--no-motion", "--no-cross-frame-attention"]
    arguments = [TASK, "car", *map(str, options), *switches, "-o", "car.mp4"]
    settings, output = generate.checked(generate.build_parser().parse_args(arguments))
    assert output == Path("car.mp4")
    off = {"motion_field": False, "cross_frame_attention": False}
    assert settings == TASKS[TASK](prompt="car", **numbers, **texts, **off)


def test_help_shows_options_limits_and_defaults(capsys):
    with pytest.raises(SystemExit) as ended:
        main([TASK, "--help"])
    assert ended.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    for part in ("--num-frames N", "1 to 1000 (default: 8)", "what suits the model", "dpm++", "-o FILE.mp4"):
        assert part in shown


def test_help_and_refusals_load_nothing_heavy():
    """They have to come at once: torch and diffusers take seconds to import."""
    program = (
        "import sys, generate\n"
        "assert generate.main(['text-to-video', 'a car', '--steps', '0']) == 2\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'gradio'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout.strip() == "[]", ended.stderr


def test_json_result_and_file(tmp_path, small):
    options = ["-o", "car.mp4", "--seed", 0, "--fps", 12.5, "--json", *small]
    process = start(TASK, "a red car", *options, cwd=tmp_path)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert out.count("\n") == 1
    report = json.loads(out)
    seconds, parts = report.pop("seconds"), report.pop("parts")
    size = {"frames": 5, "width": 128, "height": 64, "fps": 12.5}
    assert report == {"output": "car.mp4", "seed": 0, **size, "model": small[1]}
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
    assert out == "" and err.endswith("\nStopped; nothing was written.\n") and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_is_one_sentence_and_status_1(tmp_path, small, capsys, monkeypatch):
    monkeypatch.setattr("video_out.imageio_ffmpeg.get_ffmpeg_exe", lambda: str(tmp_path / "no-ffmpeg"))
    assert main([TASK, "a red car", "-o", str(tmp_path / "car.mp4"), *small]) == 1
    last = capsys.readouterr().err.rstrip("\n").split("\n")[-1]
    assert last.startswith("The video could not be made") and "no-ffmpeg" in last
    assert list(tmp_path.iterdir()) == []


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

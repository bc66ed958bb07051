"""The arguments of both programs: what they become, what is refused, and that neither takes long."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, free_port

from t2v.checks import InputError
from t2v.commands.generate import main
from t2v.commands.options import OPTIONS, in_options
from t2v.commands.order import read_order
from t2v.page import serve as app
from t2v.tasks import TASKS
from t2v.tasks.canny import CannySettings
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import Also
from t2v.video.write import write_video
from t2v.weights.family import STABLE_DIFFUSION

TASK = "text-to-video"


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> str:
    frames = np.full((6, 48, 64, 3), 90, np.uint8)
    return str(write_video(tmp_path_factory.mktemp("clips") / "grey.mp4", frames, 6))


BAD = [
    (["text-to-video"], "PROMPT"),
    ([], "TASK"),
    (["text-to-song", "a car"], "text-to-song"),
    (["text-to-video", ""], "prompt is empty"),
    (["text-to-video", "   "], "prompt is empty"),
    (["text-to-video", "x" * 1_000_000], "1000000 characters"),
    (["text-to-video", "a car", "second"], "second"),
    (["text-to-video", "a car", "--colour", "red"], "--colour"),
    (["text-to-video", "a car", "--see", "7"], "--see"),
    (["text-to-video", "a car", "--seed", "seven"], "'seven' is not a number"),
    (["text-to-video", "a car", "--guidance", "1,5"], "write it with a point, as 1.5"),
    (["text-to-video", "a car", "--seed", "-2"], "--seed is -2"),
    (["text-to-video", "a car", "--seed", "1.5"], "--seed is 1.5"),
    (["text-to-video", "a car", "--seed", "4294967296"], "--seed is 4294967296"),
    (["text-to-video", "a car", "--num-frames", "0"], "--num-frames is 0"),
    (["text-to-video", "a car", "--num-frames", "9" * 400], "--num-frames is inf"),
    (["text-to-video", "a car", "--width", "100"], "--width is 100; give a multiple of 8"),
    (["text-to-video", "a car", "--height", "1e9"], "--height is"),
    (["text-to-video", "a car", "--upscale", "4"], "--upscale is 4; give a whole number from 1 to 2"),
    (["text-to-video", "a car", "--upscale", "1.5"], "--upscale is 1.5"),
    (["text-to-video", "a car", "--fps", "nan"], "--fps is nan"),
    (["text-to-video", "a car", "--fps", "0"], "--fps is 0"),
    (["text-to-video", "a car", "--steps", "0"], "--steps is 0"),
    (["text-to-video", "a car", "--guidance", "inf"], "--guidance is inf"),
    (["text-to-video", "a car", "--motion", "jump"], "--motion has 'jump'; write keys as in"),
    (["text-to-video", "a car", "--motion", "7: 9,9", "--zoom", "1.1"], "--zoom is 1.1, and motion says"),
    (["text-to-video", "a car", "--motion", "cat: 7: 9,9"], "--motion moves 'cat'"),
    (["text-to-video", "a car", "--painted", "2x2:1,1"], "--painted is given, and the camera alone"),
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
    (["text-to-video", "a car", "-o", ""], "--output is ''; give a file name"),
    (["text-to-video", "a car", "-o", "x" * 255 + ".mp4"], "can be written there (File name too long)"),
    (["text-to-video", "a car", "-o", "/proc/car.mp4"], "--output is '/proc/car.mp4', but "),
    (["text-to-video", "a car", "--model", "miniature+nowhere"], "lora nowhere is not there; give a ."),
    (["text-to-video", "a car", "--model", "./nowhere"], "./nowhere"),
    (["text-to-video", "a car", "--model", "no/such/model"], "no/such/model is not there; give miniature, a"),
    (["text-to-video", "a car", "--model", "~nobody-here/model"], "--model ~nobody-here/model is not there"),
    (["text-to-video", "a car", "--device", "toaster"], "--device is 'toaster'; choose cpu, cuda, cuda:N or"),
    (["text-to-video", "a car", "--device", "cpu:1"], "--device is 'cpu:1', which this machine has not"),
    (["text-to-video", "a car", "--dtype", "float7"], "--dtype is 'float7'; choose one of float32, float16"),
]


@pytest.mark.parametrize(("arguments", "part"), BAD, ids=[" ".join(case[0])[-30:] for case in BAD])
def test_bad_input_is_one_sentence_and_status_2(arguments, part, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert part in err and err.count("\n") == 1 and err.endswith(".\n") and len(err) < 400
    assert list(tmp_path.iterdir()) == []


BAD_WITH_CLIP = [
    (["canny"], "CLIP, PROMPT"),
    (["canny", "{clip}"], "PROMPT"),
    (["canny", "nowhere.mp4", "a car"], "clip is 'nowhere.mp4'"),
    (["canny", "{folder}/README.md", "a car"], "README.md is not a video"),
    (["canny", "{folder}", "a car"], "which is a folder; give the path of a video"),
    (["canny", "{clip}", "a car", "--start", "3", "--end", "2"], "--end is 2; give a time after --start (3)"),
    (["canny", "{clip}", "a car", "--start", "9"], "--start is 9, but grey.mp4 has no frame then or later;"),
    (["canny", "{clip}", "a car", "--start", "8", "--end", "9"], "--start is 8, but grey.mp4 has no frame"),
    (["canny", "{clip}", "a car", "--controlnet", "{folder}/tests"], "tests has no config.json; give a Co"),
    (["canny", "{clip}", "a car", "--low-threshold", "300"], "--low-threshold is 300 and --high-threshold"),
    (["canny", "{clip}", "a car", "--controlnet", "dept=x"], "--controlnet is 'dept'; choose one of pose"),
    (["canny", "{clip}", "a car", "--controlnet", "canny=x"], "--controlnet is 'canny'; choose one of"),
    (["canny", "{clip}", "a car", "--controlnet", "depth", "--controlnet", "depth"], "--controlnet is 'dep"),
    (["canny", "{clip}", "a car", "--controlnet", "a/b", "--controlnet", "c/d"], "a/b and c/d"),
    (["canny", "{clip}", "a car", "--controlnet", "./nowhere"], "--controlnet ./nowhere is not there"),
    (
        ["canny", "{clip}", "a car", "--controlnet", "sketch=x.pth"],
        "--controlnet is 'sketch'; choose one of pose, depth, which are found in clips, or give its weights "
        "alone, as --controlnet x.pth, with --control-ready and a clip that already shows sketches.",
    ),
    (
        ["canny", "{clip}", "a car", "--controlnet", "colour=x.pth"],
        "a clip that already shows patches of col",
    ),
    (["canny", "{clip}", "a car", "--controlnet", "x@7"], "the scale in --controlnet x@7 is 7.0; give"),
    (["canny", "{clip}", "a car", "--controlnet", "depth@7"], "--controlnet depth@7 is 7.0; give"),
    (["canny", "{clip}", "a car", "--controlnet", "pose=a/b@-1"], "in --controlnet pose=a/b@-1 is -1.0"),
    (
        ["canny", "{clip}", "a car", "--controlnet", "depth", "--control-ready"],
        "--control-ready is set, so the clip shows only edges, and the video cannot also follow depth; drop",
    ),
    (["depth", "{clip}", "a car", "-o", "a.mp4", "--save-control", "./a.mp4"], "--save-control is a.mp4"),
    (["depth", "{clip}", "a car", "--save-control", "a.avi"], "ends in .mp4"),
    (["depth", "{clip}", "a car", "--save-control", ""], "--save-control is ''; give a file name"),
    (
        ["canny", "{clip}", "a car", "--controlnet", "depth", "-o", "a-depth.mp4", "--save-control", "a.mp4"],
        "--save-control is a-depth.mp4, which is the video's own",
    ),
    (["pix2pix", "{clip}", " "], "prompt is empty; write what should be changed, as in 'make it night'"),
    (["pix2pix", "{clip}", "make it red", "--image-guidance", "0"], "--image-guidance is 0"),
    (["pix2pix", "{clip}", "make it red", "--controlnet", "depth"], "--controlnet"),
    ([TASK, "a car", "--save-control", "a.mp4"], "--save-control"),
]


@pytest.mark.parametrize(("arguments", "part"), BAD_WITH_CLIP, ids=[case[1][:30] for case in BAD_WITH_CLIP])
def test_bad_input_beside_a_clip(arguments, part, clip, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([text.format(clip=clip, folder=ROOT) for text in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and part in err and err.count("\n") == 1 and len(err) < 400
    assert list(tmp_path.iterdir()) == []


def test_every_setting_has_an_option_with_the_settings_default(clip):
    for name, kind in TASKS.items():
        given = [clip, "a car"] if issubclass(kind, ClipSettings) else ["a car"]
        order = read_order([name, *given, "--model", "a/model"])
        assert order.settings == kind(*given, model="a/model")
        assert order.output is None and order.save_control is None
        assert {field.name for field in fields(kind)} - set(OPTIONS) <= {"controlnet", "also"}


def test_options_reach_the_settings():
    numbers = {
        "seed": 0, "num_frames": 3, "width": 512, "height": 256, "fps": 12.5, "num_inference_steps": 30,
        "guidance_scale": 1, "motion_x": -6, "motion_y": 0, "t0": 700, "t1": 750, "chunk_size": 0,
    }  # fmt: skip
    texts = {"scheduler": "euler", "warp": "reference", "negative_prompt": "dark", "model": "some/model"}
    values = {**numbers, **texts}
    options = [part for name in values for part in (OPTIONS[name][0], values[name])]
    switches = ["--no-motion", "--no-cross-frame-attention"]
    order = read_order([TASK, "car", *map(str, options), *switches, "-o", "car.mp4"])
    assert order.output == Path("car.mp4")
    off = {"motion_field": False, "cross_frame_attention": False}
    assert order.settings == TASKS[TASK](prompt="car", **numbers, **texts, **off)


def test_options_of_guided_tasks_reach_the_settings(clip):
    numbers = {
        "start_s": 0.5, "end_s": 2, "fps": 5, "num_frames": 7, "low_threshold": 50, "high_threshold": 90,
        "conditioning_scale": 0.8, "guidance_start": 0.1, "guidance_end": 0.9,
        "steady": 0.5,
    }  # fmt: skip
    options = [part for name in numbers for part in (OPTIONS[name][0], str(numbers[name]))]
    nets = ["--controlnet", "my/own", "--controlnet", "depth", "--controlnet", "pose=my/pose@0.5"]
    order = read_order(["canny", clip, "car", *options, *nets, "--base-model", "my/base"])
    also = (Also("depth"), Also("pose", "my/pose", 0.5))
    expected = CannySettings(clip, "car", model="my/base", controlnet="my/own", also=also, **numbers)
    assert order.settings == expected
    saved = ["--save-control", "saw.mp4", "--model", "my/base"]
    ready = read_order(["pose", clip, "x", "--control-ready", *saved])
    assert ready.settings.control_ready
    seen = [ready.seen_path(name) for name in ("pose", "depth", "clip")]
    assert seen == [Path("saw.mp4"), Path("saw-depth.mp4"), None]
    assert read_order(["pix2pix", clip, "x", *saved]).seen_path("clip") == Path("saw.mp4")


def test_refusals_speak_of_options_but_leave_names_alone():
    told = in_options("end_s is 1; give a time after start_s (2).")
    assert told == "--end is 1; give a time after --start (2)."
    assert in_options("clip is 'start_s.mp4'; it is bad.") == "clip is 'start_s.mp4'; it is bad."
    assert in_options("also is 'x'; choose.") == "--controlnet is 'x'; choose."


def test_help_shows_options_limits_and_defaults(capsys):
    shown = {}
    for task in (TASK, "canny"):
        with pytest.raises(SystemExit) as ended:
            main([task, "--help"])
        assert ended.value.code == 0
        shown[task] = " ".join(capsys.readouterr().out.split())
    for part in ("--num-frames N", "1 to 1000 (default: 8)", "what suits the model", "dpm++", "-o FILE.mp4"):
        assert part in shown[TASK]
    assert "what the video should show, in quotes" in shown[TASK]
    for part in ("CLIP PROMPT", "all of the clip", "--base-model", "(pose, depth)", "--save-control FILE"):
        assert part in shown["canny"]
    assert all(
        f"{model} ({keyword})" in shown["canny"] for model, keyword in STABLE_DIFFUSION.dreambooth.items()
    )


def test_help_and_refusals_load_nothing_heavy(clip):
    """They have to come at once: torch and diffusers take seconds to import."""
    program = (
        "import sys\n"
        "from t2v.commands import generate\n"
        "from t2v.page import serve as app\n"
        f"assert generate.main(['canny', {clip!r}, 'a car', '--start', '9']) == 2\n"
        "assert generate.main(['text-to-video', 'a car', '--device', 'cuda:99']) == 2\n"
        "assert app.main(['--device', 'cuda:99']) == app.main(['--model', 'nosuch']) == 2\n"
        "assert generate.main(['text-to-video', 'a car', '--steps', '0']) == 2\n"
        "assert generate.main(['canny', 'README.md', 'a car']) == 2\n"
        "assert generate.main(['text-to-video', 'a car', '--model', './nowhere']) == 2\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'gradio'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout.strip() == "[]", ended.stderr


def test_the_clip_itself_is_never_written_over(clip, capsys):
    before = Path(clip).read_bytes()
    for option in ("-o", "--save-control"):
        assert main(["canny", clip, "a car", option, clip]) == 2
        assert "which is the clip itself; give another file." in capsys.readouterr().err
    assert Path(clip).read_bytes() == before


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("nosuch", "--model nosuch is not there; give miniature, a file, a folder or a hub id (owner/name)."),
        ("tests", "--model tests has no model_index.json; give a folder in diffusers' format."),
        ("miniature+nosuch", "lora nosuch is not there; give a .safetensors file"),
        ("", "--model is empty; give miniature, a file, a folder or a hub id (owner/name)."),
    ],
)
def test_the_app_refuses_a_model_that_cannot_be_had(model, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    assert app.main(["--model", model, "--output", "videos", "--port", str(free_port())]) == 2
    err = capsys.readouterr().err
    assert err.startswith(told) and err.count("\n") == 1
    assert not Path("videos").exists()
    flags = ["--model", "someone/model", "--output", "videos", "--port", str(free_port())]
    app.check(app.arguments(flags))  # the hub may have it later


def test_the_originals_words_are_a_choice_that_is_seen(clip):
    plain = read_order(["canny", clip, "a car", "--model", "miniature"]).settings
    added = read_order(["canny", clip, "a car", "--model", "miniature", "--original-prompts"]).settings
    assert (plain.prompt, added.prompt) == ("a car", "a car, best quality, extremely detailed")
    assert plain.negative_prompt == "" and added.negative_prompt.startswith("longbody, ")
    with pytest.raises(InputError, match="prompt is empty"):
        read_order(["text-to-video", " ", "--original-prompts"])
    with pytest.raises(InputError, match="--original-prompts"):
        read_order(["pix2pix", clip, "make it night", "--original-prompts"])


def test_minus_one_is_what_may_be_left_out(clip):
    settings = read_order(["canny", clip, "a car", "--seed", "-1", "--end", "-1", "--fps", "-1"]).settings
    assert (settings.seed, settings.end_s, settings.fps) == (None, None, None)


def test_several_things_are_named_one_option_each():
    prompt = "a red car and a blue ball"
    motions = ["--motion", "red car: 0: 0,0 | 7: 60,0", "--motion", "blue ball: line 0,0 -25%,0 | to and fro"]
    settings = read_order([TASK, prompt, *motions]).settings
    assert settings.motion == "red car: 0: 0,0 | 7: 60,0; blue ball: line 0,0 -25%,0 | to and fro"
    pair = ["--move", "subject", "--subject", "blue ball", "--subject", "red car", "--painted", "2x2:1,1"]
    settings = read_order([TASK, prompt, *pair]).settings
    assert settings.subject == "blue ball; red car" and settings.painted == "2x2:1,1"

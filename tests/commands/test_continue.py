"""generate.py --first-frame and --continue: what they are read as and refuse, and the files they make."""

import json

import numpy as np
import pytest

from t2v.checks import InputError
from t2v.commands.generate import main
from t2v.commands.order import read_order
from t2v.library.results import settings_dict
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.picture import read_picture, write_picture
from t2v.video.video import read_video
from t2v.video.write import read_settings, write_video

TASK = "text-to-video"


@pytest.fixture
def clip(tmp_path) -> str:
    frames = np.random.default_rng(0).integers(0, 256, (3, 8, 16, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    return str(write_video(tmp_path / "clip.mp4", frames, 6))


@pytest.fixture
def picture(tmp_path) -> str:
    return str(write_picture(tmp_path / "sky.png", np.full((64, 128, 3), (90, 140, 230), np.uint8)))


def test_a_picture_is_read_with_its_strength(picture):
    settings = read_order([TASK, "a car", "--first-frame", picture, "--strength", "0.5"]).settings
    assert (settings.first_frame, settings.strength, settings.skip_first_frame) == (picture, 0.5, False)


def test_what_continues_a_clip_begins_behind_its_last_frame(clip):
    order = read_order([TASK, "a car", "--continue", clip, "--join"])
    settings = order.settings
    assert (settings.prompt, settings.fps, settings.skip_first_frame) == ("a car", 6, True)
    assert read_picture(settings.first_frame).shape == (64, 128, 3)
    assert order.continues.is_joined


def test_like_finds_the_picture_beside_the_video_or_asks_for_it(tmp_path, picture):
    made = settings_dict(TextToVideoSettings("a car", first_frame=picture, strength=0.5, num_frames=3))
    frames = np.zeros((3, 64, 64, 3), np.uint8)
    video = write_video(tmp_path / "made.mp4", frames, 4, made)
    settings = read_order(["--like", str(video)]).settings
    assert (settings.first_frame, settings.strength) == (picture, 0.5)
    (tmp_path / "elsewhere").mkdir()
    moved = str(video.rename(tmp_path / "elsewhere" / "made.mp4"))
    with pytest.raises(InputError, match=r"--first-frame is 'sky.png', and there is no such file; give the"):
        read_order(["--like", moved])
    assert read_order(["--like", moved, "--first-frame", picture]).settings.first_frame == picture


BAD = [
    (["--first-frame", "nowhere.png"], "--first-frame is 'nowhere.png', and there is no such file"),
    (["--first-frame", "CLIP"], "clip.mp4 is not a picture that can be read; give one in png, jpg"),
    (["--strength", "0.5"], "--strength is 0.5, and --first-frame is not given; add it"),
    (["--strength", "2", "--first-frame", "PICTURE"], "--strength is 2; give a number from 0 to 1"),
    (["--first-frame", "PICTURE", "--action", "wave"], "--action is wave, and --first-frame is given"),
    (["--continue", "nowhere.mp4"], "nowhere.mp4 is not a file; give the path of a video"),
    (["--continue", "PICTURE"], "sky.png is not a video that can be read"),
    (["--join"], "--join is given, and --continue is not; add it"),
    (["--continue", "CLIP", "--first-frame", "PICTURE"], "--first-frame and --continue are both given"),
    (["--continue", "CLIP", "-o", "CLIP"], "which is continued; give another file"),
    (["--continue", "CLIP", "--num-frames", "0"], "--num-frames is 0; give a whole number"),
]


@pytest.mark.parametrize(("given", "told"), BAD)
def test_bad_options_are_refused_in_one_sentence(given, told, clip, picture):
    named = [{"CLIP": clip, "PICTURE": picture}.get(one, one) for one in given]
    with pytest.raises(InputError, match=told):
        read_order([TASK, "a car", *named])


def test_without_a_task_it_is_the_one_that_can_go_on(clip):
    order = read_order(["--continue", clip, "a car", "--num-frames", "3"])
    assert (order.settings.task, order.settings.prompt, order.settings.num_frames) == (TASK, "a car", 3)


def test_pictures_that_are_tried_are_not_joined(clip):
    sheet = read_order(["variations", "a car", "--continue", clip])
    assert sheet.settings.first_frame is not None
    with pytest.raises(InputError, match="^--join is given, and variations draws pictures of a video's"):
        read_order(["variations", "a car", "--continue", clip, "--join"])


def test_only_text_to_video_goes_on(clip):
    with pytest.raises(InputError, match="--continue is given, and the task is canny; choose text-to-video"):
        read_order(["canny", clip, "a car", "--continue", clip])


@pytest.mark.slow
def test_a_video_is_continued_and_joined(tmp_path, model_folder, picture, capsys):
    size = ["--num-frames", "3", "--steps", "3", "--width", "128", "--height", "64"]
    first, both = str(tmp_path / "first.mp4"), str(tmp_path / "both.mp4")
    call = [TASK, "a red car", "--model", str(model_folder), "--first-frame", picture, *size]
    assert main([*call, "-o", first, "--seed", "1"]) == 0
    begun = read_video(first).frames
    assert np.abs(begun[0].astype(int) - read_picture(picture)).max() <= 3
    assert read_settings(first)["first_frame"] == "sky.png"
    capsys.readouterr()
    more = ["--model", str(model_folder), "--num-frames", "2", "-o", both, "--json"]
    assert main([TASK, "--continue", first, "--join", *more]) == 0
    report = json.loads(capsys.readouterr().out)
    frames = read_video(both).frames
    assert report["frames"] == len(frames) == 5
    assert np.abs(frames[:3].astype(int) - begun).mean() < 4
    assert np.abs(frames[3].astype(int) - frames[2]).max() > 8  # its successor, and not the frame again
    settings = read_settings(both)
    assert (settings["prompt"], settings["num_inference_steps"]) == ("a red car", 3)
    assert settings["skip_first_frame"] and settings["first_frame"].startswith("first-last-")

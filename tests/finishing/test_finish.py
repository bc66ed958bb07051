"""Finished later: frames in between, larger frames, whole or not there, and told in the file."""

import json
import os

import cv2
import numpy as np
import pytest
from clips import ffmpeg, grey_steps, numbers
from PIL import Image

from t2v.checks import InputError
from t2v.commands.generate import main
from t2v.diffusion.progress import Cancelled
from t2v.finishing.finish import Finish, finish_video
from t2v.tasks import settings_of
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.clips import has_audio
from t2v.video.video import read_video
from t2v.video.write import read_settings, write_video

MINI = {"task": "text-to-video", "prompt": "a red car", "model": "miniature", "seed": 7}


def sliding(count=8, px=6, side=96):
    """A bright, rough square that goes to the right by ``px`` a frame, on rough ground that stays."""
    rough = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 120, (side, side)), (0, 0), 2)
    ground = np.stack([(60 + rough).clip(0, 120)] * 3, -1).astype(np.uint8)
    square = np.stack([(215 + rough[:32, :32]).clip(190, 255)] * 3, -1).astype(np.uint8)
    frames = np.repeat(ground[None], count, 0)
    for number, frame in enumerate(frames):
        frame[32:64, 4 + px * number : 36 + px * number] = square
    return frames


def place(frame):
    """Where the square's middle is, in pixels from the left."""
    return np.nonzero((frame[36:60, :, 0] > 160).mean(0) > 0.5)[0].mean()


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("made") / "car.mp4", sliding(), 4, MINI)


@pytest.fixture
def copied(video, tmp_path):
    path = tmp_path / "car.mp4"
    path.write_bytes(video.read_bytes())
    return path


def test_frames_in_between_are_where_the_motion_is_then_and_the_old_ones_stay(copied):
    made = finish_video(copied, Finish(fps=12))
    assert made.path == copied.with_name("car-12fps.mp4")
    assert (made.num_frames, made.width, made.height, made.fps, made.way) == (24, 96, 96, 12, None)
    old, new = read_video(copied), read_video(made.path)
    assert new.frames.shape == (24, 96, 96, 3) and new.fps == pytest.approx(12)
    assert np.abs(new.frames[::3].astype(int) - old.frames).mean() < 2
    went = [place(frame) for frame in new.frames[:22]]
    assert np.abs(went - (place(old.frames[0]) + 6 / 3 * np.arange(22))).max() < 1
    assert (np.abs(new.frames[22:].astype(int) - new.frames[21]).mean() < 2).all()  # then it stands still


def test_fewer_frames_are_chosen_and_none_is_made(copied):
    made = finish_video(copied, Finish(fps=2), copied.with_name("slow.webm"))
    assert made.num_frames == 4
    old, new = read_video(copied), read_video(made.path)
    assert np.abs(new.frames.astype(int) - old.frames[::2]).mean() < 3


def test_a_cut_is_no_motion(tmp_path):
    frames = np.concatenate([sliding(4, 0), 255 - sliding(4, 0)])
    new = read_video(finish_video(write_video(tmp_path / "cut.mp4", frames, 4), Finish(fps=8)).path).frames
    first, second = frames[0].astype(int), frames[7].astype(int)
    for frame in new:
        assert min(np.abs(frame - first).mean(), np.abs(frame - second).mean()) < 12


@pytest.mark.parametrize("upscale", [2, 4])
def test_lanczos_is_what_pillow_makes_of_each_frame(copied, upscale):
    made = finish_video(copied, Finish(upscale, way="lanczos"), copied.with_name("large.gif"))
    assert (made.width, made.height, made.way) == (96 * upscale, 96 * upscale, "lanczos")
    first = Image.fromarray(read_video(copied).frames[0]).resize(
        (96 * upscale,) * 2, Image.Resampling.LANCZOS
    )
    with Image.open(made.path) as picture:
        seen = np.asarray(picture.convert("RGB")).astype(int)
        assert picture.n_frames == 8 and np.abs(seen - np.asarray(first)).mean() < 4


@pytest.mark.slow
def test_the_miniatures_videos_grow_by_the_finisher_and_others_by_lanczos(copied, tmp_path):
    from t2v.finishing.upscale import load_finisher

    made = finish_video(copied, Finish(2))
    assert made.path.name == "car-x2.mp4" and made.way == "finisher"
    expected = load_finisher()(read_video(copied).frames[3])
    assert np.abs(read_video(made.path).frames[3].astype(int) - expected).mean() < 3
    other = write_video(tmp_path / "other.mp4", sliding(2), 4, {**MINI, "model": "a/b"})
    assert finish_video(other, Finish(2)).way == "lanczos"
    assert finish_video(write_video(tmp_path / "plain.mp4", sliding(2), 4), Finish(2)).way == "lanczos"
    assert finish_video(other, Finish(4, way="finisher")).width == 384


def test_the_new_file_tells_what_was_done_and_is_still_the_run(copied):
    once = finish_video(copied, Finish(fps=8)).path
    twice = finish_video(once, Finish(2, way="lanczos"), once.with_name("twice.webp")).path
    told = read_settings(twice)
    assert told["finished"] == [
        {"upscale": 1, "way": None, "num_frames": 16, "width": 96, "height": 96, "fps": 8.0},
        {"upscale": 2, "way": "lanczos", "num_frames": 16, "width": 192, "height": 192, "fps": 8.0},
    ]
    assert finish_video(twice, Finish(fps=4)).path.name == "twice-4fps.webp"  # which is read too
    assert settings_of(twice) == settings_of(copied) == TextToVideoSettings("a red car", seed=7)
    assert read_settings(finish_video(copied, Finish(fps=8), with_settings=False).path) is None


def test_nothing_is_overwritten_and_an_end_leaves_nothing(copied):
    names = [finish_video(copied, Finish(fps=8)).path.name for _ in range(2)]
    assert names == ["car-8fps.mp4", "car-8fps-2.mp4"]
    heard = []

    def stop(done, total):
        heard.append((done, total))
        if done == 5:
            raise Cancelled

    before = sorted(os.listdir(copied.parent))
    with pytest.raises(Cancelled):
        finish_video(copied, Finish(2, 8, "lanczos"), on_frame=stop)
    assert heard == [(number, 16) for number in range(1, 6)]
    assert sorted(os.listdir(copied.parent)) == before


@pytest.mark.slow
def test_sound_stays(tmp_path):
    plain, loud = write_video(tmp_path / "plain.mp4", grey_steps(), 4), tmp_path / "loud.mp4"
    ffmpeg("-i", plain, "-f", "lavfi", "-i", "sine=d=2", "-c:v", "copy", "-c:a", "aac", loud)
    assert has_audio(finish_video(loud, Finish(2)).path)
    made = finish_video(loud, Finish(fps=4), tmp_path / "out.webm").path
    assert has_audio(made) and numbers(read_video(made)) == list(range(8))


@pytest.mark.parametrize(
    ("finish", "told"),
    [
        (Finish(3), "^upscale is 3; give 1, 2 or 4.$"),
        (Finish(True), "^upscale is True; give 1, 2 or 4.$"),
        (Finish(fps=0), "^fps is 0; give a number from 0.1 to 240.$"),
        (Finish(2, way="magic"), "^way is 'magic'; choose one of finisher, lanczos.$"),
    ],
)
def test_what_cannot_be_done_is_told(copied, finish, told):
    with pytest.raises(InputError, match=told):
        finish_video(copied, finish)
    assert os.listdir(copied.parent) == ["car.mp4"]


def test_files_that_cannot_be_finished(copied, tmp_path):
    with pytest.raises(InputError, match="which is the video itself; give another file"):
        finish_video(copied, Finish(fps=8), copied)
    with pytest.raises(InputError, match="nowhere.mp4 is not a file"):
        finish_video(tmp_path / "nowhere.mp4", Finish(2))
    wide = write_video(tmp_path / "wide.mp4", np.zeros((1, 16, 2400, 3), np.uint8), 4)
    with pytest.raises(
        InputError, match="upscale is 4, and wide.mp4 is 2400x16; a side can have at most 8192"
    ):
        finish_video(wide, Finish(4))
    with pytest.raises(InputError, match="fps is 60, and a GIF plays at most 50"):
        finish_video(copied, Finish(fps=60), tmp_path / "x.gif")


def test_the_command(copied, capsys):
    assert main(["finish", str(copied), "--fps", "8", "--upscale", "2", "--with", "lanczos", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report.pop("seconds") > 0
    path = str(copied.with_name("car-x2-8fps.mp4"))
    own = {"output": path, "frames": 16, "width": 192, "height": 192, "fps": 8.0, "way": "lanczos"}
    assert report == own and read_video(path).frames.shape == (16, 192, 192, 3)
    assert main(["finish", str(copied), "--format", "webp"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Wrote {copied.with_name('car.webp')}: 8 frames of 96x96 at 4 per second, in ")
    assert read_settings(copied.with_name("car.webp")) == {
        **MINI,
        "finished": [{"upscale": 1, "way": None, "num_frames": 8, "width": 96, "height": 96, "fps": 4.0}],
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing is asked for; give --upscale, --fps, --format or --output"),
        (["--upscale", "3"], "--upscale is 3; give 1, 2 or 4"),
        (["--fps", "900"], "--fps is 900.0; give a number from 0.1 to 240"),
        (["--with", "magic", "--upscale", "2"], "--with is 'magic'; choose one of finisher, lanczos"),
        (["--format", "avi"], "--format is 'avi'; choose one of mp4, webm, gif, webp, zip"),
        (["--format", "gif", "-o", "x.gif"], "--format and --output are both given"),
        (["-o", "x.avi"], "--output is 'x.avi'; give a file name that ends in .mp4"),
        (["--fps", "8", "--device", "toaster"], "--device is 'toaster'"),
    ],
)
def test_the_command_refuses_in_one_sentence(copied, capsys, arguments, told):
    assert main(["finish", str(copied), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and told in err and err.count("\n") == 1
    assert os.listdir(copied.parent) == ["car.mp4"]

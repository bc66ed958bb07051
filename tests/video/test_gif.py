"""GIFs: the frames, their rate, the settings inside them, nothing half left."""

import imageio.v3
import numpy as np
import pytest
from clips import grey_steps, numbers

from t2v.checks import InputError
from t2v.video.video import read_video
from t2v.video.write import add_audio, read_settings, write_video


def test_a_gif_has_all_frames_and_carries_its_settings(tmp_path, square_clip):
    path = write_video(tmp_path / "out.GIF", grey_steps(5), 4, {"prompt": "ein roter Käfer", "seed": 7})
    assert path == tmp_path / "out.GIF"
    frames = imageio.v3.imread(path, index=None)
    assert frames.shape == (5, 64, 96, 3) and frames[:, 8, 8, 0].tolist() == [20, 45, 70, 95, 120]
    assert imageio.v3.immeta(path)["loop"] == 0
    assert read_settings(path) == {"prompt": "ein roter Käfer", "seed": 7}
    assert read_settings(write_video(tmp_path / "plain.gif", grey_steps(2), 4)) is None
    assert add_audio(path, square_clip) is False


@pytest.mark.parametrize("fps", [3, 6, 12.5, 24, 30, 50])
def test_a_gif_is_as_long_as_its_frames_say(tmp_path, fps):
    frames = np.random.default_rng(0).integers(0, 255, (30, 16, 16, 3), np.uint8)
    path = write_video(tmp_path / "out.gif", frames, fps)
    lasts = [imageio.v3.immeta(path, index=k)["duration"] for k in range(30)]
    assert abs(sum(lasts) - 1000 * 30 / fps) <= 5 and max(lasts) - min(lasts) <= 10
    assert imageio.v3.improps(path, index=None).n_images == 30


@pytest.mark.parametrize(
    ("frames", "fps", "told"),
    [(grey_steps(2), 60, "fps is 60, and a GIF plays at most 50"), ([], 4, "frames are empty")],
)
def test_what_is_no_gif_is_refused_and_leaves_nothing(tmp_path, frames, fps, told):
    with pytest.raises(InputError, match=told):
        write_video(tmp_path / "out.gif", frames, fps)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fps", [0.5, 4, 50])
def test_a_gif_of_one_frame(tmp_path, fps):
    path = write_video(tmp_path / "one.gif", grey_steps(1, 16, 16), fps, {"seed": 7})
    assert read_settings(path) == {"seed": 7}
    assert numbers(read_video(path)) == [0]

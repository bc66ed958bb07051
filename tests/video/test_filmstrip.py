"""filmstrip.py: how long a clip is, and what its small pictures show."""

import numpy as np
import pytest
from clips import ffmpeg, grey_steps

from t2v.checks import InputError
from t2v.video import filmstrip as module
from t2v.video.filmstrip import PICTURES, SIDE_PX, filmstrip, length_of
from t2v.video.video import clip_frames
from t2v.video.write import write_video


@pytest.fixture
def steps(tmp_path):
    """Eight greys, a second each."""
    return write_video(tmp_path / "steps.mp4", grey_steps().repeat(4, 0), 4)


def shown(pictures: np.ndarray) -> list[int]:
    return [round((int(one[8, 8, 0]) - 20) / 25) for one in pictures]


def test_each_picture_is_of_its_share_of_the_clip(steps):
    found = filmstrip(clip_frames(steps, start_s=2.0, fps=1.0))  # whatever part of it is taken
    assert found.pictures.shape == (PICTURES, SIDE_PX, SIDE_PX, 3) and found.pictures.dtype == np.uint8
    assert shown(found.pictures) == list(range(8)) and found.length_s == pytest.approx(8.0, abs=0.05)


def test_one_frame_fills_the_strip(tmp_path):
    clip = write_video(tmp_path / "one.mp4", grey_steps(4)[3:], 4)
    found = filmstrip(clip_frames(clip))
    assert shown(found.pictures) == [3] * PICTURES and found.length_s == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("ending", ["gif", "webm", "mkv"])
def test_other_kinds_of_files_have_a_length_too(steps, tmp_path, ending):
    other = tmp_path / f"steps.{ending}"
    ffmpeg("-i", steps, other)
    found = filmstrip(clip_frames(other))
    apart = np.abs(np.array(shown(found.pictures)) - np.arange(8))  # a GIF's frames last a second each
    assert found.length_s == pytest.approx(8.0, abs=0.3) and apart.max() <= (ending == "gif")


def test_a_header_that_tells_too_long_is_not_believed(steps, monkeypatch):
    monkeypatch.setattr(module, "length_s", lambda path: 3600.0)
    assert length_of(clip_frames(steps)) == 3600.0
    found = filmstrip(clip_frames(steps))
    assert found.length_s == pytest.approx(8.0) and shown(found.pictures) == list(range(8))


def test_what_is_no_clip_is_refused(tmp_path):
    (tmp_path / "text.mp4").write_text("no clip")
    with pytest.raises(InputError, match="text.mp4"):
        filmstrip(clip_frames(tmp_path / "text.mp4"))

"""continuing.py: a video's last frame, settings for what follows it, and both as one."""

import numpy as np
import pytest
from runs import resolved

from t2v.checks import InputError
from t2v.library.continuing import continued, joined, joined_count, last_frame, write_last_frame
from t2v.library.results import settings_dict
from t2v.tasks import settings_of
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.picture import read_picture
from t2v.video.write import write_video


def clip(folder, settings=None, fps=4.0, name="clip.mp4"):
    """Five frames, ever brighter, 64x48."""
    frames = np.stack([np.full((48, 64, 3), 40 * k + 20, np.uint8) for k in range(5)])
    return write_video(folder / name, frames, fps, settings)


def carried(folder, settings, **suits):
    return clip(folder, settings_dict(resolved(settings, **suits).filled()))


def test_the_last_frame_becomes_a_picture_of_a_name_of_its_own(tmp_path):
    video = clip(tmp_path)
    assert np.abs(last_frame(video).astype(int) - 180).max() <= 2
    first, second = (write_last_frame(video, tmp_path) for _ in range(2))
    assert first != second and first.suffix == ".png"
    assert np.array_equal(read_picture(first), last_frame(video))


def test_a_video_of_ours_gives_what_was_asked_for_but_seed_action_and_earlier_texts(tmp_path):
    made = TextToVideoSettings("a cat on grass", seed=7, zoom=1.02, num_frames=5, fps=6, action="none")
    after = continued(carried(tmp_path, made), tmp_path / "last.png")
    assert (after.prompt, after.zoom, after.num_frames, after.fps) == ("a cat on grass", 1.02, 5, 6)
    assert (after.seed, after.action, after.strength, after.skip_first_frame) == (None, None, 1.0, True)
    assert after.first_frame == str(tmp_path / "last.png")
    over_time = TextToVideoSettings("0: a day | 4: a night", num_frames=5, method="paper")
    assert continued(carried(tmp_path, over_time), tmp_path / "last.png").prompt == "a night"


def test_of_a_figure_that_acted_the_picture_is_moved_as_usual(tmp_path):
    dancing = TextToVideoSettings("a panda dancing on the beach", num_frames=5, fps=6)
    video = carried(tmp_path, dancing)
    assert settings_of(video).acted() == "dance" and settings_of(video).motion_x == 0
    after = continued(video, tmp_path / "last.png")
    assert (after.motion_x, after.motion_y, after.method, after.subject) == (None,) * 4
    asked = TextToVideoSettings("a panda", action="dance", motion_y=3.0, num_frames=5, fps=6)
    after = continued(carried(tmp_path, asked), tmp_path / "last.png")
    assert (after.motion_x, after.motion_y, after.method, after.action) == (None, 3.0, None, None)


def test_a_subject_goes_on_where_the_last_text_says_it(tmp_path):
    for told, subject in (("a red car at night", "red car"), ("a cat at night", None)):
        prompt, move = f"0: a blue ball and a red car | 4: {told}", "camera"
        made = TextToVideoSettings(prompt, num_frames=5, method="paper", subject="red car", move=move)
        assert continued(carried(tmp_path, made), tmp_path / "last.png").subject == subject


def test_a_video_from_a_clip_gives_its_texts_model_size_and_rate(tmp_path):
    source = str(clip(tmp_path, name="source.mp4", fps=8))
    edges = CannySettings(source, "a red car", width=64, height=48, model="miniature")
    after = continued(carried(tmp_path, edges), tmp_path / "last.png")
    assert (after.prompt, after.width, after.height, after.fps) == ("a red car", 64, 64, 8)
    edit = Pix2PixVideoSettings(source, "make it night", width=64, height=48)
    assert continued(carried(tmp_path, edit), tmp_path / "last.png").prompt == ""


def test_any_other_video_gives_its_rate_alone(tmp_path):
    after = continued(clip(tmp_path, fps=12), tmp_path / "last.png")
    assert (after.prompt, after.fps, after.width, after.seed) == ("", 12, None, None)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(InputError, match="text.mp4 is not a video that can be read"):
        continued(tmp_path / "text.mp4", tmp_path / "last.png")


def test_both_become_one_of_the_runs_size_and_rate(tmp_path):
    run = resolved(TextToVideoSettings("a cat", num_frames=2, fps=4, width=64, height=64))
    new = [np.zeros((64, 64, 3), np.uint8)] * 2
    frames = list(joined(clip(tmp_path), run, new))
    assert len(frames) == joined_count(clip(tmp_path), run) == 7
    assert {frame.shape for frame in frames} == {(64, 64, 3)}
    assert [int(frame.mean().round(-1)) for frame in frames] == [20, 60, 100, 140, 180, 0, 0]
    faster = clip(tmp_path, fps=8)  # of which half the frames are on show
    assert len(list(joined(faster, run, new))) == joined_count(faster, run) == 5

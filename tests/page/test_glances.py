"""Glances of clips without a browser, and which clips a page or a program may name."""

import json
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from t2v.checks import InputError
from t2v.page.glances import MAX_DETECTED, MAX_FRAMES, Glances
from t2v.page.uploads import EXAMPLES, allowed_clip, examples
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.depth import DepthSettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.pose import PoseSettings
from t2v.video.video import read_video
from t2v.video.write import write_video

SMALL = {"prompt": "", "width": 96, "height": 64}


@pytest.fixture
def previews() -> Glances:
    return Glances()


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory) -> str:
    """Sixty frames at 30 a second, 96x64: steps of brightness of many heights, moving."""
    row = np.repeat(np.linspace(0, 255, 8).astype(np.uint8), 12)
    frames = [np.repeat(np.roll(row, k)[None, :, None], 64, axis=0).repeat(3, axis=2) for k in range(60)]
    return str(write_video(tmp_path_factory.mktemp("clips") / "long.mp4", frames, 30))


@pytest.mark.slow
def test_a_preview_has_the_frames_of_the_run_and_says_where_it_stops(previews, long_clip):
    settings = CannySettings(long_clip, **SMALL)
    shown = previews.clip(settings)
    video = read_video(shown.path)
    assert (video.num_frames, video.fps, shown.is_partial) == (MAX_FRAMES, 30, True)
    assert (video.width, video.height) == (shown.width, shown.height) == (96, 64)
    part = previews.clip(replace(settings, start_s=0.5, fps=10.0))
    video = read_video(part.path)
    assert (video.num_frames, video.fps, part.is_partial) == (15, 10, False)
    assert read_video(previews.clip(replace(settings, num_frames=3)).path).num_frames == 3
    depth = previews.clip(DepthSettings(long_clip, **SMALL))  # looked at by a network
    assert (depth.num_frames, depth.is_partial) == (MAX_DETECTED, True)
    counted = [previews.count(one) for one in (settings, replace(settings, fps=10.0, num_frames=55))]
    assert counted == [60, 20]


def test_thresholds_change_the_edges_and_what_is_known_is_not_made_again(previews, long_clip):
    few = CannySettings(long_clip, low_threshold=300, high_threshold=400, **SMALL)
    many = replace(few, low_threshold=20, high_threshold=40)
    shown = [previews.controls(settings)["canny"] for settings in (few, many)]
    lit = [np.mean(read_video(one.path).frames > 128) for one in shown]
    assert lit[1] > 2 * lit[0]
    assert previews.controls(few)["canny"] == shown[0]
    assert previews.clip(few) == previews.clip(many)


def test_the_size_is_the_runs_own_where_none_is_given(previews, square_clip, family):
    shown = previews.clip(Pix2PixVideoSettings(square_clip, "", model="miniature"))
    assert (shown.width, shown.height) == (328, 200)  # as many pixels as 256x256, in the clip's shape
    shown = previews.clip(Pix2PixVideoSettings(square_clip, "", model=family))
    assert (shown.width, shown.height) == (168, 96)  # 128x128


def test_ready_clips_need_no_detector_and_others_get_its_sentence(previews, square_clip):
    ready = DepthSettings(square_clip, control_ready=True, **SMALL)
    shown = previews.controls(ready)["depth"]
    assert np.abs(read_video(shown.path).frames[0].astype(int)).mean() > 10
    with pytest.raises(InputError, match="^the weights that find depth in a clip are not on this machine"):
        previews.controls(replace(ready, control_ready=False))


def test_skeletons_are_recognised_and_several_controls_are_shown(previews, square_clip):
    example = next(iter(examples("pose")))
    skeletons = previews.controls(PoseSettings(example.clip, "", model="miniature"))["pose"]
    assert read_video(skeletons.path).frames.max() > 200
    both = CannySettings(square_clip, also=(Also("depth"),), **SMALL)
    with pytest.raises(InputError, match="find depth in a clip"):
        previews.controls(both)


@pytest.mark.parametrize(
    ("sentence", "change"),
    [
        ("text.mp4 is not a video", {"clip": "text.mp4"}),
        ("end_s is 1; give a time after start_s", {"start_s": 2.0, "end_s": 1.0}),
        ("width is 'wide'; give a multiple of 8", {"width": "wide"}),
        ("start_s is nan", {"start_s": float("nan")}),
        ("model is empty", {"model": " "}),
    ],
)
def test_what_cannot_be_shown_gets_one_sentence(previews, square_clip, tmp_path, sentence, change):
    (tmp_path / "text.mp4").write_text("ffconcat version 1.0\nfile '/etc/hostname'\n")
    if "clip" in change:
        change = {"clip": str(tmp_path / change["clip"])}
    settings = replace(CannySettings(square_clip, **SMALL), **change)
    with pytest.raises(InputError, match=sentence):
        previews.clip(settings)


@pytest.mark.parametrize("name", ["photo.png", "photo.mp4"])
def test_a_picture_is_no_clip_whatever_it_is_called(previews, tmp_path, name):
    picture = cv2.imencode(".png", np.full((48, 64, 3), 90, np.uint8))[1]
    (tmp_path / name).write_bytes(picture.tobytes())
    sentence = f"^{name} is not a video that can be read; give one in mp4, mov, webm, mkv, avi or gif.$"
    with pytest.raises(InputError, match=sentence):
        previews.clip(CannySettings(str(tmp_path / name), **SMALL))


def test_old_previews_are_thrown_away(previews, square_clip, monkeypatch):
    monkeypatch.setattr(previews._files, "size", 2)
    settings = CannySettings(square_clip, **SMALL)
    first = previews.clip(settings)
    for count in (1, 2):
        previews.clip(replace(settings, num_frames=count))
    assert not first.path.exists() and len(list(previews.folder.iterdir())) == 2
    assert previews.clip(settings).path.exists()


@pytest.fixture
def uploads(tmp_path, monkeypatch) -> Path:
    """Gradio's folder of uploaded files."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setattr("t2v.page.uploads._folders", lambda: (folder, EXAMPLES))
    return folder


def test_uploads_and_examples_may_be_named(uploads, square_clip):
    clip = uploads / "clip.mp4"
    clip.write_bytes(Path(square_clip).read_bytes())
    assert allowed_clip(str(clip)) == str(clip)
    assert allowed_clip({"path": str(clip), "meta": {"_type": "gradio.FileData"}}) == str(clip)
    assert all(allowed_clip(example.clip) == example.clip for example in examples("canny"))


def test_nothing_else_may_be_named(uploads, square_clip):
    (uploads / "link.mp4").symlink_to(square_clip)
    outside = [square_clip, str(uploads / ".." / "x.mp4"), str(uploads / "link.mp4"), "/etc/passwd"]
    for path in [
        *outside,
        "x" * 5000,
        {"path": "/etc/passwd"},
        ["a"],
        7,
        "a\0b",
        "~/clip.mp4",
        "http://host/clip.mp4",
    ]:
        with pytest.raises(InputError, match="neither an uploaded file nor an example"):
            allowed_clip(path)
    with pytest.raises(InputError, match="not on the server any more"):
        allowed_clip(str(uploads / "gone.mp4"))
    before = uploads.parent / "t2v-server-abc" / "uploads" / "0f3a" / "clip.mp4"  # of an earlier process
    for _ in range(2):  # and whether it is there is not told
        with pytest.raises(
            InputError, match="^the program was restarted and no longer has this clip; choose"
        ):
            allowed_clip(str(before))
        before.parent.mkdir(parents=True, exist_ok=True)
        before.touch()
    for nothing in (None, "", {}, {"path": None}):
        with pytest.raises(InputError, match="no clip is chosen"):
            allowed_clip(nothing)


def test_examples_are_there_only_with_their_clips(tmp_path, monkeypatch):
    monkeypatch.setattr("t2v.page.uploads.EXAMPLES", tmp_path)
    assert examples("pose") == ()
    entry = {"file": "a.mp4", "title": "A", "prompt": "p", "settings": {"control_ready": True}}
    (tmp_path / "index.json").write_text(json.dumps({"pose": [entry, {**entry, "file": "gone.mp4"}]}))
    os.mknod(tmp_path / "a.mp4")
    assert [(one.title, one.settings) for one in examples("pose")] == [("A", {"control_ready": True})]
    (tmp_path / "index.json").write_text("[")
    assert examples("pose") == ()

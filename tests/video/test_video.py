import itertools
import json
import shlex
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from clips import ffmpeg, grey_steps, numbers

from t2v.checks import InputError
from t2v.video import encode
from t2v.video.video import Video, fit_size, fit_video, read_video
from t2v.video.write import read_settings, write_video

COLOURS = [
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255),
    (255, 255, 255), (0, 0, 0), (128, 128, 128), (200, 30, 30), (30, 90, 200), (240, 150, 40),
    (120, 80, 50), (250, 190, 200), (90, 40, 140), (60, 160, 70),
]  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clips") / "steps.mp4", grey_steps(), 4.0)


def boxes(data):
    """Names of an MP4's top boxes in their order."""
    names, at = [], 0
    while at < len(data):
        names.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at : at + 4], "big")
    return names


def test_colours_survive_the_round_trip(tmp_path):
    frames = np.zeros((4, 256, 256, 3), np.uint8)
    for index, colour in enumerate(COLOURS):
        y, x = 64 * (index // 4), 64 * (index % 4)
        frames[:, y : y + 64, x : x + 64] = colour
    video = read_video(write_video(tmp_path / "colours.mp4", frames, 4))
    assert video.frames.shape == frames.shape and video.fps == 4.0
    difference = np.abs(video.frames.astype(int) - frames)
    inner = difference.reshape(4, 4, 64, 4, 64, 3)[:, :, 8:-8, :, 8:-8]  # away from edges, where 4:2:0 blurs
    assert inner.max() <= 3
    assert difference.mean() < 3


def test_the_file_is_what_browsers_play(tmp_path, clip):
    header = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", clip], capture_output=True, text=True
    ).stderr
    assert "h264 (High)" in header and "yuv420p(tv, bt709, progressive)" in header
    names = boxes(clip.read_bytes())
    assert names.index("moov") < names.index("mdat")
    again = write_video(tmp_path / "again.mp4", iter(grey_steps()), 4.0)
    assert again.read_bytes() == clip.read_bytes()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5), (65, 96), (64, 97)])
def test_odd_sizes_gain_a_repeated_edge(tmp_path, height, width):
    frame = np.full((height, width, 3), 200, np.uint8)
    video = read_video(write_video(tmp_path / "odd.mp4", [frame], 4))
    assert video.frames.shape == (1, height + height % 2, width + width % 2, 3)
    assert np.abs(video.frames.astype(int) - 200).max() <= 3


@pytest.mark.parametrize("fps", [0.5, 4.0, 23.976, 24000 / 1001, 29.97, 30000 / 1001, 60.0])
def test_fps_is_kept_as_a_float(tmp_path, fps):
    video = read_video(write_video(tmp_path / "rate.mp4", grey_steps(4), fps))
    assert video.fps == pytest.approx(fps, abs=1e-6)
    assert numbers(video) == [0, 1, 2, 3]


def test_names_with_odd_characters(tmp_path):
    for name in ("-y.mp4", "concat:a|b.mp4", "a b 'é' %d.mp4", "x" * 250 + ".mp4"):
        path = write_video(tmp_path / name, grey_steps(2), 4, {"seed": 0})
        assert read_video(path).num_frames == 2 and read_settings(path) == {"seed": 0}


@pytest.mark.parametrize(
    "prompt",
    [
        "a red car on a street",
        "semi;colon # hash = equals \\ backslash",
        "line one\nline two\r\n\ttab",
        "quotes \" ' ` and [brackets] {braces}",
        "ünï © 日本 😀",
        "comment=forged\n[CHAPTER]\ncomment=again",
        "",
        "\\" * 2000,
        "😀;=\n" * 500,
    ],
)
def test_settings_round_trip(tmp_path, prompt):
    settings = {"task": "text-to-video", "prompt": prompt, "seed": 0, "fps": 4.0, "t0": None, "flag": False}
    path = write_video(tmp_path / "settings.mp4", grey_steps(1), 4, settings)
    assert read_settings(path) == settings


def test_settings_absent_or_foreign(tmp_path, clip):
    assert read_settings(clip) is None
    for comment in ("holiday", "[1, 2]", '"text"'):
        ffmpeg("-i", clip, "-c", "copy", "-metadata", f"comment={comment}", tmp_path / "foreign.mp4")
        assert read_settings(tmp_path / "foreign.mp4") is None
    ours = json.dumps({"seed": 3})  # and in a container that writes its tags' names in capitals
    ffmpeg("-i", clip, "-c", "copy", "-metadata", f"comment={ours}", tmp_path / "ours.mkv")
    assert read_settings(tmp_path / "ours.mkv") == {"seed": 3}


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_write_leaves_nothing_and_harms_nothing(tmp_path, error):
    path = write_video(tmp_path / "movie.mp4", grey_steps(), 4)
    before = path.read_bytes()

    def frames():
        yield from grey_steps(4)
        raise error("stop here")

    for target in (path, tmp_path / "new.mp4"):
        with pytest.raises(error, match="stop here"):
            write_video(target, frames(), 4)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_encoder_that_fails_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(encode.imageio_ffmpeg, "get_ffmpeg_exe", lambda: "false")
    frames = np.zeros((3, 512, 512, 3), np.uint8)  # more than a pipe holds
    with pytest.raises(OSError, match="could not be written"):
        write_video(tmp_path / "movie.mp4", frames, 4)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (
            "[out#0/mp4 @ 0x55d0c8e4] Error writing trailer: No space left on device\nConversion failed!\n",
            "Error writing trailer: No space left on device",
        ),
        (
            "[vost#0:0/libx264 @ 0x5] [enc:libx264 @ 0x5f] Could not open encoder before EOF.\n",
            "Could not open encoder before EOF",
        ),
        ("", "no reason given"),
    ],
)
def test_what_ffmpeg_says_of_a_failure_is_told_for_people(log, told, tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\nprintf %s {shlex.quote(log)} >&2\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setattr(encode.imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(program))
    with pytest.raises(OSError) as raised:
        write_video(tmp_path / "movie.mp4", np.zeros((3, 512, 512, 3), np.uint8), 4)
    assert str(raised.value) == f"the video could not be written: {told}"


@pytest.mark.parametrize(
    ("name", "frames", "fps", "settings", "reason"),
    [
        ("movie.avi", grey_steps(1), 4, None, "ends in .mp4"),
        ("nowhere/movie.mp4", grey_steps(1), 4, None, "no folder"),
        ("folder.mp4", grey_steps(1), 4, None, "is a folder"),
        ("movie.mp4", [], 4, None, "at least one frame"),
        ("movie.mp4", grey_steps(1), 0, None, "fps is 0"),
        ("movie.mp4", grey_steps(1), float("nan"), None, "fps is nan"),
        ("movie.mp4", grey_steps(1).astype(float), 4, None, "float64"),
        ("movie.mp4", [np.zeros((8, 8), np.uint8)], 4, None, "frame 0"),
        ("movie.mp4", [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)], 4, None, "one size"),
        ("movie.mp4", grey_steps(1), 4, {"seed": float("nan")}, "JSON"),
        ("movie.mp4", grey_steps(1), 4, {"path": Path("x")}, "JSON"),
        ("movie.mp4", grey_steps(1), 4, {"prompt": "x" * 200_000}, "characters"),
    ],
)
def test_bad_writes_are_refused(tmp_path, name, frames, fps, settings, reason):
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError, match=reason):
        write_video(tmp_path / name, frames, fps, settings)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]


def test_frames_are_taken_one_by_one(tmp_path):
    """Writing asks for frame k+1 only after frame k is on its way, so no more than a few are ever held."""
    alive, most = 0, 0

    class Counted(np.ndarray):
        def __del__(self):
            nonlocal alive
            alive -= 1

    def frames():
        nonlocal alive, most
        for frame in itertools.islice(itertools.cycle(grey_steps()), 40):
            alive += 1
            most = max(most, alive)
            yield frame.copy().view(Counted)

    write_video(tmp_path / "long.mp4", frames(), 4)
    assert 1 <= most <= 8


@pytest.mark.parametrize(
    ("frames", "fps"),
    [
        (grey_steps().astype(np.float32), 4),
        (grey_steps()[0], 4),
        (grey_steps()[:0], 4),
        (grey_steps()[..., :1], 4),
        (grey_steps().tolist(), 4),
        (grey_steps(), 0),
        (grey_steps(), float("inf")),
        (grey_steps(), "4"),
    ],
)
def test_video_is_validated(frames, fps):
    with pytest.raises(InputError):
        Video(frames, fps)


def test_fit_size():
    assert fit_size(512, 288) == (512, 288)
    assert fit_size(513, 517) == (512, 520)
    assert fit_size(3, 1000) == (8, 1000)
    assert fit_size(100, 100, multiple_of=64) == (128, 128)
    with pytest.raises(InputError):
        fit_size(0, 8)


@pytest.mark.parametrize("wanted", [{}, {"width": 256}, {"height": 64}, {"width": 128, "height": 128}])
def test_fit_video_keeps_a_circle_round_and_centred(wanted):
    y, x = np.mgrid[:123, :205]
    disc = ((y - 61) ** 2 + (x - 102) ** 2 < 50**2)[..., None] * np.uint8(255)
    video = fit_video(Video(np.stack([np.repeat(disc, 3, axis=2)] * 2), 12.5), **wanted)
    assert video.width % 8 == 0 and video.height % 8 == 0 and video.fps == 12.5 and video.num_frames == 2
    if "width" in wanted:
        assert video.width == wanted["width"]
    if "height" in wanted:
        assert video.height == wanted["height"]
    inside = video.frames[1, :, :, 0] > 127
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    assert abs(len(rows) - len(columns)) <= 1
    assert rows.mean() == pytest.approx((video.height - 1) / 2, abs=1)
    assert columns.mean() == pytest.approx((video.width - 1) / 2, abs=1)


def test_fit_video_leaves_a_fitting_clip_alone():
    video = Video(grey_steps(), 4)
    assert fit_video(video) is video

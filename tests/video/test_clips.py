import numpy as np
import pytest
from clips import ffmpeg, grey_steps, numbers
from conftest import SHARED

from t2v.checks import InputError
from t2v.video import clips
from t2v.video.video import clip_frames, fit_video, read_video
from t2v.video.write import read_settings, write_video

CLIPS = SHARED / "data" / "video"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clips") / "steps.mp4", grey_steps(), 4.0)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"start_s": 0.5, "end_s": 1.25}, [2, 3, 4]),
        ({"end_s": 0.5}, [0, 1]),
        ({"start_s": 1.6}, [7]),
        ({"max_frames": 3}, [0, 1, 2]),
        ({"fps": 2}, [0, 2, 4, 6]),
        ({"fps": 8, "end_s": 1.0}, [0, 0, 1, 1, 2, 2, 3, 3]),
        ({"fps": 2.5}, [0, 1, 3, 4, 6]),
        ({"start_s": 1.0, "fps": 2, "max_frames": 1}, [4]),
    ],
)
def test_time_range_and_rate(clip, wanted, expected):
    video = read_video(clip, **wanted)
    assert numbers(video) == expected
    assert video.fps == wanted.get("fps", 4.0)


@pytest.mark.parametrize("name", ["clip.webm", "clip.mov", "clip.gif", "clip.avi", "clip.mkv"])
def test_other_containers(tmp_path, clip, name):
    palette = "split[a][b];[a]palettegen[p];[b][p]paletteuse"
    options = {"clip.avi": ["-c:v", "mjpeg"], "clip.gif": ["-vf", palette]}
    ffmpeg("-i", clip, *options.get(name, []), tmp_path / name)
    video = read_video(tmp_path / name)
    assert (video.width, video.height, video.fps) == (96, 64, 4.0)
    assert numbers(video) == list(range(8))


def test_rotation_flag_and_pixel_shape_are_honoured(tmp_path):
    frames = np.zeros((2, 64, 96, 3), np.uint8)
    frames[:, :32] = 255  # the upper half is white
    plain = write_video(tmp_path / "plain.mp4", frames, 4)
    ffmpeg("-display_rotation", 90, "-i", plain, "-c", "copy", tmp_path / "turned.mp4")
    turned = read_video(tmp_path / "turned.mp4")  # a quarter to the left: white is on the left now
    assert (turned.width, turned.height) == (64, 96)
    assert turned.frames[:, :, :28].min() > 240 and turned.frames[:, :, 36:].max() < 15
    ffmpeg("-i", plain, "-vf", "setsar=2/1", tmp_path / "wide.mp4")
    assert read_video(tmp_path / "wide.mp4").frames.shape == (2, 64, 192, 3)


def test_varying_rate_keeps_time(tmp_path, clip):
    """Frames 0 1 2 3 5 7 of eight at 4 a second: each stays on show until the next one's time."""
    ffmpeg("-i", clip, "-vf", "select='lt(n,4)+eq(n,5)+eq(n,7)'", "-fps_mode", "vfr", tmp_path / "vfr.mp4")
    video = read_video(tmp_path / "vfr.mp4")
    assert video.num_frames / video.fps == pytest.approx(2.0, abs=0.2)
    assert numbers(read_video(tmp_path / "vfr.mp4", fps=4)) == [0, 1, 2, 3, 3, 5, 5, 7]


def test_a_duration_that_lies_changes_nothing(tmp_path, clip):
    data = bytearray(clip.read_bytes())
    at = data.index(b"mvhd") + 4 + 16  # after version, flags, two dates and the time scale: the duration
    data[at : at + 4] = (2**31 - 1).to_bytes(4, "big")
    (tmp_path / "lies.mp4").write_bytes(data)
    assert numbers(read_video(tmp_path / "lies.mp4")) == list(range(8))


def test_bad_files_are_named_in_one_sentence(tmp_path, clip):
    whole = clip.read_bytes()
    noise = np.random.default_rng(0).integers(0, 255, (8, 64, 96, 3), dtype=np.uint8)
    big = write_video(tmp_path / "big.mp4", noise, 4).read_bytes()
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", tmp_path / "sound.m4a")
    bad = {
        "empty.mp4": (b"", "empty"),
        "text.mp4": (b"not a video at all\n" * 50, "not a video"),
        "cut.mp4": (big[: len(big) * 6 // 10], "cut off"),
        "head.mp4": (whole[:40], "no moving picture"),
        "sound.mp4": ((tmp_path / "sound.m4a").read_bytes(), "no moving picture"),
        "random.gif": (noise.tobytes()[:5000], "not a video"),
    }
    for name, (data, reason) in bad.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=reason) as caught:
            read_video(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)
    for read in (read_video, read_settings):
        for path in (tmp_path / "nowhere.mp4", tmp_path, tmp_path / "text.mp4"):
            with pytest.raises(InputError, match=path.name):
                read(path)


def test_a_playlist_in_disguise_opens_no_other_file(tmp_path, clip):
    write_video(tmp_path / "private.mp4", grey_steps(), 4)
    (tmp_path / "concat.mp4").write_text("ffconcat version 1.0\nfile private.mp4\n")
    segments = "#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nprivate.mp4\n#EXT-X-ENDLIST\n"
    (tmp_path / "hls.mp4").write_text("#EXTM3U\n" + segments)
    # Without the guards ffmpeg follows the first: this test would notice if they went.
    ffmpeg("-i", tmp_path / "concat.mp4", "-f", "null", "-")
    for name in ("concat.mp4", "hls.mp4"):
        with pytest.raises(InputError, match="not a video"):
            read_video(tmp_path / name)
        with pytest.raises(InputError, match="not a video"):
            read_settings(tmp_path / name)


def test_limits_on_size_and_memory(monkeypatch, clip):
    monkeypatch.setattr(clips, "MAX_BYTES", 3 * 64 * 96 * 3)
    with pytest.raises(InputError, match=r"steps\.mp4 is too long"):
        read_video(clip)
    assert read_video(clip, max_frames=3).num_frames == 3
    monkeypatch.setattr(clips, "MAX_PIXELS", 64 * 95)
    with pytest.raises(InputError, match="96x64"):
        read_video(clip)


@pytest.mark.parametrize(
    "wanted",
    [
        {"start_s": -1},
        {"start_s": float("nan")},
        {"start_s": 2, "end_s": 1},
        {"end_s": float("inf")},
        {"fps": 0},
        {"fps": 1e308},
        {"max_frames": 0},
        {"max_frames": 2.5},
        {"start_s": 99},
    ],
)
def test_bad_requests_are_refused(clip, wanted):
    with pytest.raises(InputError):
        read_video(clip, **wanted)


def test_real_clips():
    if not CLIPS.is_dir():
        pytest.skip(f"the real clips are not here: {CLIPS}")
    boat = read_video(CLIPS / "boat_landscape.mp4")
    assert boat.frames.shape == (24, 288, 512, 3) and boat.fps == 4.0
    camel = read_video(CLIPS / "camel.mp4", start_s=0.4, fps=2.5)
    assert camel.frames.shape[1:] == (512, 512, 3) and camel.num_frames == 3
    fitted = fit_video(boat, width=256, height=256)
    assert fitted.frames.shape == (24, 256, 256, 3) and fitted.frames.std() > 10


@pytest.mark.parametrize(
    "wanted",
    [{}, {"start_s": 0.5, "end_s": 1.25}, {"start_s": 1.6}, {"max_frames": 3}, {"fps": 2.5}, {"fps": 30}],
)
def test_a_clip_counts_the_frames_that_its_loop_gives(clip, wanted):
    frames = clip_frames(clip, **wanted)
    assert frames.count() == sum(1 for _ in frames)

"""Clips as people have them, and as nobody should make them: each works or gets its one sentence."""

import os
import subprocess
import threading
import tracemalloc

import imageio_ffmpeg
import numpy as np
import pytest
from clips import ffmpeg, grey_steps, numbers
from PIL import Image

from t2v.checks import InputError
from t2v.video import clips, guarded_ffmpeg
from t2v.video.video import Video, clip_frames, fit_control, fit_video, read_video
from t2v.video.write import add_audio, read_settings, write_video

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clips") / "steps.mp4", grey_steps(), 4.0)


@pytest.fixture(scope="module")
def with_sound(clip):
    path = clip.with_name("sound.mov")  # a kind of sound that an MP4 for browsers cannot hold
    ffmpeg("-i", clip, "-f", "lavfi", "-i", "sine=f=440:d=3", "-c:v", "copy", "-c:a", "pcm_s16le", path)
    return path


def refusal(call, path, *arguments):
    with pytest.raises(InputError) as refused:
        call(path, *arguments)
    text = str(refused.value)
    assert path.name in text and "\n" not in text
    return text


def test_three_hundred_frames_in_the_memory_of_a_few(tmp_path):
    frames = (np.full((96, 128, 3), 40 + k % 150, np.uint8) for k in range(320))
    path = write_video(tmp_path / "long.mp4", frames, 30)
    tracemalloc.start()
    shown = [int(frame[48, 64, 0]) for frame in clip_frames(path)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.abs(np.array(shown) - [40 + k % 150 for k in range(320)]).max() <= 2
    assert peak < 20 * 96 * 128 * 3  # reading them all at once takes 320


def test_a_clip_is_fitted_while_it_is_decoded(clip, monkeypatch):
    wanted = {"start_s": 0.5, "end_s": 1.25, "fps": 8}
    streamed = clip_frames(clip, **wanted)
    assert (streamed.width, streamed.height, streamed.fps) == (96, 64, 8.0)
    whole = read_video(clip, **wanted)
    for size in ({}, {"width": 48, "height": 48}):
        for fit in (fit_video, fit_control):
            fitted = fit(streamed, **size)
            assert (fitted.frames == fit(whole, **size).frames).all() and fitted.fps == 8.0
    assert numbers(fitted) == [2, 2, 3, 3, 4, 4]  # looping over a clip again starts it anew
    monkeypatch.setattr(clips, "MAX_BYTES", 6 * 32 * 32 * 3)  # the whole frames would be too many
    assert fit_video(streamed, width=32, height=32).num_frames == 6
    assert "too long" in refusal(read_video, clip)


def test_a_loop_that_is_left_ends_the_decoder(clip, monkeypatch):
    started = []

    class Noted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(guarded_ffmpeg.subprocess, "Popen", Noted)
    for _ in clip_frames(clip):
        break
    assert len(started) > 1 and all(process.returncode is not None for process in started)


@pytest.mark.parametrize(("height", "width"), [(96, 54), (63, 97), (33, 31), (200, 9)])
def test_portrait_and_odd_sizes(tmp_path, height, width):
    raw = tmp_path / "frames.rgb"
    raw.write_bytes(grey_steps(3, height, width).tobytes())
    path = tmp_path / "odd.mkv"
    ffmpeg("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", 4, "-i", raw,
           "-c:v", "ffv1", "-pix_fmt", "bgr0", path)  # fmt: skip
    video = read_video(path)
    assert video.frames.shape == (3, height, width, 3) and numbers(video) == [0, 1, 2]
    fitted = fit_video(clip_frames(path))
    assert fitted.height % 8 == 0 and fitted.width % 8 == 0
    assert abs(fitted.height - height) <= 4 and (abs(fitted.width - width) <= 4)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_flags(tmp_path, degrees):
    frames = np.zeros((2, 64, 96, 3), np.uint8)
    frames[:, :32, :48] = 255  # upper left
    plain = write_video(tmp_path / "plain.mp4", frames, 4)
    ffmpeg("-display_rotation", degrees, "-i", plain, "-c", "copy", tmp_path / "turned.mp4")
    turned = read_video(tmp_path / "turned.mp4").frames[0]
    expected = np.rot90(frames[0], degrees // 90)
    assert turned.shape == expected.shape
    assert np.abs(turned.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("name", ["one.mp4", "one.gif", "one.webm", "one.avi"])
def test_one_frame(tmp_path, name):
    ffmpeg("-f", "lavfi", "-i", "color=c=0x808080:s=64x48:r=4:d=0.25", tmp_path / name)
    video = read_video(tmp_path / name)
    assert video.frames.shape == (1, 48, 64, 3) and video.fps > 0
    assert video.frames.mean() == pytest.approx(128, abs=8)  # a GIF may be dithered


def test_transparent_pictures_lie_on_white(tmp_path):
    first = Image.new("P", (32, 24), 0)
    first.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255])  # transparent black, red, blue
    first.paste(1, (4, 4, 12, 12))
    second = first.copy()
    second.paste(0, (4, 4, 12, 12))
    second.paste(2, (20, 4, 28, 12))
    path = tmp_path / "sticker.gif"
    first.save(path, save_all=True, append_images=[second], transparency=0, disposal=2, duration=250, loop=0)
    video = read_video(path)
    assert video.num_frames == 2 and video.fps == 4.0
    assert tuple(video.frames[0, 20, 2]) == tuple(video.frames[1, 20, 2]) == (255, 255, 255)
    assert tuple(video.frames[0, 8, 8]) == (255, 0, 0) and tuple(video.frames[1, 8, 24]) == (0, 0, 255)
    assert tuple(video.frames[1, 8, 8]) == (255, 255, 255)
    ffmpeg("-f", "lavfi", "-i", "color=c=black@0.5:s=32x32:r=4:d=0.5,format=rgba", "-c:v", "png",
           tmp_path / "half.mov")  # fmt: skip
    assert np.abs(read_video(tmp_path / "half.mov").frames.astype(int) - 127).max() <= 2


def test_a_picture_of_8192_squared_is_refused_before_it_is_decoded(tmp_path):
    small = tmp_path / "small.gif"
    Image.new("P", (16, 16), 0).save(small)
    data = bytearray(small.read_bytes())
    data[6:10] = (8192).to_bytes(2, "little") * 2  # the size of the canvas in the header
    path = tmp_path / "huge.gif"
    path.write_bytes(data)
    assert "at most 35,651,584 pixels" in refusal(read_video, path)


def test_memory_and_time_are_limited(tmp_path, clip, monkeypatch):
    ffmpeg("-f", "lavfi", "-i", "color=s=2048x2048:r=4:d=0.25", "-c:v", "mjpeg", tmp_path / "wide.avi")
    assert read_video(tmp_path / "wide.avi").width == 2048
    if hasattr(guarded_ffmpeg.resource, "prlimit"):
        monkeypatch.setattr(guarded_ffmpeg, "MAX_MEMORY", 48 * 1024**2)
        assert "to decode" in refusal(read_video, tmp_path / "wide.avi")
        monkeypatch.undo()
    monkeypatch.setattr(guarded_ffmpeg, "MAX_ALLOCATION", 1024**2)
    assert "to decode" in refusal(read_video, tmp_path / "wide.avi")
    monkeypatch.undo()
    monkeypatch.setattr(guarded_ffmpeg, "TIMEOUT_S", 0.001)
    assert "took more than 0.001 s" in refusal(read_video, clip)


def test_reading_ends_when_it_is_no_longer_wanted(clip):
    asked = []

    def stop():
        asked.append(threading.current_thread())
        raise InterruptedError("not wanted")

    for read in (read_video, lambda path: clip_frames(path).count()):
        with guarded_ffmpeg.heeding(stop), pytest.raises(InterruptedError):
            read(clip)
    assert asked and read_video(clip).num_frames == 8  # afterwards as before


PLAYLISTS = {
    "concat.mp4": "ffconcat version 1.0\nfile private.mp4\n",
    "hls.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nprivate.mp4\n#EXT-X-ENDLIST\n",
    "dash.mp4": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    '<AdaptationSet><Representation id="0" mimeType="video/mp4"><BaseURL>private.mp4</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
}


def test_a_playlist_in_disguise_opens_no_other_file(tmp_path, clip):
    """The other file is a pipe: whoever opens it lets this test's thread go on."""
    os.mkfifo(tmp_path / "private.mp4")
    opened = threading.Event()

    def wait_for_a_reader():
        with open(tmp_path / "private.mp4", "wb"):
            opened.set()

    watcher = threading.Thread(target=wait_for_a_reader, daemon=True)
    watcher.start()
    for name, text in PLAYLISTS.items():
        (tmp_path / name).write_text(text)
        for call in (read_video, read_settings, clips.has_audio):
            assert "not a video" in refusal(call, tmp_path / name)
    movie = write_video(tmp_path / "movie.mp4", grey_steps(2), 4)
    assert "not a video" in refusal(lambda path: add_audio(movie, path), tmp_path / "concat.mp4")
    assert not opened.is_set()
    # Without the guards ffmpeg opens it: the watcher would have noticed.
    unguarded = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", tmp_path / "concat.mp4", "-f", "null", "-"]
    subprocess.run(unguarded, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    watcher.join(10)
    assert opened.is_set()


def test_sound_is_kept(tmp_path, clip, with_sound):
    assert clips.has_audio(with_sound) and not clips.has_audio(clip)
    settings = {"task": "canny", "prompt": "a = b; c"}
    movie = write_video(tmp_path / "movie.mp4", grey_steps(), 4, settings)
    before = read_video(movie).frames
    assert add_audio(movie, with_sound) is True
    assert read_settings(movie) == settings
    assert (read_video(movie).frames == before).all() and read_video(movie).fps == 4.0
    assert list(tmp_path.iterdir()) == [movie]
    sound = tmp_path / "sound.raw"
    ffmpeg("-i", movie, "-map", "0:a", "-f", "s16le", "-ac", 1, "-ar", 44100, sound)
    wave = np.frombuffer(sound.read_bytes(), "<i2").astype(float)
    assert len(wave) / 44100 == pytest.approx(2.0, abs=0.06)  # as long as the pictures, not as the source
    spectrum = np.abs(np.fft.rfft(wave))
    assert np.fft.rfftfreq(len(wave), 1 / 44100)[spectrum.argmax()] == pytest.approx(440, abs=2)


def test_a_short_sound_does_not_cut_the_pictures(tmp_path, clip):
    source = tmp_path / "short.mkv"
    ffmpeg("-i", clip, "-f", "lavfi", "-i", "sine=d=0.5", "-c:v", "copy", "-c:a", "libopus", source)
    movie = write_video(tmp_path / "movie.mp4", grey_steps(), 4)
    assert add_audio(movie, source) is True
    assert numbers(read_video(movie)) == list(range(8))


def test_without_sound_the_movie_stays_as_it_is(tmp_path, clip):
    movie = write_video(tmp_path / "movie.mp4", grey_steps(), 4)
    before = movie.read_bytes()
    assert add_audio(movie, clip) is False
    (tmp_path / "text.mp4").write_text("no video at all\n" * 9)
    assert "not a video" in refusal(lambda path: add_audio(movie, path), tmp_path / "text.mp4")
    assert movie.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["movie.mp4", "text.mp4"]


def test_control_frames_are_fitted_in_step(tmp_path):
    """The same things are in the same places, and a control clip keeps to its own colours."""
    frames = np.zeros((2, 90, 160, 3), np.uint8)
    frames[:, 30:60, 70:90] = (255, 0, 0)
    for size in ({"width": 64, "height": 64}, {"width": 320}, {"height": 360}, {}):
        footage, control = fit_video(Video(frames, 4), **size), fit_control(Video(frames, 4), **size)
        assert control.frames.shape == footage.frames.shape and control.fps == 4
        both = (control.frames[0, ..., 0] > 127).astype(int) - (footage.frames[0, ..., 0] > 127)
        assert np.abs(both).mean() < 0.01
        assert control.frames[..., 1:].max() == 0
    lines = np.zeros((1, 64, 64, 3), np.uint8)
    lines[:, ::8] = 255
    assert set(np.unique(fit_control(Video(lines, 4), width=128).frames)) == {0, 255}
    assert fit_control(Video(lines, 4)).frames is lines

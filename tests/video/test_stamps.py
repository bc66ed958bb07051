"""Time stamps as people have them: rates that no header tells, frames at wrong times, late pictures."""

import struct

import imageio.v3
import numpy as np
import pytest
from clips import ffmpeg, grey_steps, numbers

from t2v.engine.engine import Engine
from t2v.tasks.canny import CannySettings
from t2v.video.look import look
from t2v.video.video import clip_frames, read_video
from t2v.video.write import add_audio, write_video

pytestmark = pytest.mark.slow

EIGHT = list(range(8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stamps")


@pytest.fixture(scope="module")
def plain(folder):
    return write_video(folder / "plain.mp4", grey_steps(), 4.0)


@pytest.fixture(scope="module")
def reordered(folder, plain):
    """Frames that are stored in another order than they are shown in, with the edit list for that."""
    options = ["-c:v", "libx264", "-bf", 3, "-x264-params", "b-adapt=0:bframes=3", "-crf", 10]
    ffmpeg("-i", plain, *options, folder / "reordered.mp4")
    assert numbers(read_video(folder / "reordered.mp4")) == EIGHT
    return folder / "reordered.mp4"


def changed(path, name, change):
    data = bytearray(path.read_bytes())
    change(data)
    (path.parent / name).write_bytes(data)
    return path.parent / name


def without_offsets(data):
    """The table of what is to be added to decoding times is gone: frames are shown when they are decoded."""
    at = data.index(b"ctts")
    data[at : at + 4] = b"free"


def hiding(frames, ticks=4096):
    def change(data):
        at = data.index(b"elst") + 4 + 4 + 4 + 4  # version, count, duration: the time at which it begins
        begins = struct.unpack_from(">i", data, at)[0]
        struct.pack_into(">i", data, at, begins + frames * ticks)

    return change


def untimed(path):
    """Take the frames' duration out of a webm's header."""

    def change(data):
        at = data.index(bytes.fromhex("23e383"))
        size = data[at + 3] & 0x7F
        data[at : at + 4 + size] = bytes([0xEC, 0x80 | (2 + size)]) + bytes(2 + size)

    return changed(path, f"untimed-{path.name}", change)


def uneven(folder, name, *options):
    """Fifty frames in 2.5 s, some 45 ms late, as a browser records them."""
    late = "settb=1/1000,setpts=N*50+floor(random(1)*45)"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=20:d=2.5", "-vf", late, "-fps_mode", "passthrough",
           "-enc_time_base", "1/1000", "-c:v", "libvpx", *options, folder / name)  # fmt: skip
    return folder / name


@pytest.mark.parametrize("name", ["recorded.webm", "recorded.mkv"])
def test_a_rate_that_no_header_tells_is_counted(folder, name):
    path = untimed(uneven(folder, name))
    clip = clip_frames(path)
    assert clip.fps == pytest.approx(20, rel=0.03)
    assert clip.count() == pytest.approx(50, abs=1) and clip.count() / clip.fps == pytest.approx(
        2.5, abs=0.05
    )
    taken = CannySettings(str(path), "a car").taken(256)
    assert (taken.num_frames, taken.fps) == (clip.count(), clip.fps)
    assert len({frame.tobytes() for frame in clip}) > 33  # and not one of them many times


@pytest.mark.parametrize("factor", [10, 0.25])
def test_a_rate_that_the_header_tells_wrongly_is_counted(folder, factor):
    path = uneven(folder, "told.webm")

    def lie(data):
        at = data.index(bytes.fromhex("23e383"))
        size = data[at + 3] & 0x7F
        data[at + 4 : at + 4 + size] = round(5e7 / factor).to_bytes(size, "big")  # nanoseconds

    clip = clip_frames(changed(path, f"lies-{factor}.webm", lie))
    assert clip.fps == pytest.approx(20, rel=0.07)  # how long the last frame is shown is the header's word
    assert clip.count() == pytest.approx(50, abs=1)


@pytest.mark.parametrize(("fps", "count", "kept"), [(300, 60, 240), (1000, 100, 240), (0.05, 3, 0.1)])
def test_a_clip_out_of_all_rates_keeps_its_length(folder, fps, count, kept):
    path = folder / f"at-{fps}.mp4"
    ffmpeg("-f", "lavfi", "-i", f"testsrc=s=64x48:r={fps}", "-frames:v", count, "-c:v", "libx264", path)
    assert clip_frames(path).fps == pytest.approx(fps)
    settings = CannySettings(str(path), "a car")
    taken = settings.taken(256)
    assert taken.fps == kept and taken.num_frames == pytest.approx(kept * count / fps, abs=1)
    assert settings.read(taken).num_frames == taken.num_frames == settings.open().count()
    assert settings.read(taken).fps == kept


def test_frames_shown_in_the_order_of_decoding_all_arrive(reordered):
    path = changed(reordered, "no-offsets.mp4", without_offsets)
    copied = [reordered.with_name(f"copied.{kind}") for kind in ("mp4", "mkv", "mov")]
    for copy in copied:
        ffmpeg("-i", reordered, "-c", "copy", "-bsf:v", "setts=pts=DTS", copy)
    for broken in (path, *copied):
        clip = clip_frames(broken)
        assert clip.fps == 4.0 and clip.count() == 8 and numbers(read_video(broken)) == EIGHT
        note = look(broken).stamps.note
        assert "broken time stamps" in note and "evenly spaced, 4 a second" in note and "\n" not in note


def test_frames_of_equal_and_falling_times_all_arrive(folder, plain):
    for name, stamps in (("equal.mkv", "floor(N/2)*500"), ("falling.mkv", "if(eq(mod(N,4),2),N-2,N)*250")):
        ffmpeg("-i", plain, "-c:v", "mjpeg", "-q:v", 2, "-r", 4, folder / "still.mkv")
        ffmpeg("-i", folder / "still.mkv", "-c", "copy", "-bsf:v", f"setts=pts='{stamps}':dts='N*250'",
               folder / name)  # fmt: skip
        assert numbers(read_video(folder / name)) == EIGHT, name
        assert "broken" in look(folder / name).stamps.note


def test_frames_that_an_edit_list_hides_arrive_too(reordered, plain):
    for path, frames in ((reordered, 1), (reordered, 3), (plain, 2)):
        hides = changed(path, f"hides-{frames}-{path.name}", hiding(frames))
        assert numbers(read_video(hides)) == EIGHT
        assert f"hides {'a frame' if frames == 1 else f'{frames} frames'}, and" in look(hides).stamps.note


@pytest.mark.parametrize("fps", [3, 6, 12.5, 24, 30, 40])
def test_a_gif_of_rounded_times_has_its_rate_and_each_frame_once(folder, fps):
    path = write_video(folder / f"at-{fps}.gif", grey_steps(9), fps)
    video = read_video(path)
    assert video.fps == pytest.approx(fps, rel=0.03)  # nine frames of 24 a second end at 0.38 s
    assert numbers(video) == list(range(9)) and clip_frames(path).count() == 9
    part = {"start_s": 3 / video.fps, "end_s": 6 / video.fps}
    assert numbers(read_video(path, **part)) == [3, 4, 5] and look(path).stamps.note is None


@pytest.mark.parametrize(
    ("lasts", "fps", "expected"),
    [
        ([170, 160, 160, 170, 170, 160, 170, 170], 6.02, EIGHT),
        ([100, 60, 100, 140, 120, 80, 100, 100], 10, EIGHT),  # up to 40 ms late
        (
            [160, 170, 170, 160, 170, 170, 160, 500],
            6.03,
            [*EIGHT, 7, 7],
        ),  # the last is held
        ([100, 100, 100, 400, 100, 100, 100, 200], 6.67, [0, 1, 3, 3, 3, 4, 6, 7]),  # as one that varies
    ],
)
def test_a_gif_of_uneven_times_has_its_mean_rate(folder, lasts, fps, expected):
    imageio.v3.imwrite(folder / "uneven.gif", grey_steps(8), duration=lasts, loop=0)
    video = read_video(folder / "uneven.gif")
    assert video.fps == pytest.approx(fps, abs=0.02) and numbers(video) == expected


def test_a_part_that_somebody_cut_off_stays_off(folder):
    frames = [np.full((64, 96, 3), 40 + 3 * k, np.uint8) for k in range(60)]
    long = write_video(folder / "long.mp4", frames, 4)
    for hidden in (12, 30):
        trimmed = changed(long, f"trimmed-{hidden}.mp4", hiding(hidden))
        video = read_video(trimmed)
        assert video.num_frames == 60 - hidden and look(trimmed).stamps.note is None
        assert abs(int(video.frames[0, 8, 8, 0]) - (40 + 3 * hidden)) <= 2


def test_a_rate_at_which_some_frames_are_left_out_stays(folder):
    """As of a recorded screen, where nothing is stored while nothing moves."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2", "-vf", "select='lt(mod(n,10),6)'",
           "-fps_mode", "vfr", folder / "screen.webm")  # fmt: skip
    clip = clip_frames(folder / "screen.webm")
    assert clip.fps == 25.0 and clip.count() == pytest.approx(46, abs=1)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [({"start_s": 0.5, "end_s": 1.25}, [2, 3, 4]), ({"end_s": 0.5}, [0, 1]), ({"fps": 2}, [0, 2, 4, 6]),
     ({"max_frames": 3}, [0, 1, 2]), ({"start_s": 1.0, "fps": 8}, [4, 4, 5, 5, 6, 6, 7, 7])],
)  # fmt: skip
def test_parts_and_rates_of_a_broken_clip(reordered, wanted, expected):
    path = changed(reordered, "no-offsets.mp4", without_offsets)
    assert numbers(read_video(path, **wanted)) == expected
    assert clip_frames(path, **wanted).count() == len(expected)


def test_what_is_whole_is_not_called_broken(folder, plain, reordered):
    paths = [plain, reordered]
    for name in ("whole.webm", "whole.mkv", "whole.gif", "whole.avi", "xvid.avi"):
        codec = ["-c:v", "mpeg4", "-bf", 2] if name == "xvid.avi" else []
        ffmpeg("-i", plain, *codec, folder / name)
        paths.append(folder / name)
    ffmpeg("-i", plain, "-vf", "select='lt(n,4)+eq(n,5)+eq(n,7)'", "-fps_mode", "vfr", folder / "vfr.mp4")
    for path in (*paths, folder / "vfr.mp4"):
        stamps = look(path).stamps
        assert stamps.note is None and not stamps.is_even, path.name
    for path in paths:
        assert look(path).fps == 4.0 and read_video(path).num_frames == 8, path.name


def test_the_note_reaches_the_run(reordered):
    path = changed(reordered, "no-offsets.mp4", without_offsets)
    first = Engine("cpu").prompt_notes(CannySettings(str(path), "a red car"))[0]
    assert first.text.startswith("no-offsets.mp4 has broken time stamps")
    assert CannySettings(str(reordered), "a red car").notes() == ()
    assert CannySettings("nowhere.mp4", "a red car").notes() == ()


@pytest.mark.parametrize("kind", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("late_s", [0.5, -0.5])
def test_sound_stays_in_step_where_one_begins_later(folder, reordered, kind, late_s):
    """A beep lies on frame 4, which is shown from 1 s after the picture's begin."""
    source, movie = folder / f"late{late_s}.{kind}", folder / f"movie{late_s}-{kind}.mp4"
    beeps = 1.0 + max(late_s, 0) - max(-late_s, 0)
    wave = f"aevalsrc='between(t,{beeps},{beeps + 0.2})*sin(2*PI*880*t)':d=2.5"
    lavfi, pictures = ["-f", "lavfi", "-i", wave], ["-i", reordered]
    inputs = (
        [*lavfi, "-itsoffset", late_s, *pictures]
        if late_s > 0
        else ["-itsoffset", -late_s, *lavfi, *pictures]
    )
    ffmpeg(*inputs, "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-c:a", "aac", source)
    write_video(movie, read_video(source).frames, 4)
    assert add_audio(movie, source) and numbers(read_video(movie)) == EIGHT
    raw = folder / "sound.raw"
    ffmpeg(
        "-i",
        movie,
        "-map",
        "0:a",
        "-af",
        "aresample=async=1:first_pts=0",
        "-f",
        "s16le",
        "-ac",
        1,
        "-ar",
        8000,
        raw,
    )
    loud = np.abs(np.frombuffer(raw.read_bytes(), "<i2").astype(float)) > 2000
    assert np.flatnonzero(loud)[0] / 8000 == pytest.approx(1.0, abs=0.05)

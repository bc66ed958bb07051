"""Every kind of file: the frames, their rate, the settings inside; whole or not there; of any length."""

import io
import json
import weakref
import zipfile
from pathlib import Path

import numpy as np
import pytest
from clips import ffmpeg, grey_steps, numbers
from PIL import Image

from t2v.checks import InputError
from t2v.video.clips import has_audio
from t2v.video.formats import ENDINGS, FORMATS
from t2v.video.video import read_video
from t2v.video.write import MAX_SETTINGS_CHARS, add_audio, read_settings, write_video

SETTINGS = {
    "prompt": 'ein roter Käfer; = # [x]\n\\ "so" 猫',
    "seed": 7,
    "fps": 4.0,
    "also": [{"task": "pose"}],
}
VIDEOS = [ending for ending in FORMATS if ending != ".png"]


def shown(path: Path) -> np.ndarray:
    """The frames as another program reads them: uint8 RGB (f, h, w, 3)."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as files:
            names = sorted(name for name in files.namelist() if name.endswith(".png"))
            return np.stack([np.asarray(Image.open(io.BytesIO(files.read(name)))) for name in names])
    if path.suffix in (".mp4", ".webm"):
        return read_video(path).frames
    with Image.open(path) as picture:
        frames = []
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            frames.append(np.asarray(picture.convert("RGB")))
    return np.stack(frames)


def scene(count: int = 6, height: int = 48, width: int = 64) -> np.ndarray:
    """A disc on a gradient that goes to the right by 4 pixels a frame."""
    y, x = np.mgrid[:height, :width]
    frames = []
    for number in range(count):
        picture = np.stack([2 * x + 40, 3 * y + 30, np.full_like(x, 90)], axis=-1)
        picture[(x - 16 - 4 * number) ** 2 + (y - 24) ** 2 < 100] = (230, 60, 40)
        frames.append(picture.clip(0, 255).astype(np.uint8))
    return np.stack(frames)


@pytest.mark.parametrize("ending", VIDEOS)
def test_frames_rate_and_settings_are_in_the_file_and_the_same_every_time(tmp_path, ending):
    path = write_video(tmp_path / f"out{ending}", iter(scene()), 8, SETTINGS)
    assert list(tmp_path.iterdir()) == [path]
    assert read_settings(path) == SETTINGS
    frames, most = shown(path), 0 if ending == ".zip" else 3  # mean difference of 255
    assert frames.shape == scene().shape
    assert np.abs(frames.astype(int) - scene()).mean() <= most
    first = path.read_bytes()
    assert write_video(path, scene(), 8, SETTINGS).read_bytes() == first
    plain = write_video(tmp_path / f"plain{ending}", scene(), 8)
    assert read_settings(plain) is None and (shown(plain) == frames).all()


def test_a_webm_plays_at_its_rate_and_in_the_right_colours(tmp_path):
    video = read_video(write_video(tmp_path / "out.webm", grey_steps(), 12.5))
    assert numbers(video) == list(range(8)) and video.fps == pytest.approx(12.5, abs=0.01)
    red = np.full((4, 64, 64, 3), (200, 40, 60), np.uint8)
    seen = read_video(write_video(tmp_path / "red.webm", red, 4)).frames
    assert np.abs(seen.astype(int) - red).max() <= 3


@pytest.mark.parametrize("fps", [3, 12.5, 30])
def test_a_webp_is_read_as_a_clip(tmp_path, fps):
    video = read_video(write_video(tmp_path / "out.webp", grey_steps(), fps, SETTINGS))
    assert numbers(video) == list(range(8)) and video.fps == pytest.approx(fps, rel=0.002)


def test_a_webp_plays_at_its_rate_without_end(tmp_path):
    with Image.open(write_video(tmp_path / "out.webp", scene(), 8, SETTINGS)) as picture:
        assert (picture.n_frames, picture.info["loop"]) == (6, 0)
        assert json.loads(picture.getexif()[0x010E]) == SETTINGS  # as other programs find it
        picture.seek(1)
        picture.load()
        assert picture.info["duration"] == 125


@pytest.mark.parametrize("ending", [".webp", ".png", ".gif"])
@pytest.mark.parametrize("sides", [(48, 64), (47, 63), (1, 1)])
def test_one_picture(tmp_path, ending, sides):
    frame = scene(1)[:, : sides[0], : sides[1]]
    path = write_video(tmp_path / f"one{ending}", frame, 4, SETTINGS)
    assert shown(path).shape == (1, *sides, 3) and read_settings(path) == SETTINGS
    assert read_settings(write_video(tmp_path / f"plain{ending}", frame, 4)) is None


@pytest.mark.parametrize("ending", FORMATS)
def test_odd_sides_are_made_even_only_where_they_have_to_be(tmp_path, ending):
    path = write_video(tmp_path / f"odd{ending}", scene(1, 47, 63), 4)
    assert shown(path).shape[1:3] == ((48, 64) if ending in (".mp4", ".webm") else (47, 63))


def test_a_zip_has_its_frames_and_settings_as_files_and_each_frame_has_them_too(tmp_path):
    path = write_video(tmp_path / "out.zip", scene(), 8, SETTINGS)
    with zipfile.ZipFile(path) as files:
        assert files.testzip() is None
        assert files.namelist() == ["settings.json", *(f"0000{number}.png" for number in range(1, 7))]
        assert json.loads(files.read("settings.json")) == SETTINGS
        files.extract("00003.png", tmp_path)
    assert read_settings(tmp_path / "00003.png") == SETTINGS
    assert (shown(tmp_path / "00003.png")[0] == scene()[2]).all()
    with zipfile.ZipFile(tmp_path / "again.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("settings.json", json.dumps(SETTINGS))
    assert read_settings(tmp_path / "again.zip") == SETTINGS


@pytest.mark.parametrize("ending", VIDEOS)
def test_length_costs_no_memory(tmp_path, ending):
    alive: list[weakref.ref] = []
    most = 0

    def frames():
        nonlocal most
        for number in range(40):
            frame = np.full((16, 16, 3), 5 * number, np.uint8)
            alive.append(weakref.ref(frame))
            yield frame
            del frame
            most = max(most, sum(one() is not None for one in alive))

    write_video(tmp_path / f"long{ending}", frames(), 8)
    assert most <= 3


@pytest.mark.parametrize("ending", FORMATS)
def test_nothing_is_left_of_what_fails(tmp_path, ending):
    path = tmp_path / f"out{ending}"
    path.write_text("before")

    def broken():
        yield scene()[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(path, broken(), 4, SETTINGS)
    for frames, told in (
        ([], "^frames are empty; give at least one frame.$"),
        ([np.zeros((4, 4), np.uint8)], "frame 0"),
    ):
        with pytest.raises(InputError, match=told):
            write_video(path, frames, 4)
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == "before"


@pytest.mark.parametrize(
    ("name", "fps", "told"),
    [
        ("out.avi", 4, f"ends in {ENDINGS}.$"),
        ("out.gif", 60, "^fps is 60, and a GIF plays at most 50; give a name in .mp4.$"),
        ("out.png", 4, "^frames are more than one, and a PNG holds one; give a name in .zip for all.$"),
    ],
)
def test_what_a_kind_of_file_cannot_hold_is_refused(tmp_path, name, fps, told):
    with pytest.raises(InputError, match=told):
        write_video(tmp_path / name, scene(), fps)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", FORMATS)
def test_the_kind_is_told_by_what_is_in_the_file(tmp_path, ending):
    path = write_video(tmp_path / f"out{ending}", scene(1), 4, SETTINGS)
    assert read_settings(path.rename(tmp_path / "download")) == SETTINGS


@pytest.mark.slow
def test_a_webm_can_have_sound_and_keeps_its_settings(tmp_path):
    plain = write_video(tmp_path / "plain.mp4", grey_steps(), 4)
    ffmpeg(
        "-i", plain, "-f", "lavfi", "-i", "sine=d=2", "-c:v", "copy", "-c:a", "aac", tmp_path / "sound.mp4"
    )
    movie = write_video(tmp_path / "movie.webm", grey_steps(), 4, SETTINGS)
    assert add_audio(movie, tmp_path / "sound.mp4") is True
    assert has_audio(movie) and read_settings(movie) == SETTINGS
    assert numbers(read_video(movie)) == list(range(8))
    for other in (".gif", ".webp", ".zip"):
        assert add_audio(write_video(tmp_path / f"movie{other}", scene(), 4), tmp_path / "sound.mp4") is False


def test_files_of_others_and_broken_ones_carry_none(tmp_path):
    made = {
        ending: write_video(
            tmp_path / f"out{ending}", scene(2 if ending != ".png" else 1), 4, SETTINGS
        ).read_bytes()
        for ending in FORMATS
    }
    Image.new("RGB", (8, 8)).save(tmp_path / "other.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "other.webp")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as files:
        files.writestr("a.txt", "x")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("settings.json", b'{"prompt": "' + b" " * (4 * MAX_SETTINGS_CHARS) + b'"}')
    for name in ("other.png", "other.webp", "other.zip", "bomb.zip"):
        assert read_settings(tmp_path / name) is None, name
    for ending, data in made.items():
        for length in (12, 20, 33, 60, len(data) // 2):
            cut = tmp_path / f"cut{ending}"
            cut.write_bytes(data[:length])
            try:
                told = read_settings(cut)
            except InputError as error:
                assert str(error).startswith("cut")
            else:
                assert told in (None, SETTINGS)


def test_lying_lengths_are_not_believed(tmp_path):
    webp = bytearray(write_video(tmp_path / "out.webp", scene(2), 4, SETTINGS).read_bytes())
    at = webp.index(b"EXIF")
    webp[at + 4 : at + 8] = b"\xff\xff\xff\x7f"
    (tmp_path / "long.webp").write_bytes(webp)
    assert read_settings(tmp_path / "long.webp") is None
    packed = bytearray(write_video(tmp_path / "out.zip", scene(2), 4, SETTINGS).read_bytes())
    packed[18:26] = b"\xff\xff\xff\x7f" * 2
    (tmp_path / "long.zip").write_bytes(packed)
    assert read_settings(tmp_path / "long.zip") is None

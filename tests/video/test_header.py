"""What an MP4 says of itself, read without ffmpeg: what ffmpeg reads too, and nothing of broken files."""

import json

import numpy as np
import pytest
from boxes import box, edited, put

from t2v.video.header import MAX_INDEX, Header, read_header
from t2v.video.video import read_video
from t2v.video.write import add_audio, read_settings, write_video

SAID = {"task": "text-to-video", "prompt": 'a “red” car — 猫 \\ " = ; #\n2'}


@pytest.fixture
def movie(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (9, 64, 96, 3)).astype(np.uint8)
    return write_video(tmp_path / "movie.mp4", frames, 29.97, SAID)


def test_it_reads_what_ffmpeg_reads(movie):
    header, video = read_header(movie), read_video(movie)
    assert (header.width, header.height, header.num_frames) == (96, 64, 9) == (video.width, video.height, 9)
    assert header.fps == pytest.approx(29.97, abs=1e-3) == pytest.approx(video.fps, abs=1e-3)
    assert header.comment is not None and read_settings(movie) == SAID
    assert json.loads(header.comment) == SAID


def test_one_without_settings_and_one_with_sound(tmp_path, movie):
    silent = write_video(tmp_path / "silent.mp4", np.zeros((3, 32, 32, 3), np.uint8), 4)
    assert read_header(silent) == Header(32, 32, 3, 4.0, None)
    assert not add_audio(movie, silent)
    assert read_header(movie).num_frames == 9


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:40],
        lambda data: b"GIF89a" + data,
        lambda data: data.replace(b"moov", b"moof"),
        lambda data: data.replace(b"vide", b"soun"),
        lambda data: edited(data, b"stts", put(8, ">II", 0, 0)),
        lambda data: edited(data, b"mdhd", lambda content: content[:4]),
        lambda data: edited(data, b"tkhd", lambda content: b""),
        lambda data: data.replace(b"moov", b"free") + (MAX_INDEX + 9).to_bytes(4, "big") + b"moov",
        lambda data: b"\0\0\0\1free" + (2**63).to_bytes(8, "big"),
        lambda data: box(b"free") * 5000 + data,
    ],
)
def test_broken_ones_have_none(tmp_path, movie, spoil):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(spoil(movie.read_bytes()))
    assert read_header(broken) is None

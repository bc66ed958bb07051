"""Clips made to harm, or broken: each is read, or refused in one sentence; nothing else is opened or run."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import hostile
import numpy as np
import pytest
from clips import ffmpeg, grey_steps
from hostile_clips import READ, REFUSED, beside_the_secret
from PIL import Image

from t2v.checks import InputError
from t2v.tasks.canny import CannySettings
from t2v.video import guarded_ffmpeg
from t2v.video.clips import has_audio
from t2v.video.video import clip_frames
from t2v.video.write import add_audio, read_settings, write_video

pytestmark = pytest.mark.slow

SECRET = 251  # the grey of the clip that nobody may see; those that are given are darker
WORDS = "the-secret-words"


@pytest.fixture(scope="module")
def ground(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """Right clips to spoil, a folder of secrets beside them, and a server that nobody should ask."""
    root = tmp_path_factory.mktemp("ground")
    (root / "secret").mkdir()
    plain = write_video(root / "plain.mp4", grey_steps(), 4.0)
    secret = np.full((8, 64, 96, 3), SECRET, np.uint8)
    write_video(root / "secret" / "secret.mp4", secret, 4.0)
    (root / "secret" / "words.txt").write_text(WORDS)
    Image.fromarray(secret[0]).save(root / "secret" / "secret.png")
    ffmpeg("-i", plain, "-c", "copy", root / "late.mp4")  # its index is at its end
    ffmpeg("-i", plain, "-f", "lavfi", "-i", "sine=d=2", root / "sound.mp4")
    asked: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=listen, args=(server, asked), daemon=True).start()
    yield SimpleNamespace(
        root=root,
        secret=root / "secret" / "secret.mp4",
        plain=plain,
        late=(root / "late.mp4").read_bytes(),
        front=plain.read_bytes(),
        sound=root / "sound.mp4",
        url=f"http://127.0.0.1:{server.getsockname()[1]}/secret.mp4",
        asked=asked,
    )
    server.close()


def listen(server: socket.socket, asked: list[bytes]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        asked.append(connection.recv(1000))
        connection.close()


@pytest.fixture
def watched(ground, tmp_path, monkeypatch) -> Iterator[SimpleNamespace]:
    """The ground with a folder for the clip; afterwards no secret was opened, nothing asked, nothing made."""
    monkeypatch.setattr(guarded_ffmpeg, "TIMEOUT_S", 60.0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip").mkdir()
    movie = write_video(tmp_path / "movie.mp4", grey_steps(2), 4.0)
    yield SimpleNamespace(**vars(ground), folder=tmp_path / "clip", movie=movie)
    assert ground.asked == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip", "movie.mp4"]
    assert len(list((tmp_path / "clip").iterdir())) <= 1


def sentence(error: InputError) -> str:
    said = str(error)
    assert said.endswith(".") and said.isprintable() and len(said) < 500, said
    assert WORDS not in said and "took more than" not in said and "Traceback" not in said, said
    return said


def frames_of(path: Path) -> list[np.ndarray]:
    """Frames as a run takes them: looked at, counted, fitted; none of them shows the secret."""
    settings = CannySettings(str(path), "a cat", num_frames=12)
    settings.check()
    frames = list(settings.read(settings.taken(64)).frames)
    assert all(abs(int(frame.mean()) - SECRET) > 10 for frame in frames)
    assert isinstance(settings.notes(), tuple)
    return frames


def others(path: Path, movie: Path) -> None:
    """The other calls that read what somebody gave."""
    for call in (
        has_audio,
        read_settings,
        lambda path: add_audio(movie, path),
        lambda path: clip_frames(path).check(),
    ):
        try:
            assert WORDS not in str(call(path))
        except InputError as error:
            sentence(error)


@pytest.mark.parametrize("what", REFUSED)
def test_a_clip_is_refused_in_one_sentence(watched, what):
    path = REFUSED[what](watched)
    with hostile.opened_in(watched.secret.parent) as opened:
        with pytest.raises(InputError) as refusal:
            frames_of(path)
        sentence(refusal.value)
        with pytest.raises(InputError) as refusal:
            clip_frames(path).count()
        sentence(refusal.value)
        others(path, watched.movie)
    assert opened == []


@pytest.mark.parametrize("what", READ)
def test_a_clip_is_read_all_the_same(watched, what):
    make, count = READ[what]
    try:
        path = make(watched)
    except OSError as error:  # a system that has no such names
        pytest.skip(str(error))
    with hostile.opened_in(watched.secret.parent) as opened:
        try:
            frames = frames_of(path)
            assert frames and (count is None or len(frames) == count)
        except InputError as error:
            assert sentence(error) and count is None, error
        others(path, watched.movie)
    assert opened == []


def test_the_watches_see_what_is_opened_and_asked(ground):
    """Without the guards ffmpeg does open what playlists name."""
    with hostile.opened_in(ground.secret.parent) as opened:
        listed = ground.root / "unguarded.ffconcat"
        listed.write_text(f"ffconcat version 1.0\nfile {ground.secret}\n")
        ffmpeg("-safe", 0, "-i", listed, "-f", "null", "-")
    assert opened == ["secret.mp4"] * len(opened) and (opened or not hostile.CAN_WATCH)
    with hostile.opened_in(ground.secret.parent) as opened:
        ffmpeg("-enable_drefs", 1, "-i", beside_the_secret(ground), "-f", "null", "-", check=False)
    assert opened or not hostile.CAN_WATCH


def test_settings_in_a_file_are_read_without_their_depth(tmp_path, ground):
    nested = tmp_path / "nested.mp4"
    ffmpeg("-i", ground.plain, "-c", "copy", "-metadata", "comment=" + "[" * 60_000, nested)
    assert read_settings(nested) is None
    told = tmp_path / "told.mp4"
    ffmpeg("-i", ground.plain, "-c", "copy", "-metadata", f"comment={json.dumps({'a': 1})}", told)
    assert read_settings(told) == {"a": 1}

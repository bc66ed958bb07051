"""Clips spoiled at random, and words of any kind in their metadata: read, or refused in one sentence."""

import json

import pytest
from clips import ffmpeg, grey_steps
from fuzzing import JSON, TEXTS, changed_json, fuzzed, sentence, spoiled
from hypothesis import given
from hypothesis import strategies as st

from t2v.checks import InputError
from t2v.library.results import settings_dict
from t2v.tasks import settings_of
from t2v.tasks.canny import CannySettings
from t2v.video import write
from t2v.video.clips import has_audio
from t2v.video.write import read_settings, write_video

pytestmark = pytest.mark.slow

SOUND = ("-f", "lavfi", "-i", "sine=d=0.5")
# a clip's ending -> how it is made of four grey frames, and in how many of its bytes most damage is done
KINDS = {
    "mp4": ((*SOUND, "-bf", "2", "-metadata", 'comment={"task": "canny"}', "-movflags", "+faststart"), 2000),
    "mov": (("-c:v", "png", "-metadata", "comment=x", "-movflags", "+faststart"), 1200),
    "webm": ((*SOUND, "-metadata", "comment=x"), 700),
    "mkv": (("-c:v", "ffv1"), 700),
    "gif": ((), None),
    "avi": (("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"), 600),
    "png": (("-frames:v", "1"), None),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    """Bytes of a right file of each kind."""
    folder = tmp_path_factory.mktemp("whole")
    plain = write_video(folder / "plain.mp4", grey_steps(4, 24, 32), 8.0)
    for kind, (options, _) in KINDS.items():
        ffmpeg("-i", plain, *options, folder / f"whole.{kind}")
    return {kind: (folder / f"whole.{kind}").read_bytes() for kind in KINDS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("spoiled")


@pytest.mark.parametrize("kind", KINDS)
@fuzzed(2)
@given(data=st.data())
def test_a_spoiled_clip_is_read_or_refused(kind, whole, folder, data):
    path = folder / f"spoiled.{kind}"
    path.write_bytes(data.draw(spoiled(whole[kind], KINDS[kind][1])))
    settings = CannySettings(str(path), "a cat", num_frames=12)
    for read in (
        lambda: settings.read(settings.taken(64)).frames.shape[1] % 8 == 0,
        lambda: has_audio(path) in (True, False),
        lambda: read_settings(path) in (None, {"task": "canny"}) or True,
        lambda: isinstance(settings.notes(), tuple),
    ):
        try:
            assert read()
        except InputError as error:
            assert path.name in sentence(error) or sentence(error).startswith("start_s ")


KEPT = settings_dict(CannySettings("clip.mp4", "a cat", negative_prompt="é\n\"'\\=;#", fps=2.5))


@fuzzed(40)
@given(comment=TEXTS | JSON.map(json.dumps) | changed_json(KEPT).map(json.dumps))
def test_any_comment_is_settings_or_is_none(comment):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "read_comment", lambda path: comment)
        stored = read_settings("any.mp4")
    assert stored is None or isinstance(stored, dict)
    if stored is not None:
        try:
            settings_of(stored).check()
        except InputError as error:
            sentence(error)


@fuzzed(2)
@given(comment=changed_json(KEPT).map(json.dumps) | TEXTS)
def test_a_comment_arrives_as_it_was_written(comment, folder):
    comment = comment.replace("\0", "").encode("utf-8", "ignore").decode()[:50_000]
    plain, path = folder / "plain.mp4", folder / "told.mp4"
    if not plain.exists():
        write_video(plain, grey_steps(1, 16, 16), 8.0)
    ffmpeg("-i", plain, "-c", "copy", "-metadata", f"comment={comment}", path)
    try:
        told = json.loads(comment)
    except ValueError:
        told = None
    assert read_settings(path) == (told if isinstance(told, dict) else None)

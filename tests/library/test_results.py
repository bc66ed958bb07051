"""results.py: files that carry settings and sound; and settings taken from them again."""

import json
import logging
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import ffmpeg, grey_steps
from runs import resolved

from t2v.checks import InputError
from t2v.library import results
from t2v.library.results import new_output_path, settings_dict, slug_of, write_result
from t2v.tasks import Resolved, settings_of
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.clips import has_audio
from t2v.video.video import read_video
from t2v.video.write import read_settings, write_video
from t2v.weights.index import check_model


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """Eight frames at 4 a second with a sound of two seconds."""
    folder = tmp_path_factory.mktemp("clips")
    plain = write_video(folder / "plain.mp4", grey_steps(), 4)
    ffmpeg("-i", plain, "-f", "lavfi", "-i", "sine=d=2", "-c:v", "copy", "-c:a", "aac", folder / "sound.mp4")
    return folder / "sound.mp4"


def run_of(clip: Path, **options) -> Resolved:
    return resolved(CannySettings(str(clip), "a car", **options))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, True),
        ({"end_s": 2.0}, True),
        ({"fps": 4.0, "num_frames": 8}, True),
        ({"start_s": 0.25}, False),
        ({"end_s": 1.0}, False),
        ({"fps": 8.0}, False),
        ({"fps": 2.0}, False),
        ({"num_frames": 7}, False),
    ],
)
def test_the_whole_clip_at_its_own_rate_keeps_its_sound(clip, tmp_path, options, kept):
    run = run_of(clip, **options)
    frames = np.zeros((run.num_frames, 64, 96, 3), np.uint8)
    path = write_result(tmp_path / "out.mp4", run, frames)
    assert has_audio(path) is kept
    told = read_settings(path)
    assert told["clip"] == "sound.mp4"  # and not in whose folders it was
    assert settings_of(told) == replace(run.filled(), clip="sound.mp4")
    assert read_video(path).num_frames == run.num_frames
    assert list(tmp_path.iterdir()) == [path]


def test_a_sound_that_cannot_be_had_does_not_cost_the_video(clip, tmp_path, monkeypatch, caplog):
    run = run_of(clip)
    frames = np.full((8, 64, 96, 3), 90, np.uint8)

    def odd(movie, source) -> None:
        raise InputError("sound.mp4 has an odd sound.")

    monkeypatch.setattr(results, "add_audio", odd)
    with caplog.at_level(logging.WARNING, logger="t2v.library.results"):
        path = write_result(tmp_path / "out.mp4", run, frames)
    assert "odd sound" in caplog.text
    gone = replace(run, asked=replace(run.asked, clip=str(tmp_path / "gone.mp4")))
    assert write_result(tmp_path / "other.mp4", gone, frames).is_file()
    assert read_video(path).num_frames == 8 and not has_audio(path)


def test_settings_come_back_from_a_result(tmp_path):
    also = (Also("depth", "my/depth", 0.5), Also("pose"))
    for settings in (
        TextToVideoSettings("a car", seed=0, width=64, height=64),
        TextToVideoSettings("a car", upscale=2),
        CannySettings("clip.mp4", "a car", also=also, low_threshold=50.0),
        Pix2PixVideoSettings("clip.mp4", "make it red", image_guidance_scale=1.2, steady=0.5),
    ):
        told = json.loads(json.dumps(settings_dict(settings)))
        assert told["program"] == "Text2Video-Zero Studio"
        assert settings_of(told) == settings
    assert settings_of({"task": "text-to-video", "prompt": "a car"}) == TextToVideoSettings("a car")


def test_no_private_folder_goes_with_a_video(tmp_path):
    for name in ("model", "style", "controlnet-depth", "edges+lines"):
        (tmp_path / name).mkdir()
    also = (Also("depth", str(tmp_path / "controlnet-depth")), Also("pose", "me/pose"))
    own = {"model": f"{tmp_path / 'model'}+{tmp_path / 'style'}", "controlnet": str(tmp_path / "edges+lines")}
    told = settings_dict(CannySettings("clip.mp4", "a car", **own, also=also))
    assert (told["model"], told["controlnet"]) == ("model+style", "edges+lines")
    assert [part["controlnet"] for part in told["also"]] == ["controlnet-depth", "me/pose"]
    assert str(tmp_path) not in json.dumps(told)
    # what is left of a path is no model here, and that is said in one sentence
    with pytest.raises(
        InputError, match="model model is not there; give miniature, a file, a folder or a hub id"
    ):
        check_model(settings_of(told).model)


@pytest.mark.parametrize(
    "model", ["miniature", "miniature+style", "someone/model", "someone/model+other/lora", "nowhere"]
)
def test_names_that_are_no_paths_stay(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert settings_dict(TextToVideoSettings("a car", model=model))["model"] == model
    (tmp_path / "someone" / "model").mkdir(parents=True)
    shown = settings_dict(TextToVideoSettings("a car", model="someone/model"))["model"]
    assert shown == "model"  # a folder, although it looks like a hub id


def test_a_clip_that_is_elsewhere_is_asked_for(clip, monkeypatch, tmp_path):
    settings = settings_of(settings_dict(run_of(clip).filled()))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="clip is 'sound.mp4', .* no such file; put the video there, or"):
        settings.check()
    monkeypatch.chdir(clip.parent)
    settings.check()


@pytest.mark.parametrize(
    ("told", "part"),
    [
        (None, "not a JSON object"),
        ({"prompt": "a car"}, "task is None; choose one of text-to-video"),
        ({"task": ["canny"]}, "choose one of"),
        ({"task": "canny", "prompt": "a car"}, "no clip"),
        ({"task": "pix2pix", "clip": "a.mp4", "prompt": "x", "also": []}, "also, which is unknown"),
        ({"task": "canny", "clip": "a.mp4", "prompt": "x", "also": [5]}, "also is not a list"),
        ({"task": "canny", "clip": "a.mp4", "prompt": "x", "also": [{"task": "pose", "x": 1}]}, "name x,"),
    ],
)
def test_other_json_is_refused(told, part):
    with pytest.raises(InputError, match=part):
        settings_of(told)


def test_file_names_tell_the_prompt_and_the_seed_and_differ():
    run = resolved(TextToVideoSettings("A red car!", seed=3))
    first, second = (new_output_path(Path("x"), run) for _ in range(2))
    assert first != second and first.name.startswith("a-red-car-3-")


@pytest.mark.parametrize(
    ("prompt", "slug"),
    [
        ("A red car, on a street!", "a-red-car-on-a-street"),
        ("Ein süßes Kätzchen", "ein-süßes-kätzchen"),
        ("cafe\u0301", "café"),  # one letter, however it was typed
        ("красная машина", "красная-машина"),
        ("赤い車、夜の街", "赤い車-夜の街"),
        ("लाल गाड़ी", "लाल-गाड़ी"),  # with its vowel signs
        ("سيارة حمراء", "سيارة-حمراء"),
        ("../../etc/passwd\0\u202e", "etc-passwd"),
        ("🚗🚗", "video"),
        ("", "video"),
        ("x" * 999, "x" * 48),
    ],
)
def test_names_of_files_keep_the_letters_of_every_script(prompt, slug, tmp_path):
    assert slug_of(prompt) == unicodedata.normalize("NFC", slug)
    (tmp_path / f"{slug_of(prompt)}.mp4").touch()


def test_names_of_files_fit_every_system(monkeypatch, tmp_path):
    for letter in ("ü", "車", "\U00020000", "ä\u0301"):
        name = f".{slug_of(letter * 2000)}-{2**64}-abcdef-canny.mp4"
        assert 40 < len(name.encode()) < 200
        (tmp_path / name).touch()
    monkeypatch.setattr(results.os, "fsencode", lambda text: text.encode("ascii"))
    assert slug_of("ein süßes Kätzchen 7") == "ein-s-es-k-tzchen-7"

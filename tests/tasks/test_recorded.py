"""Weights in settings that a file carries: of every kind the file is found again, or another is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from clips import grey_steps
from replaceable import KINDS, Given

from t2v.checks import InputError
from t2v.library.results import settings_dict, unlike_by_now
from t2v.tasks import settings_of
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.write import write_video
from t2v.weights.models_folder import use_models_folder
from t2v.weights.recorded import first_in_folder, weights_print

NAMED = ("file", "vae", "lora", "controlnet", "adapter", "trained_model", "folder")


@pytest.fixture
def givens(tmp_path, family, square_clip):
    """Two folders of models with the same names in them."""
    for name in ("one", "two"):
        shutil.copytree(Path(family).parent, tmp_path / name / "family")
    yield [
        Given(tmp_path / name, f"{tmp_path / name}/family/text-to-image", square_clip)
        for name in ("one", "two")
    ]
    use_models_folder(None)


def told(settings) -> dict:
    return json.loads(json.dumps(settings_dict(settings)))


def again(stored: dict, clip: str):
    settings = settings_of(stored)
    return replace(settings, clip=clip) if hasattr(settings, "clip") else settings


@pytest.mark.parametrize("kind", NAMED)
def test_every_kind_of_file_is_told_from_another_of_its_name(givens, kind):
    one, two = givens
    use_models_folder(one.folder)
    asked = KINDS[kind](one, 0)
    stored = told(asked)
    assert str(one.folder) not in json.dumps({**stored, "clip": ""})
    found = again(stored, one.clip)
    found.check()
    assert settings_dict(found) == settings_dict(asked)
    if kind in ("folder", "trained_model"):
        KINDS[kind](two, 0)
    KINDS[kind](two, 1)
    use_models_folder(two.folder)
    with pytest.raises(
        InputError,
        match="(model|controlnet) .* is another file here than the one that the video was made with",
    ):
        again(stored, one.clip).check()


def test_ip_adapters_and_further_controlnets_are_told_from_others(givens):
    one, two = givens
    for given, seed in ((one, 0), (two, 1)):
        KINDS["controlnet"](given, seed)
        shown = KINDS["ip_adapter"](given, seed)
    asked = CannySettings(
        one.clip,
        "a car",
        model=one.family,
        controlnet="control",
        also=(Also("depth", "control"), Also("pose")),
    )
    use_models_folder(one.folder)
    with_picture = replace(shown, model="family/text-to-image", ip_adapter="ip.safetensors+image_encoder")
    stored, pictured = told(replace(asked, controlnet=None)), told(with_picture)
    again(stored, one.clip).check()
    assert again(stored, one.clip).also == (Also("depth", "control"), Also("pose"))
    replace(settings_of(pictured), picture_prompt=shown.picture_prompt).check()
    use_models_folder(two.folder)
    with pytest.raises(InputError, match="controlnet control is another file here"):
        again(stored, one.clip).check()
    with pytest.raises(InputError, match=r"ip_adapter ip\.safetensors is another file here"):
        replace(settings_of(pictured), picture_prompt=shown.picture_prompt).check()


def test_two_files_of_one_name_are_each_found_again(tmp_path):
    for name in ("own", "one/own", "two/own"):
        path = tmp_path / "models" / f"{name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    use_models_folder(tmp_path / "models")
    try:
        for name in ("own.safetensors", "one/own.safetensors", "two/own.safetensors"):
            stored = told(TextToVideoSettings("a car", model=name))
            assert stored["model"] == settings_of(stored).model == name
        (tmp_path / "models/two/own.safetensors").rename(tmp_path / "models/own.safetensors")
        assert settings_of(stored).model == "own.safetensors"  # where it lies now
        changed = {**stored, "model": "one/own.safetensors"}  # by somebody
        assert settings_of(changed).model == "one/own.safetensors"
        for nonsense in (3, {"model": 3}, {"model": [3]}, {"model": []}, {"also": "x"}, None):
            assert settings_of({**stored, "weights": nonsense}).model == "two/own.safetensors"
    finally:
        use_models_folder(None)


def test_hub_ids_and_what_is_bundled_carry_no_prints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for model in ("miniature", "miniature+style@0.5", "someone/model+other/lora", "nowhere"):
        assert "weights" not in told(TextToVideoSettings("a car", model=model))
        assert first_in_folder(model) == model


def test_the_print_looks_into_large_files_and_follows_them(tmp_path):
    path, size = tmp_path / "a.safetensors", 8 * 2**20
    path.write_bytes(bytes(size))
    first = weights_print(path)
    path.write_bytes(bytes(size // 2) + bytes([1]) * (size // 2))
    second = weights_print(path)
    assert first != second and len(second) == 12
    shutil.copy(path, tmp_path / "b.safetensors")
    assert weights_print(tmp_path / "b.safetensors") == second  # whatever it is called
    assert weights_print(tmp_path / "gone") is None and weights_print(tmp_path / "none") is None


def test_what_was_replaced_since_a_video_was_made_is_told(givens, tmp_path):
    one, _ = givens
    use_models_folder(one.folder)
    for kind in ("lora", "controlnet"):
        asked = KINDS[kind](one, 0)
        video = write_video(tmp_path / f"{kind}.mp4", grey_steps(1, 16, 16), 4, settings_dict(asked))
        assert unlike_by_now(video, asked) == ()
        KINDS[kind](one, 1)
        (sentence,) = unlike_by_now(video, asked)
        assert ", with which this video was made, is not here, or is another file: choose" in sentence
        assert "<" not in sentence and str(tmp_path) not in sentence
    assert unlike_by_now(tmp_path / "gone.mp4", asked) == ()

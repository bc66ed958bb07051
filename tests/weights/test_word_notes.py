"""word_notes.py: learned words are said to be meant exactly where they are, and else why they are not."""

import shutil

import pytest
import torch
from checkpoint_files import (
    TEXT_WIDTH,
    checkpoint,
    checkpoint_of_xl,
    parts_of_1,
    parts_of_xl,
    write_safetensors,
)
from huggingface_hub import constants
from safetensors.torch import save_file
from small_videos import SMALL, saved
from small_xl import small_xl_pipeline

from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.load import load_pipeline, read_tokenizer
from t2v.weights.models_folder import use_models_folder
from t2v.weights.source import Source
from t2v.weights.word_notes import word_notes
from t2v.weights.words import named_words, use_words

PROMPT = "a car, sd1 sd2 xl own small many"
BUNDLED_WIDTH = 192


@pytest.fixture
def models(tmp_path):
    """Files of learned words for all kinds of models, named in PROMPT."""
    for name, vectors in {
        "sd1.safetensors": {"emb_params": torch.ones(2, 768)},
        "sd2.safetensors": {"emb_params": torch.ones(2, 1024)},
        "xl.safetensors": {"clip_l": torch.ones(2, TEXT_WIDTH), "clip_g": torch.ones(2, 2 * TEXT_WIDTH)},
        "own.safetensors": {"emb_params": torch.ones(BUNDLED_WIDTH)},
        "small.safetensors": {"emb_params": torch.ones(3, TEXT_WIDTH)},
        "many.safetensors": {"emb_params": torch.ones(76, TEXT_WIDTH)},
    }.items():
        save_file(vectors, tmp_path / name)
    use_models_folder(tmp_path)
    yield tmp_path
    use_models_folder(None)


def told(model: str) -> dict[str, str]:
    """The notes of a model, by the files that they are of."""
    source, words = Source.parse(model), named_words(PROMPT)
    assert len(words) == 6
    found = word_notes(source, words, read_tokenizer(source))
    return {
        one.path.stem: text
        for one in words
        for text in found
        if f"{one.name} " in text or f"{one.name}." in text
    }


def meant(stem: str) -> str:
    return f"“{stem}” in the prompt means the learned words of {stem}.safetensors."


def unread(stem: str, why: str, name: str = "this model") -> str:
    plain = f"and is not read by {name}; its name is read as plain words."
    return f"The file {stem}.safetensors of learned words {why} {plain}"


@pytest.mark.slow
def test_notes_say_what_loading_does_with_models_of_every_kind(models):
    one = write_safetensors(models / "one.safetensors", checkpoint(parts_of_1()))
    xl = write_safetensors(models / "large.safetensors", checkpoint_of_xl(parts_of_xl()))
    folder = models.parent / f"{models.name}-xl"
    small_xl_pipeline().save_pretrained(folder)
    read = {"miniature": {"own"}, str(one): {"small"}, str(xl): {"xl"}, str(folder): set()}
    for model, wanted in read.items():
        pipeline = load_pipeline(model, "cpu", torch.float32)
        use_words(pipeline, named_words(PROMPT))
        notes = told(model)
        assert set(pipeline.words) == wanted, model
        assert {stem for stem, text in notes.items() if text == meant(stem)} == wanted, model
        assert len(notes) == 6 and all("is not read by" in notes[stem] for stem in notes.keys() - wanted)


def test_what_they_are_for_is_told(models):
    notes = told("miniature")
    assert notes["sd1"] == unread("sd1", "is for Stable Diffusion 1.x", "the miniature")
    assert notes["sd2"] == unread("sd2", "is for Stable Diffusion 2.x", "the miniature")
    assert notes["xl"] == unread("xl", "is for Stable Diffusion XL", "the miniature")
    assert notes["small"] == unread("small", "is for another model", "the miniature")
    one = write_safetensors(models / "one.safetensors", checkpoint(parts_of_1()))
    why = "has 76 vectors, where a text has room for 75,"
    assert told(str(one))["many"] == unread("many", why)


def test_of_a_model_that_is_not_here_nothing_is_told(models):
    assert told("somebody/somewhere") == {} and told("/nowhere/at/all") == {}


def test_of_a_hub_id_it_is_told_when_all_of_it_was_fetched(models, model_folder, tmp_path, monkeypatch):
    save_file({"emb_params": torch.ones(2, 16)}, models / "own.safetensors")
    cache = tmp_path / "cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    place = cache / "models--somebody--small"
    shutil.copytree(model_folder, place / "snapshots" / "abc")
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("abc")
    notes = told("somebody/small")
    assert notes["own"] == meant("own") and notes["sd1"] == unread("sd1", "is for Stable Diffusion 1.x")
    shutil.rmtree(place / "snapshots" / "abc" / "vae")
    assert told("somebody/small") == {}


def test_trained_video_models_read_none(models):
    kind = next(iter(SMALL))
    folder = str(saved(SMALL[kind](), models.parent / f"{models.name}-{kind}"))
    assert told(folder)["sd1"] == unread("sd1", "is for Stable Diffusion 1.x")
    notes = [note.text for note in Engine("cpu").prompt_notes(TextToVideoSettings("a car sd1", model=folder))]
    assert unread("sd1", "is for Stable Diffusion 1.x") in notes


@pytest.mark.parametrize("prompt", ["a red car, SD1", "sd1", "own"])
def test_a_name_has_its_own_note_and_is_not_told_as_unknown_too(models, prompt):
    notes = [note.text for note in Engine("cpu").prompt_notes(TextToVideoSettings(prompt))]
    own = meant("own") if prompt == "own" else unread("sd1", "is for Stable Diffusion 1.x", "the miniature")
    assert notes == [own]
    many = [note.text for note in Engine("cpu").prompt_notes(TextToVideoSettings(f"{prompt} flurb"))]
    assert many == ["The miniature has never seen “flurb”, so expect something else there.", own]

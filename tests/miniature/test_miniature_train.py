"""Training the family in small: every recipe from nothing, resumed, and from the bundled weights."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from miniature import data, shapes
from miniature.autoencoder import build_autoencoder
from miniature.banks import Bank, Encoder, caption_bank
from miniature.package import load_pipeline
from miniature.recipes import RECIPES, Run
from miniature.text_to_image import build_text_to_image, carry_words, token_ids
from miniature.tokenizer import build_tokenizer
from miniature.train import budgets, train
from miniature.world import VOCABULARY, belongs, draw

pytestmark = pytest.mark.slow

STAGE = dataclasses.replace(shapes.TEXT_TO_IMAGE_STAGES[0], batch=2, scenes=8, fresh=1)


@pytest.fixture(scope="module")
def tokenizer():
    return data.world_tokenizer()


@pytest.fixture(scope="module")
def encoder(tokenizer):
    return Encoder(build_autoencoder(), tokenizer, pixels=64)


def tiny_run(folder, minutes=0.001, start_from=None):
    return Run(folder / "runs", folder / "out", torch.device("cpu"), minutes, start_from, tiny=True)


def test_bank_renews_its_oldest_rows():
    stage = dataclasses.replace(STAGE, scenes=64, fresh=32)
    bank = Bank(stage, 0, lambda rng, count: (torch.from_numpy(rng.random((count, 2))),))
    before = bank.columns[0].clone()
    (rows,) = bank.rows(3)
    assert rows.shape == (3, 2)
    assert (before[:32] != bank.columns[0][:32]).all()
    assert torch.equal(before[32:], bank.columns[0][32:])
    assert all(any(torch.equal(row, kept) for kept in bank.columns[0]) for row in rows)


def test_bank_never_holds_a_held_out_combination(encoder, monkeypatch):
    seen = []
    monkeypatch.setattr(data, "draw_scene", lambda scene, pixels: seen.append(scene) or draw(scene, pixels))
    bank = caption_bank(dataclasses.replace(STAGE, scenes=64), 0, encoder)
    assert len(seen) == 64
    assert all(belongs(scene, "train") for scene in seen)
    assert bank.columns[0].shape == (64, 4, 8, 8)
    assert bank.columns[1].shape[2] == shapes.MAX_TOKENS


def test_a_tenth_of_the_captions_is_left_empty(encoder, tokenizer):
    torch.manual_seed(0)
    ids = encoder.wordings([["a red car", "the red car"]] * 2000)
    chosen = encoder.one_of(ids)
    empty = token_ids(tokenizer, [""])[0]
    assert 0.08 < (chosen == empty).all(dim=1).float().mean().item() < 0.12
    assert 0.4 < (chosen == ids[0, 1]).all(dim=1).float().mean().item() < 0.5


def test_known_words_keep_their_meaning_in_a_larger_vocabulary():
    small, large = build_tokenizer(["a red car"]), build_tokenizer(["a blue car", "a red balloon"])
    old, new = (build_text_to_image(words)["text_encoder"].eval() for words in (small, large))
    carry_words(old, small, new, large)
    with torch.no_grad():
        before, after = (
            model(token_ids(words, ["a red car"])).last_hidden_state
            for model, words in ((old, small), (new, large))
        )
    length = 5  # begin, three words, end; what follows is padding
    assert torch.allclose(before[:, :length], after[:, :length], atol=1e-6)


def test_budget_is_shared_out_in_the_proportions_of_the_shapes(tmp_path):
    minutes = budgets(tiny_run(tmp_path, 10.0), ("autoencoder", "style"))
    assert sum(minutes.values()) == pytest.approx(10)
    expected = shapes.AUTOENCODER_STAGE.minutes / shapes.STYLE_STAGE.minutes
    assert minutes["autoencoder"] / minutes["style"] == pytest.approx(expected)


def test_every_recipe_trains_from_nothing_and_resumes(tmp_path):
    train(tiny_run(tmp_path), tuple(RECIPES))
    first = {path.stem: torch.load(path) for path in (tmp_path / "runs").glob("*.pt")}
    assert set(first) == {stage.name for recipe in RECIPES.values() for stage in recipe.stages}
    assert all(state["step"] > 0 for state in first.values())
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(RECIPES) - {"autoencoder", "pairs"}

    spent = sum(state["seconds"] for state in first.values()) / 60
    train(tiny_run(tmp_path, 2 * spent), ("text-to-image",))  # more for each stage than it has had
    again = torch.load(tmp_path / "runs" / "text-to-image-256.pt")
    assert again["step"] > first["text-to-image-256"]["step"]

    folder = tmp_path / "out" / "text-to-image"
    facts = json.loads((folder / "miniature.json").read_text())
    assert np.shape(facts["preview"]) == (5, 3)
    assert facts["words"]["colours"] == list(VOCABULARY["colours"])
    pipe = load_pipeline(folder)
    assert torch.equal(next(pipe.text_encoder.parameters()), again["average"][0].half().float())


def test_training_can_go_on_from_the_bundled_weights(tmp_path):
    run = tiny_run(tmp_path, start_from=shapes.WEIGHTS)
    train(run, ("text-to-image",))
    bundled, onwards = load_pipeline(shapes.TEXT_TO_IMAGE), load_pipeline(run.out / "text-to-image")
    assert torch.equal(onwards.vae.decoder.layers[0].weight, bundled.vae.decoder.layers[0].weight)
    moved = (onwards.unet.conv_out.weight - bundled.unet.conv_out.weight).abs().max()
    assert 0 < moved < 0.01


def test_a_recipe_says_what_has_to_be_trained_before_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="train text-to-image first"):
        train(tiny_run(tmp_path), ("editor",))

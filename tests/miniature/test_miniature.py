"""The miniature: its parts, its training in small, its package, and the bundled weights."""

import dataclasses
import json

import pytest
import torch
from diffusers import StableDiffusionPipeline

from miniature import data, shapes
from miniature.autoencoder import (
    build_autoencoder,
    carry_blocks,
    encode,
    fit_scaling,
    measure_autoencoder,
    preview_matrix,
)
from miniature.banks import PicturePool
from miniature.fit import learning_rate
from miniature.package import load_pipeline
from miniature.text_to_image import build_text_to_image, text_to_image_loss, token_ids
from miniature.tokenizer import build_tokenizer
from miniature.world import VOCABULARY, plain_caption

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pictures():
    return data.held_out_pictures(4)


@pytest.fixture(scope="module")
def tokenizer():
    return data.world_tokenizer()


@pytest.fixture(scope="module")
def bundled():
    return load_pipeline(shapes.TEXT_TO_IMAGE)


def test_every_word_of_the_world_is_one_token_and_unknown_words_are_not_lost(tokenizer):
    for word in (word for phrases in VOCABULARY.values() for phrase in phrases for word in phrase.split()):
        assert tokenizer.tokenize(word) == [word + "</w>"]
    pieces = tokenizer.tokenize("a quick brown zebra é")
    assert tokenizer.unk_token not in pieces
    assert "".join(pieces).replace("</w>", " ").split()[3] == "zebra"


def test_tokens_are_padded_and_cut_to_one_length(tokenizer):
    ids = token_ids(tokenizer, ["a red car", "red " * 100])
    assert ids.shape == (2, shapes.MAX_TOKENS)
    assert (ids[:, 0] == tokenizer.bos_token_id).all()
    assert (ids[:, -1] == tokenizer.eos_token_id).all()


def test_vocabulary_can_hold_words_no_caption_has():
    assert build_tokenizer(["a red car"], ["blue"]).tokenize("blue") == ["blue</w>"]


def test_untrained_autoencoder_already_shows_the_picture_in_its_colours(pictures):
    figures = measure_autoencoder(build_autoencoder(), pictures)
    assert figures["psnr_db"] > 14
    flat = torch.tensor([0.8, -0.2, 0.4]).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    assert measure_autoencoder(build_autoencoder(), flat)["mean_absolute_error"] < 20


def test_scaled_latents_have_unit_deviation_and_the_preview_shows_their_colours(pictures):
    model = build_autoencoder()
    factor = fit_scaling(model, pictures)
    latents = encode(model, pictures).detach() * factor
    assert latents.std().item() == pytest.approx(1, abs=1e-3)
    rows = torch.tensor(preview_matrix(model, pictures))
    seen = latents.permute(0, 2, 3, 1) @ rows[:4] + rows[4]
    small = torch.nn.functional.avg_pool2d(pictures, 8).permute(0, 2, 3, 1)
    assert (seen - small).abs().mean() < 0.05


def test_a_deeper_autoencoder_begins_as_the_shallower_one(pictures, monkeypatch):
    old = build_autoencoder()
    torch.manual_seed(1)
    for parameter in old.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))  # as if trained: no block is empty
    more = {"num_encoder_blocks": (0, 2, 3, 7), "num_decoder_blocks": (9, 3, 2, 0)}
    monkeypatch.setattr("miniature.autoencoder.AUTOENCODER", {**shapes.AUTOENCODER, **more})
    new = build_autoencoder()
    carry_blocks(old, new)
    assert sum(p.numel() for p in new.parameters()) > sum(p.numel() for p in old.parameters())
    with torch.no_grad():
        latents = encode(old, pictures[:1])
        assert torch.allclose(encode(new, pictures[:1]), latents, atol=1e-5)
        assert torch.allclose(new.decode(latents).sample, old.decode(latents).sample, atol=1e-5)


def test_crops_are_taken_where_there_is_more_to_learn():
    stage = dataclasses.replace(shapes.AUTOENCODER_STAGE, scenes=1, fresh=0)
    pool = PicturePool(stage, 0)
    half = torch.zeros(256, 256, 3, dtype=torch.uint8).numpy()
    half[:, 128:] = 255 * (torch.arange(128) % 2)[None, :, None].numpy()
    pool.pictures = [half]
    crops = pool.crops(200)
    assert crops.shape == (200, 3, 64, 64)
    striped = (crops.std((1, 2, 3)) > 0.5).float().mean()
    assert 0.7 < striped < 0.95  # 0.56 of all places; of two the better one


def test_learning_rate_warms_up_stays_and_falls():
    stage = dataclasses.replace(shapes.TEXT_TO_IMAGE_STAGES[0], learning_rate=1.0, falls_from=0.5)
    assert learning_rate(stage, 0, 0.0) == pytest.approx(0.01)
    assert learning_rate(stage, 1000, 0.5) == pytest.approx(1.0)
    assert learning_rate(stage, 1000, 0.75) == pytest.approx(0.51)
    assert learning_rate(stage, 1000, 1.0) == pytest.approx(0.02)


def test_held_out_prompts_are_many_subjects_colours_and_places():
    prompts = [plain_caption(scene) for scene in data.held_out_scenes(16)]
    assert len(set(prompts)) == 16
    words = {word for prompt in prompts for word in prompt.split()}
    assert len(words & set(VOCABULARY["subjects"])) >= 10
    assert set(VOCABULARY["colours"]) <= words


@pytest.mark.parametrize(
    ("caption", "left"),
    [
        ("an orange car on the street", "a car on the street"),
        ("a blue astronaut that is waving", "an astronaut that is waving"),
        ("the red star, cartoon", "the star, cartoon"),
        ("a photo of a white hot air balloon", "a photo of a hot air balloon"),
    ],
)
def test_colours_are_left_out_with_the_right_article(caption, left):
    assert data.without_colours(caption) == left


def test_loss_of_a_guess_at_zero_is_the_weighted_noise(tokenizer):
    parts = build_text_to_image(tokenizer)
    torch.nn.init.zeros_(parts["unet"].conv_out.weight)
    torch.nn.init.zeros_(parts["unet"].conv_out.bias)
    torch.manual_seed(0)
    loss = text_to_image_loss(parts, torch.randn(8, 4, 16, 16), token_ids(tokenizer, ["a red car"] * 8))
    assert 0.5 < loss.item() < 0.95  # noise of variance 1, the low noise levels counted less


def picture_of(pipe, prompt):
    """A quick picture, float (h, w, c) in 0..1."""
    seed = torch.Generator().manual_seed(0)
    settings = {"width": 256, "height": 256, "num_inference_steps": 8, "guidance_scale": 5.0}
    return pipe(prompt, **settings, generator=seed, output_type="np").images[0]


def test_bundled_weights_draw_the_colour_asked_for_in_stock_diffusers(bundled):
    def middle(prompt):
        return picture_of(bundled, prompt)[110:200, 90:166].mean(axis=(0, 1))  # where the subject is

    red, blue = middle("a red car on the street"), middle("a blue car on the street")
    assert red[0] - red[2] > blue[0] - blue[2] + 0.3


def test_bundled_weights_draw_the_place_asked_for(bundled):
    def sky(prompt):
        return picture_of(bundled, prompt)[:40].mean()

    assert sky("a red ball on the grass") > sky("a red ball on the moon") + 0.3


def test_bundled_files_fit_the_budget_and_say_how_to_use_them(bundled):
    files = [path for path in shapes.WEIGHTS.rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in files) < 16_000_000
    assert sum(path.stat().st_size for path in files) < 50_000_000
    facts = json.loads((shapes.TEXT_TO_IMAGE / "miniature.json").read_text())
    phrases = [phrase for group in facts["words"].values() for phrase in group]
    for word in " ".join(phrases).split():
        assert len(bundled.tokenizer.tokenize(word)) == 1
    assert facts["defaults"]["t0"] < facts["defaults"]["t1"] < 1000
    assert facts["tasks"] == shapes.TASKS
    assert facts["half"] == shapes.HALF


def test_bundled_autoencoder_reconstructs_held_out_scenes(bundled, pictures):
    assert measure_autoencoder(bundled.vae, pictures)["psnr_db"] > 27


def test_the_folder_loads_in_one_precision_when_none_is_named():
    """transformers would follow the config and load halves beside diffusers' float32."""
    pipe = StableDiffusionPipeline.from_pretrained(shapes.TEXT_TO_IMAGE, safety_checker=None)
    assert {pipe.text_encoder.dtype, pipe.unet.dtype, pipe.vae.dtype} == {torch.float32}

"""The two judges: their scenes, their losses, what they make of scores, and their folders."""

import dataclasses

import numpy as np
import pytest
import torch
from transformers import CLIPTextModelWithProjection, CLIPVisionModelWithProjection

from miniature.judges import clip as judge_clip
from miniature.judges import reader as judge_reader
from miniature.judges.scenes import (
    CLASSES,
    UNKNOWN,
    judge_scene,
    labels_of,
    near_miss,
    telling,
    value_of,
    with_value,
)
from miniature.shapes import JUDGE_STAGES, MAX_TOKENS
from miniature.tokenizer import build_tokenizer
from miniature.world import Scene, Subject

pytestmark = pytest.mark.slow

CAR = Scene("street", (Subject("car", "red"),))
PANDA = Scene("grass", (Subject("panda", "blue", pose="waving"), Subject("cat", "red")))


@pytest.fixture(scope="module")
def tokenizer():
    rng = np.random.default_rng(0)
    return build_tokenizer([telling(judge_scene(rng), rng) for _ in range(60)])


@pytest.fixture(scope="module")
def pair(tokenizer):
    torch.manual_seed(0)
    return judge_clip.build_clip(tokenizer).eval()


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    return judge_reader.build_reader().eval()


def tiny(stage):
    return dataclasses.replace(stage, scenes=32, fresh=0)


def test_near_misses_differ_in_one_visible_word():
    rng = np.random.default_rng(0)
    sketch = dataclasses.replace(CAR, style="pencil sketch", place="city", time="night")
    for _ in range(60):
        wrong = near_miss(sketch, rng)
        changed = [name for name in CLASSES if value_of(wrong, name) != value_of(sketch, name)]
        assert len(changed) == 1
        assert changed[0] not in ("colour", "time")  # neither is to be seen in a sketch of a city
        assert telling(wrong) != telling(sketch)


def test_one_value_is_changed_and_the_second_subject_stays():
    car = with_value(PANDA, "subject", "car")
    assert (value_of(car, "subject"), value_of(car, "colour")) == ("car", "blue")
    assert car.subjects[0].pose == "standing"  # cars do not wave
    assert car.subjects[1] == PANDA.subjects[1]


def test_judges_learn_from_all_classes_the_kept_style_included():
    rng = np.random.default_rng(0)
    scenes = [judge_scene(rng) for _ in range(400)]
    for name, values in CLASSES.items():
        assert {value_of(scene, name) for scene in scenes} == set(values)
    assert "neon" in telling(dataclasses.replace(CAR, style="neon"))


def test_contrast_is_low_for_matched_embeddings_and_high_for_shuffled_ones():
    drawn = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))
    vectors = torch.nn.functional.normalize(drawn, dim=1)
    similarities = 30 * vectors @ vectors.T
    same = torch.eye(8, dtype=torch.bool)
    assert judge_clip.contrast(similarities, same) < 0.1
    assert judge_clip.contrast(similarities.roll(1, dims=1), same) > 5


def test_contrast_punishes_wrong_words_but_not_captions_that_fit_as_well():
    similarities = torch.tensor([[5.0, 5.0, 0.0, 0.0], [5.0, 5.0, 0.0, 0.0]])
    same = torch.ones(2, 2, dtype=torch.bool)
    assert judge_clip.contrast(similarities, torch.eye(2, dtype=torch.bool)) > 0.69  # a toss-up: ln 2
    assert judge_clip.contrast(similarities, same) < 0.02
    assert judge_clip.contrast(similarities + torch.tensor([0.0, 0.0, 5.0, 0.0]), same) > 0.3


def test_clip_bank_rows_make_a_loss_that_trains_both_models(pair, tokenizer):
    bank = judge_clip.clip_bank(tiny(JUDGE_STAGES[0]), 0, tokenizer)
    pictures, right, wrong, numbers, labels = bank.rows(4)
    assert (pictures.shape, pictures.dtype) == ((4, 128, 128, 3), torch.uint8)
    assert right.shape == wrong.shape == (4, judge_clip.WORDINGS, MAX_TOKENS)
    assert not (right[:, 0] == wrong[:, 0]).all(dim=1).any()
    loss = judge_clip.clip_loss(pair, pictures, right, wrong, numbers, labels)
    loss.backward()
    assert 1 < loss.item() < 10
    for name in ("text", "vision", "temperature", "names"):
        assert any(p.grad is not None and p.grad.abs().max() > 0 for p in pair[name].parameters())


def test_choice_is_the_word_whose_caption_lies_nearest(pair, tokenizer, monkeypatch):
    judge = judge_clip.ClipJudge(pair, tokenizer)
    blue_car = with_value(CAR, "colour", "blue")
    seen = judge.captions([telling(blue_car)])
    monkeypatch.setattr(
        judge_clip.ClipJudge, "pictures", lambda self, pictures: seen.expand(len(pictures), -1)
    )
    picture = np.zeros((1, 8, 8, 3), np.uint8)
    assert judge.choose(picture, [CAR], "colour") == ["blue"]
    assert judge.choose(picture, [blue_car], "place") == ["street"]


def test_retrieval_scenes_differ_pairwise_and_return():
    scenes = judge_clip.different_scenes(3, 40)
    triples = {(value_of(s, "subject"), value_of(s, "colour"), s.place) for s in scenes}
    assert len(triples) == 40
    assert judge_clip.different_scenes(3, 40) == scenes
    assert judge_clip.different_scenes(4, 40) != scenes


def test_clip_folder_is_stock_small_and_says_the_same(pair, tokenizer, tmp_path):
    folder = judge_clip.save_clip(tmp_path / "judge-clip", pair, tokenizer)
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 1_950_000
    again = judge_clip.load_clip(folder)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
    before = judge_clip.ClipJudge(pair, tokenizer)
    assert torch.allclose(again.pictures(pictures), before.pictures(pictures), atol=0.02)
    assert torch.allclose(again.captions(["a red car"]), before.captions(["a red car"]), atol=0.02)
    assert again.parts["temperature"].log_scale.item() == pytest.approx(pair["temperature"].log_scale.item())
    vision = CLIPVisionModelWithProjection.from_pretrained(folder / "vision")
    text = CLIPTextModelWithProjection.from_pretrained(folder / "text")
    assert (vision.dtype, text.dtype) == (torch.float32, torch.float32)
    assert vision.config.projection_dim == text.config.projection_dim


def test_soft_argmax_finds_a_drawn_peak_between_cells():
    places = torch.tensor([[[10.3, 20.7], [2.6, 28.2]]])
    scores = (judge_reader.peaks(places) + 1e-9).log()
    assert torch.allclose(judge_reader.centres_of(scores), places, atol=0.1)


def test_labels_leave_out_colours_nobody_can_see():
    labels = dict(zip(CLASSES, labels_of(CAR), strict=True))
    assert CLASSES["subject"][labels["subject"]] == "car"
    assert CLASSES["colour"][labels["colour"]] == "red"
    sketch = labels_of(with_value(CAR, "style", "pencil sketch"))
    assert sketch[list(CLASSES).index("colour")] == UNKNOWN
    moon = labels_of(with_value(CAR, "place", "moon"))
    assert [name for name, number in zip(CLASSES, moon, strict=True) if number == UNKNOWN] == ["time"]


def test_reader_loss_rewards_right_joints_and_ignores_missing_ones(reader):
    bank = judge_reader.reader_bank(tiny(JUDGE_STAGES[1]), 0)
    pictures, labels, maps, places = bank.rows(6)
    assert maps.shape == (6, 2, 32, 32)
    loss = judge_reader.reader_loss(reader, pictures, labels, maps, torch.full_like(places, torch.nan))
    loss.backward()
    assert torch.isfinite(loss)
    assert reader["reader"].maps.weight.grad[2:].abs().max() == 0
    figures = torch.full_like(places, 16.0)
    with_joints = judge_reader.reader_loss(reader, pictures, labels, maps, figures)
    assert with_joints > loss + 1


def test_reader_learns_to_tell_two_pictures_apart():
    torch.manual_seed(0)
    parts = judge_reader.build_reader()
    scenes = [CAR, dataclasses.replace(CAR, place="beach", time="night")]
    rows = (
        judge_reader.small_pictures(scenes),
        torch.tensor([labels_of(scene) for scene in scenes]),
        torch.from_numpy(np.stack([judge_reader.maps_of(scene) for scene in scenes])),
        torch.from_numpy(np.stack([judge_reader.first_joints(scene) for scene in scenes])),
    )
    optimizer = torch.optim.AdamW(parts.parameters(), 3e-3)
    for _ in range(25):
        loss = judge_reader.reader_loss(parts, *rows)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    seen = judge_reader.read(parts, rows[0].numpy())
    assert seen.values["place"] == ["street", "beach"]
    assert seen.values["time"] == ["day", "night"]
    assert seen.values["subject"] == ["car", "car"]
    assert seen.nearness[0, -1].mean() > seen.nearness[0, 0].mean() + 40  # the ground in front, the sky


def test_a_reader_with_more_blocks_begins_as_the_one_before(reader, tmp_path, monkeypatch):
    folder = judge_reader.save_reader(tmp_path / "judge-reader", reader)
    monkeypatch.setitem(judge_reader.READER, "blocks", (3, 4, 5))
    grown = judge_reader.build_reader(folder).eval()
    assert len(grown["reader"].coarse) == 6
    picture = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), dtype=np.uint8)
    before, after = judge_reader.read(reader, picture), judge_reader.read(grown, picture)
    assert np.allclose(before.nearness, after.nearness, atol=3)
    assert before.values == after.values


def test_reader_folder_is_small_says_the_same_and_refuses_another_world(reader, tmp_path):
    folder = judge_reader.save_reader(tmp_path / "judge-reader", reader)
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 1_800_000
    pictures = np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), dtype=np.uint8)
    before = judge_reader.read(reader, pictures)
    after = judge_reader.read(judge_reader.load_reader(folder), pictures)
    assert np.allclose(before.nearness, after.nearness, atol=3)
    assert before.joints.shape == (3, 18, 2)
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"red"', '"crimson"'))
    with pytest.raises(ValueError, match="another world"):
        judge_reader.load_reader(folder)

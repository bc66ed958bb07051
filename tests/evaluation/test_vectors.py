"""Formulas on vectors, VBench's on clips of known motion, sharpness, and models that look."""

import json

import cv2
import numpy as np
import pytest
import torch
from conftest import small_tokenizer
from transformers import CLIPConfig, CLIPModel, ViTConfig, ViTModel

from miniature.world import Scene, Subject, clip, draw
from t2v.checks import InputError
from t2v.evaluation.eyes import load_class_token, load_clip_eyes
from t2v.evaluation.likeness import frame_consistency, text_score
from t2v.evaluation.sharpness import sharpness
from t2v.evaluation.vbench import (
    between,
    consistency,
    dynamic_degree,
    motion_smoothness,
    temporal_flickering,
)

CAR = Scene(place="street", subjects=(Subject("car", "red"),), seed=7)


def at(*degrees: float) -> np.ndarray:
    """Unit vectors (n, 2) at these angles."""
    return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


def test_scores_are_cosines():
    assert text_score(at(0, 60), at(0)[0]) == pytest.approx(0.75)
    assert frame_consistency(at(0, 60, 60)) == pytest.approx(0.75)
    assert frame_consistency(at(30, 30, 30)) == pytest.approx(1)


def test_consistency_looks_at_the_first_frame_and_the_one_before():
    assert consistency(at(20, 20, 20)) == pytest.approx(1)
    # frame 1: (.5 + .5) / 2; frame 2: first -0.5, which counts as 0, one before .5
    assert consistency(at(0, 60, 120)) == pytest.approx((0.5 + 0.25) / 2)
    assert consistency(at(0, 90, 180)) == pytest.approx(0, abs=1e-6)


def test_flickering_is_the_change_of_neighbours():
    frames = np.full((3, 20, 20, 3), 100, np.uint8)
    assert temporal_flickering(frames) == 1
    frames[1] = 151
    assert temporal_flickering(frames) == pytest.approx(1 - 51 / 255)


def test_the_frame_between_is_foretold_by_its_neighbours():
    frames = clip(CAR, (4, 0), 5, 128)
    inside = np.s_[8:-8, 16:-16]
    assert np.abs(between(frames[0], frames[2]) - frames[1])[inside].mean() < 1
    even, uneven = motion_smoothness(frames), motion_smoothness(frames[[0, 2, 1, 4, 3]])
    assert motion_smoothness(np.repeat(frames[:1], 5, axis=0)) == 1
    assert 0.99 < even < 1
    assert uneven < even - 0.01


@pytest.mark.parametrize(("px", "dynamic"), [(2.5, False), (4, True)])
def test_what_moves_by_more_than_six_pixels_at_256_is_dynamic(px, dynamic):
    found = dynamic_degree(clip(CAR, (px, 0), 8, 128))
    assert found.dynamic is dynamic
    assert found.speed == pytest.approx(px, rel=0.15)


def test_a_part_that_moves_is_enough_and_few_frames_are_not():
    still = np.repeat(draw(CAR, 128)[None], 8, axis=0)
    assert not dynamic_degree(still).dynamic
    once = still.copy()
    once[4:] = clip(CAR, (5, 0), 2, 128)[1]
    assert not dynamic_degree(once).dynamic  # one pair of seven, and two are needed

    def a_tenth(before: np.ndarray, after: np.ndarray) -> np.ndarray:
        flow = np.zeros((*before.shape[:2], 2), np.float32)
        flow[:13] = (0, 9)
        return flow

    assert dynamic_degree(still, a_tenth).dynamic
    assert dynamic_degree(still, a_tenth).speed == pytest.approx(9)


def test_sharpness_falls_with_blur_and_is_not_of_the_brightness():
    picture = draw(CAR, 128)
    blurred = cv2.GaussianBlur(picture, (0, 0), 1.5)
    assert sharpness(blurred[None]) < 0.75 * sharpness(picture[None])
    assert sharpness(np.stack([picture, blurred])) == pytest.approx(
        (sharpness(picture[None]) + sharpness(blurred[None])) / 2
    )
    ramp = np.tile(np.arange(0, 200, 4, dtype=np.uint8)[:, None], (20, 1, 3))
    assert sharpness(ramp[None]) == pytest.approx(4)
    assert sharpness(ramp[None] + np.uint8(50)) == pytest.approx(4)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    """CLIP as it is saved, small and random."""
    folder = tmp_path_factory.mktemp("clip")
    tokenizer = small_tokenizer()
    layers = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    words = {"vocab_size": len(tokenizer), "max_position_embeddings": 16}
    names = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = CLIPConfig(
        text_config={**layers, **words, **names},
        vision_config={**layers, "image_size": 32, "patch_size": 8},
        projection_dim=12,
    )
    torch.manual_seed(0)
    CLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    save_processor(folder, "CLIPImageProcessor")
    return folder


def save_processor(folder, kind: str) -> None:
    facts = {"image_processor_type": kind, "size": {"height": 32, "width": 32}, "do_center_crop": False}
    facts |= {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_resize": True, "do_normalize": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(facts))


def test_clip_looks_and_reads(clip_folder):
    eyes = load_clip_eyes(str(clip_folder))
    frames = np.concatenate([clip(CAR, (4, 0), 2, 64), np.zeros((16, 64, 64, 3), np.uint8)])
    seen = eyes.pictures(frames)
    assert seen.shape == (18, 12)
    assert np.linalg.norm(seen, axis=1) == pytest.approx(np.ones(18), rel=1e-5)
    assert seen[2] == pytest.approx(seen[17], abs=1e-5)  # black as black, in another batch
    assert np.abs(seen[0] - seen[2]).max() > 1e-3
    read = eyes.captions(["a car", "a very long caption that nobody could take for a car"])
    assert read.shape == (2, 12)
    assert np.linalg.norm(read, axis=1) == pytest.approx(np.ones(2), rel=1e-5)
    assert read[0] == pytest.approx(eyes.captions(["a car"])[0], abs=1e-5)  # whatever it is read with


def test_a_class_token_looks(tmp_path):
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    )
    ViTModel(config).save_pretrained(tmp_path)
    save_processor(tmp_path, "ViTImageProcessor")
    seen = load_class_token(str(tmp_path)).pictures(clip(CAR, (4, 0), 3, 64))
    assert seen.shape == (3, 16)
    assert np.linalg.norm(seen, axis=1) == pytest.approx(np.ones(3), rel=1e-5)


@pytest.mark.parametrize("load", [load_clip_eyes, load_class_token])
def test_a_folder_without_a_model_is_told(load, tmp_path):
    with pytest.raises(InputError, match="could not be loaded from .*hub id"):
        load(str(tmp_path))

"""The finisher's figures tell crisp from soft, and flicker from motion."""

import cv2
import numpy as np
import pytest

from benchmarks.finisher import asked_flicker, flickers_table, lanczos, likeness, stills_table
from miniature.world import clip, draw, sample_scene


@pytest.fixture(scope="module")
def scene():
    return sample_scene(np.random.default_rng(4), "held-out")


def test_soft_and_mottled_pictures_are_told_from_the_worlds_own(scene):
    own = draw(scene, 128)
    soft = cv2.GaussianBlur(own, (0, 0), 1.5)
    speck = np.random.default_rng(0).normal(0, 6, own.shape)
    mottled = np.clip(own + speck, 0, 255).astype(np.uint8)
    same, blurred, rough = (likeness(one, own) for one in (own, soft, mottled))
    assert same.psnr_db > 70 > 35 > max(blurred.psnr_db, rough.psnr_db)
    assert blurred.outlines < 0.8 * same.outlines
    assert rough.flat > same.flat + 3


def test_lanczos_doubles_without_moving_anything(scene):
    large = draw(scene, 128)
    made = lanczos(cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA))
    assert made.shape == large.shape
    assert likeness(made, large).psnr_db > likeness(np.roll(made, 1, axis=1), large).psnr_db + 1


def test_the_motion_asked_for_is_no_flicker(scene):
    frames = clip(scene, (4.0, 0.0), 3, 128)
    assert asked_flicker(list(frames), (4.0, 0.0)) < 0.1 < asked_flicker(list(frames), (0.0, 0.0))
    frozen = [frames[0]] * 3
    assert asked_flicker(frozen, (4.0, 0.0)) > 1.0


def test_tables_have_a_row_for_each(scene):
    own = draw(scene, 64)
    table = stills_table({"Lanczos": likeness(own, own), "the world's own": likeness(own, own)})
    assert len(table.splitlines()) == 4 and "| the world's own |  |" in table
    assert flickers_table({"a clip": {"Lanczos": 1.0, "finisher": 0.987}}).endswith(
        "| a clip | 1.00 | 0.99 |"
    )

"""The two-layer error on world clips whose subject and background move as is known; stills of every sort."""

from dataclasses import replace

import numpy as np
import pytest

from miniature.world import Scene, Subject, draw, mask
from t2v.evaluation.layers import grown, layers, overlap, rim_px, under
from t2v.evaluation.movement import shift_between

SIZE = 128
SCENES = [
    Scene("street", (Subject("car", "red", scale=0.8),), seed=7),
    Scene("sea", (Subject("boat", "white", scale=0.8),), seed=3),  # foam goes with it
    Scene("beach", (Subject("robot", "purple"),), seed=5),
    Scene("moon", (Subject("fish", "blue", y=0.72, scale=0.8),), seed=2),
]
NAMES = [scene.subjects[0].kind for scene in SCENES]
SPEEDS = [((4, 0), (0, 0)), ((-3, 0), (3, 0)), ((0, 0), (5, 0)), ((2, -3), (-2, 1))]
SHUFFLED = [2, 0, 4, 1, 3]


def world_clip(scene: Scene, subject, background, frames: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Frames (f h w 3) and true masks (f h w); halfway through the clip all is where ``scene`` has it."""
    scenes = []
    for k in range(frames):
        done = (k - (frames - 1) / 2) / SIZE
        own = np.subtract(subject, background) * done
        first = scene.subjects[0]
        moved = replace(first, x=first.x + own[0], y=first.y + own[1])
        camera = (background[0] * done, background[1] * done)
        scenes.append(replace(scene, subjects=(moved,), camera=camera))
    return np.stack([draw(s, SIZE) for s in scenes]), np.stack([mask(s, SIZE) for s in scenes])


def panned(pictures: np.ndarray, speed) -> np.ndarray:
    """The first of (f h w …) moved as one by whole pixels (x, y) a frame; mirrored where nothing is known."""
    room = ((64, 64), (64, 64), *((0, 0),) * (pictures.ndim - 3))
    wide = np.pad(pictures[0], room, mode="symmetric")
    moved = [np.roll(wide, (k * speed[1], k * speed[0]), axis=(0, 1)) for k in range(len(pictures))]
    return np.stack(moved)[:, 64:-64, 64:-64]


@pytest.mark.slow
@pytest.mark.parametrize(("subject", "background"), SPEEDS)
@pytest.mark.parametrize("scene", SCENES, ids=NAMES)
def test_true_layers_have_no_error_and_shuffled_ones_more_than_any_still(scene, subject, background):
    frames, masks = world_clip(scene, subject, background)
    true = layers(frames, masks, subject, background)
    assert true.error < 0.06
    assert true.seen == pytest.approx(np.array([subject, background]), abs=0.2)
    assert true.subject_change < 1
    assert true.background_change < 2  # a shadow or foam goes with the subject
    assert true.overlap.min() > 0.95
    shuffled = layers(frames[SHUFFLED], masks[SHUFFLED], subject, background)
    assert shuffled.error > 1.5
    assert max(shuffled.subject_change, shuffled.background_change) > 5


@pytest.mark.slow
@pytest.mark.parametrize(("subject", "background"), SPEEDS)
@pytest.mark.parametrize("scene", SCENES, ids=NAMES)
def test_no_still_wins_whatever_it_is_moved_by(scene, subject, background):
    frames, masks = world_clip(scene, subject, background)
    between = tuple(np.add(subject, background) // 2)
    for speed in ((0, 0), subject, background, between):
        still = layers(panned(frames, speed), panned(masks, speed), subject, background)
        assert still.error > 0.97, speed
    as_asked = layers(panned(frames, subject), panned(masks, subject), subject, background)
    assert as_asked.error == pytest.approx(1, abs=0.03)
    assert as_asked.background_change > 1


@pytest.mark.slow
def test_half_of_the_motion_is_half_of_the_error():
    frames, masks = world_clip(SCENES[0], (4, 0), (0, 0))
    assert layers(frames, masks, (8, 0), (0, 0)).error == pytest.approx(0.5, abs=0.03)
    assert layers(frames, masks, (4, 0), (-4, 0)).error == pytest.approx(0.5, abs=0.03)


@pytest.mark.slow
def test_flicker_of_one_layer_is_told_of_that_layer():
    frames, masks = world_clip(SCENES[0], (4, 0), (0, 0))
    clean = layers(frames, masks, (4, 0), (0, 0))
    other = np.where(masks[..., None], 255 - frames, frames)
    flickers = np.where(np.arange(5)[:, None, None, None] % 2, other, frames)
    seen = layers(flickers, masks, (4, 0), (0, 0))
    assert seen.subject_change > 50
    assert seen.background_change == pytest.approx(clean.background_change)
    assert seen.since_first[0] == clean.since_first[0]  # frames 0 and 4 are as they were
    darker = frames // np.array([1, 1, 1, 1, 2], np.uint8)[:, None, None, None]
    assert layers(darker, masks, (4, 0), (0, 0)).since_first[1] > 20


@pytest.mark.slow
def test_a_judge_may_tell_the_masks():
    frames, masks = world_clip(SCENES[0], (4, 0), (0, 0))
    asked = []

    def judge(pictures: np.ndarray) -> np.ndarray:
        asked.append(pictures)
        return masks

    by_judge = layers(frames, judge, (4, 0), (0, 0))
    assert by_judge.error == layers(frames, masks, (4, 0), (0, 0)).error
    assert asked[0] is frames


def test_a_subject_that_nobody_finds_counts_as_a_still():
    frames, masks = world_clip(SCENES[0], (4, 0), (0, 0), 3)
    lost = layers(frames, np.zeros_like(masks), (4, 0), (0, 0))
    assert lost.error > 0.98
    assert np.isnan(lost.seen[0]).all()
    assert np.isnan(lost.subject_change)
    assert (lost.overlap == 0).all()


def test_what_cannot_be_judged_is_refused():
    frames = np.zeros((3, 32, 32, 3), np.uint8)
    with pytest.raises(ValueError, match="a still does that"):
        layers(frames, np.zeros((3, 32, 32), bool), (4, 0), (4, 0))
    with pytest.raises(ValueError, match="masks are"):
        layers(frames, np.zeros((2, 32, 32), bool), (4, 0), (0, 0))


def test_only_what_a_mask_shows_moves():
    """Two pictures side by side that move apart: each half's motion is found by its own mask."""
    frames, _ = world_clip(SCENES[0], (0, 0), (0, 0), 1)
    picture = frames[0]
    after = np.concatenate([np.roll(picture, 3, axis=1), np.roll(picture, -5, axis=1)], axis=1)
    before = np.concatenate([picture, picture], axis=1)
    left = np.zeros(before.shape[:2])
    left[:, 10:100] = 1
    for seen, moved in ((left, 3), (np.roll(left, SIZE, axis=1), -5)):
        shift, alike = shift_between(before, after, seen, seen)
        assert shift == pytest.approx([moved, 0], abs=0.1)
        assert alike > 0.95
    assert np.isnan(shift_between(before, after, left * 0, left)[0]).all()


def test_masks_grow_and_overlap():
    square = np.zeros((64, 64), bool)
    square[20:30, 20:30] = True
    assert grown(square, 3)[17:33, 20:30].all()
    assert grown(square, 3).sum() < 16 * 16  # corners are round
    assert overlap(square, np.roll(square, 5, axis=1), np.array([5, 0])) == 1
    assert overlap(square, square, np.array([5, 0])) == pytest.approx(1 / 3)
    assert overlap(square, np.zeros_like(square), np.array([50, 0])) == 0
    assert rim_px((256, 512)) == 4
    below = under(square)
    assert below[24:, 18:32].all()
    assert not below[:24].any()
    assert not under(np.zeros_like(square)).any()

"""Steadier frames: values on clips whose motion is known, cuts, short clips, streaming."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from miniature.world import Scene, Subject, clip, draw
from t2v.evaluation.flow import error_along, even_flow, flow_between, warp_error
from t2v.finishing.steady import AHEAD, at_rest, crisp, steady

CAR = Scene(place="street", subjects=(Subject("car", "red"),), seed=7)
PANNED = clip(CAR, (4, 0), 8, 128)
OTHER = clip(replace(CAR, subjects=(Subject("car", "blue"),), time="night"), (4, 0), 8, 128)
STILL = np.repeat(PANNED[:1], 8, axis=0)
NOISE = 8.0


def noisy(frames: np.ndarray, level: float = NOISE) -> np.ndarray:
    """Each frame with white noise of its own."""
    noise = np.random.default_rng(0).normal(0, level, frames.shape)
    return np.clip(np.rint(40 + frames * 0.7 + noise), 0, 255).astype(np.uint8)  # nothing is cut off


def clean(frames: np.ndarray) -> np.ndarray:
    return 40 + frames * 0.7


def steadied(frames: np.ndarray, source: np.ndarray, **told) -> np.ndarray:
    return np.stack(list(steady(frames, source, **told)))


def edges(frames: np.ndarray) -> float:
    """Mean square of what neighbours from left to right differ by: that of sharp outlines above all."""
    return float((np.diff(frames.astype(float), axis=2) ** 2).mean())


def test_noise_nearly_halves_and_edges_stay():
    """Never below a mean of seven: a frame, two ahead, and what was shown before, which counts for four."""
    middle = (slice(None), slice(16, -24))  # what all frames of the window show
    result, truth = steadied(noisy(OTHER), PANNED)[5][middle], clean(OTHER)[5][middle]
    assert NOISE / 7**0.5 < np.std(result - truth) < 0.6 * NOISE
    assert edges(result[None]) > 0.95 * edges(truth[None])


def test_a_steady_video_stays_as_it_is():
    result = steadied(OTHER, PANNED)
    assert np.abs(result.astype(int) - OTHER).mean() < 1
    assert (np.abs(result.astype(int) - OTHER) > 40).mean() < 0.001  # an outline's pixel here and there


def test_the_change_along_the_clip_falls():
    drawn = noisy(OTHER)
    assert warp_error(steadied(drawn, PANNED), PANNED) < 0.45 * warp_error(drawn, PANNED)


def test_colours_neither_breathe_nor_drift():
    tints = np.array([0, 8, 2, 10, 4, 12, 6, 14], np.uint8)[:, None, None]
    drawn = clean(OTHER).astype(np.uint8)
    drawn[..., 2] += tints
    result = steadied(drawn, PANNED)[:, :, 28:-28]
    before, after = (np.diff(frames[..., 2].mean(axis=(1, 2))) for frames in (drawn[:, :, 28:-28], result))
    assert np.abs(after).mean() < 0.3 * np.abs(before).mean()
    assert abs(after.sum()) < 0.7 * abs(before.sum())


def test_lines_alone_tell_the_motion():
    """Ready edges of a clip: white on black."""
    lines = np.stack([cv2.cvtColor(cv2.Canny(frame, 100, 200), cv2.COLOR_GRAY2RGB) for frame in PANNED])
    drawn, pan = noisy(OTHER), [even_flow(OTHER.shape[1:], (4, 0))] * 7
    assert error_along(steadied(drawn, lines), pan) < 0.7 * error_along(drawn, pan)


def test_half_the_strength_does_less():
    drawn = noisy(OTHER)
    half, whole = (warp_error(steadied(drawn, PANNED, strength=part), PANNED) for part in (0.3, 1.0))
    assert whole < 0.9 * half < 0.9 * 0.8 * warp_error(drawn, PANNED)


def test_where_the_clip_stands_still_the_video_does():
    """Its noise falls on and on, and one frame that shows something else there does not."""
    drawn = noisy(STILL)
    drawn[5, 40:60, 40:60] = 255 - drawn[5, 40:60, 40:60]
    result = steadied(drawn, STILL).astype(float)
    truth = clean(STILL)[0]
    left = [np.std(result[k] - truth) / NOISE for k in (0, 2, 4)]
    assert left[0] < 0.65 and left[2] < 0.5 and left == sorted(left, reverse=True)
    assert np.abs(result[5] - truth)[40:60, 40:60].mean() < 8
    assert warp_error(result, STILL) < 0.25 * warp_error(noisy(STILL), STILL)


def test_nothing_comes_over_a_cut():
    """Also where what is drawn before and after it is alike."""
    elsewhere = clip(Scene(place="sea", subjects=(Subject("boat", "white"),), seed=3), (0, 0), 4, 128)
    source = np.concatenate([PANNED[:4], elsewhere])
    before, after = np.full((4, 128, 128, 3), 100, np.uint8), np.full((4, 128, 128, 3), 110, np.uint8)
    result = steadied(np.concatenate([before, after]), source)
    assert np.abs(result[:4].astype(int) - 100).mean() < 0.5
    assert np.abs(result[4:].astype(int) - 110).mean() < 0.5


def test_what_is_drawn_anew_is_not_mixed_with_what_was_there():
    """A frame unlike its neighbours, while the clip moves, is none of their ghosts, nor they of it."""
    drawn = OTHER.copy()
    drawn[4] = 255 - drawn[4]
    result = steadied(drawn, PANNED).astype(int)
    for k in (3, 4, 5):
        assert np.abs(result[k] - drawn[k]).mean() < 3


def test_what_comes_into_view_is_the_frames_own():
    """The car drives through a still street: behind it the street is bare at once."""
    scenes = [replace(CAR, subjects=(Subject("car", "red", x=0.35 + k * 10 / 128),)) for k in range(5)]
    source = np.stack([draw(scene, 128) for scene in scenes])
    result = steadied(source, source).astype(int)
    assert np.abs(result - source).mean() < 1
    assert (np.abs(result - source).max(axis=-1) > 40).mean() < 0.005


@pytest.mark.parametrize("count", [1, 2, 3])
def test_short_clips(count):
    result = steadied(noisy(OTHER[:count]), PANNED[:count])
    assert result.shape == (count, 128, 128, 3) and result.dtype == np.uint8
    if count == 1:
        assert np.array_equal(result, noisy(OTHER[:1]))


def test_other_numbers_of_frames_are_refused():
    with pytest.raises(ValueError, match="zip"):
        steadied(OTHER, PANNED[:-1])


def test_few_frames_are_held_and_none_is_read_ahead_of_need():
    taken = []

    def frames():
        for number, frame in enumerate(OTHER):
            taken.append(number)
            yield frame

    shown = steady(frames(), PANNED)
    for k in range(len(OTHER)):
        next(shown)
        assert taken[-1] == min(k + AHEAD, len(OTHER) - 1)


def test_stopping_closes_the_clip():
    closed = []

    def source():
        try:
            yield from PANNED
        finally:
            closed.append(True)

    shown = steady(iter(OTHER), source())
    next(shown)
    shown.close()
    del shown
    assert closed == [True]


def test_skeletons_hold_what_they_do_not_show():
    """Their background is black, where no flow can be known: it is held, and the figure moves."""
    source = np.zeros((6, 128, 128, 3), np.uint8)
    for k in range(6):
        source[k, 30:100, 50 + 4 * k : 53 + 4 * k] = 255
    drawn = np.full((6, 128, 128, 3), 120, np.uint8)
    drawn[:, :, :, 0] += np.array([0, 12, 0, 12, 0, 12], np.uint8)[:, None, None]
    drawn[3, 100:, :20] = 250  # a thing that appears far from the figure, once
    result = steadied(drawn, source, bare=True).astype(int)
    far = result[:, 100:, :20]
    assert np.abs(np.diff(far, axis=0)).mean() < 1.5
    assert far[3].mean() < 140


def test_rest_ends_where_something_moves_and_where_it_creeps():
    moving = PANNED[:2].copy()
    moving[:, :, 64:] = moving[0, :, 64:]
    rest = at_rest(moving[1], moving[0].astype(np.float32), flow_between(moving[1], moving[0]))
    assert rest[:, 90:].mean() > 0.9 and rest[40:100, 10:50].mean() < 0.4
    still = flow_between(STILL[0], STILL[0])
    assert at_rest(STILL[0], STILL[0].astype(np.float32), still).min() == 1
    assert at_rest(STILL[0], PANNED[3].astype(np.float32), still).mean() < 0.6  # older than the last frame


def test_an_average_gets_its_outlines_back_and_no_noise():
    sharp = OTHER[0].astype(np.float32)
    soft = cv2.GaussianBlur(sharp, (0, 0), 0.7)
    assert edges(sharp[None]) > edges(crisp(soft, sharp)[None]) > 1.1 * edges(soft[None])
    noise = np.random.default_rng(1).normal(0, 8, (2, 64, 64, 3)).astype(np.float32)
    assert np.std(crisp(noise[0], noise[1])) == pytest.approx(np.std(noise[0]), rel=0.05)
    assert np.array_equal(crisp(sharp, sharp), sharp)

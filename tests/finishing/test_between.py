"""Frames in between: where things are then, what a cut does, and how few frames are held."""

import weakref

import cv2
import numpy as np
import pytest

from t2v.evaluation.flow import flow_between
from t2v.finishing.between import between, smoothed


def pan(count, px, side=128):
    """A textured picture that goes to the left by ``px`` pixels a frame."""
    noise = np.random.default_rng(0).integers(0, 255, (side, side + 100, 3), np.uint8)
    wide = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    return np.stack([wide[:, px * number : px * number + side] for number in range(count)])


def apart(frames, others):
    """Mean difference of 255, frame by frame, away from the border, where things come in."""
    return np.abs(np.stack(frames).astype(int) - others)[:, 16:-16, 16:-16].mean((1, 2, 3))


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_what_moves_evenly_is_where_it_is_then(parts):
    px = 12 // parts
    made = list(smoothed(pan(4, 12), [number / parts for number in range(3 * parts + 1)]))
    differs = apart(made, pan(3 * parts + 1, px))
    assert differs.max() < 1.5 and (differs[::parts] == 0).all()
    blend = (pan(4, 12)[:3].astype(int) + pan(4, 12)[1:]) // 2
    assert apart(blend, pan(7, 6)[1::2]).min() > 15  # what fading from one to the next would come to


def test_times_at_the_end_and_frames_alone():
    frames = pan(2, 8)
    made = list(smoothed(iter(frames), [0, 1, 1.5, 3]))
    assert [(one == frames[which]).all() for one, which in zip(made, (0, 1, 1, 1), strict=True)] == [True] * 4
    alone = list(smoothed(frames[:1], [0, 0.5]))
    assert len(alone) == 2 and (alone[1] == frames[0]).all()
    tiny = list(smoothed(frames[:, :4, :4], [0, 0.25, 0.75]))  # no motion can be seen in so few pixels
    assert (tiny[1] == tiny[0]).all() and (tiny[2] == frames[1, :4, :4]).all()


def test_over_a_cut_it_is_one_of_the_two():
    first, second = pan(1, 0)[0], 255 - pan(1, 0)[0][:, :, ::-1] // 2
    flow = flow_between(first, second)
    assert (between(first, second, 0.4, flow) == first).all()
    assert (between(first, second, 0.6, flow) == second).all()


def test_what_one_frame_hides_is_taken_from_the_other():
    ground = pan(1, 0)[0]
    frames = np.stack([ground, ground])
    frames[0, 40:88, 20:68] = (255, 0, 0)
    frames[1, 40:88, 32:80] = (255, 0, 0)
    middle = list(smoothed(frames, [0.5]))[0].astype(int)
    assert np.abs(middle[44:84, 30:70] - (255, 0, 0)).mean() < 12  # the square, halfway
    assert np.abs(middle[44:84, 4:16] - ground[44:84, 4:16]).mean() < 6  # and what stands still, still


def test_two_frames_are_held_at_a_time():
    alive, most = [], 0

    def frames():
        nonlocal most
        for frame in pan(12, 4, 64):
            frame = frame.copy()
            alive.append(weakref.ref(frame))
            yield frame
            most = max(most, sum(one() is not None for one in alive))

    assert sum(1 for _ in smoothed(frames(), [number / 2 for number in range(24)])) == 24
    assert most <= 4

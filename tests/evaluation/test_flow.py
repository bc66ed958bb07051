"""The error along a flow, on clips whose motion is known."""

from dataclasses import replace

import numpy as np
import pytest

from miniature.world import Scene, Subject, clip, draw
from t2v.evaluation.flow import (
    both_agree,
    change_along,
    dis_flow,
    error_along,
    even_flow,
    flow_between,
    flows,
    warp_back,
    warp_error,
)

CAR = Scene(place="street", subjects=(Subject("car", "red"),), seed=7)
PANNED = clip(CAR, (6, -2), 4, 128)


def frozen(frames: np.ndarray) -> np.ndarray:
    return np.repeat(frames[:1], len(frames), axis=0)


def test_flow_of_a_pan_is_its_motion_both_ways():
    found = flow_between(PANNED[0], PANNED[1])
    assert np.median(found.forward[found.seen], axis=0) == pytest.approx([6, -2], abs=0.05)
    assert np.median(found.backward, axis=(0, 1)) == pytest.approx([-6, 2], abs=0.05)
    assert 0.85 < found.seen.mean() < 0.97  # 6 and 2 of 128 pixels leave the picture
    assert not found.seen[:, -6:].any()
    assert not found.seen[:2].any()


def test_flow_follows_what_moves_by_itself():
    """The car drives through a still street: what it covers is not seen in the other frame."""
    there, further = (
        replace(CAR, subjects=(Subject("car", "red", x=x),), camera=(0, 0)) for x in (0.45, 0.45 + 8 / 128)
    )
    found = flow_between(draw(there, 128), draw(further, 128))
    assert np.median(found.forward[90:105, 50:70, 0]) == pytest.approx(8, abs=0.3)
    assert np.abs(found.forward[:40]).mean() < 0.05
    assert found.seen[:40].all()
    assert not found.seen[80:105].all()


def test_a_video_is_judged_along_the_motion_of_its_source():
    """None of what stays the same is held against a video that goes with its source, whatever it shows."""
    other = clip(replace(CAR, subjects=(Subject("car", "blue"),), time="night"), (6, -2), 4, 128)
    assert warp_error(PANNED, PANNED) < 0.3
    assert warp_error(other, PANNED) < 0.3
    still = warp_error(frozen(PANNED), PANNED)
    assert still > 6
    shuffled = warp_error(PANNED[[2, 0, 3, 1]], PANNED)
    assert shuffled > still
    assert warp_error(PANNED, frozen(PANNED)) > 6


def test_flicker_is_told_at_its_size():
    rng = np.random.default_rng(0)
    base = (PANNED * 0.9 + 5).astype(np.uint8)  # room for 10 more
    assert warp_error(base, PANNED) < 0.3
    brighter = base + np.array([0, 10, 0, 10], np.uint8)[:, None, None, None]
    assert warp_error(brighter, PANNED) == pytest.approx(10, abs=0.3)
    noisy = np.clip(PANNED + rng.normal(0, 8, PANNED.shape), 0, 255).astype(np.uint8)
    assert 5 < warp_error(noisy, PANNED) < 9


def test_the_motion_asked_for_can_stand_for_a_flow():
    asked = [even_flow(PANNED.shape[1:], (6, -2))] * 3
    assert error_along(PANNED, asked) < 0.05
    assert error_along(frozen(PANNED), asked) == pytest.approx(warp_error(frozen(PANNED), PANNED), rel=0.15)
    assert asked[0].seen.sum() == (128 - 6) * (128 - 2)


def test_warping_back_shows_the_second_frame_as_the_first():
    flow = np.zeros((4, 5, 2), np.float32)
    flow[..., 0] = 1.5
    row = np.array([0, 10, 20, 30, 40], np.uint8)
    assert warp_back(np.tile(row, (4, 1)), flow)[2] == pytest.approx([15, 25, 35, 40, 40])


def test_what_leads_elsewhere_is_not_seen():
    forward = np.zeros((20, 20, 2), np.float32)
    backward = np.zeros((20, 20, 2), np.float32)
    backward[5:9, 5:9] = 3
    agreed = both_agree(forward, backward)
    assert (~agreed).sum() == 16
    assert not agreed[5:9, 5:9].any()


def test_nothing_to_follow_is_no_figure():
    nowhere = even_flow((20, 20), (30, 0))
    grey = np.zeros((20, 20, 3), np.uint8)
    assert np.isnan(change_along(grey, grey, nowhere))
    assert np.isnan(error_along([grey, grey], [nowhere]))


def test_flows_come_one_at_a_time():
    taken = []

    def frames():
        for number, frame in enumerate(PANNED):
            taken.append(number)
            yield frame

    next(iter(flows(frames())))
    assert taken == [0, 1]


@pytest.mark.parametrize("shape", [(15, 40, 3), (40, 41, 3)])
def test_frames_that_cannot_be_followed_are_refused(shape):
    with pytest.raises(ValueError, match="16 px"):
        dis_flow(np.zeros(shape, np.uint8), np.zeros((shape[0], 40, 3), np.uint8))
    with pytest.raises(ValueError, match="zip"):
        warp_error(PANNED, PANNED[:2])


def test_the_smallest_frames_have_a_flow():
    small = clip(CAR, (1, 0), 2, 16)
    assert dis_flow(*small).shape == (16, 16, 2)

"""tasks/actions.py: paths of joints that loop, keep limbs whole, and stand on the ground."""

import numpy as np
import pytest

from miniature.data import world_facts
from miniature.world import Scene, Subject
from miniature.world import joints as world_joints
from t2v.tasks.actions import (
    ACTIONS,
    ARMS,
    LEAST_FRAMES,
    LEGS,
    NOSE,
    REST,
    Clip,
    cycles,
    joints,
    path,
    posture_of,
)
from t2v.weights.figure import PERSON, read_figure

CARTOON = read_figure(world_facts()["figure"])
PHASES = np.arange(24) / 24


def posed(action: str, figure=PERSON) -> np.ndarray:
    """(24, 18, 2): one cycle."""
    return np.stack([joints(figure, posture_of({action: 1}, phase)) for phase in PHASES])


def lengths(figure, found: np.ndarray) -> np.ndarray:
    """Of upper and lower arms and legs, in shares of what they are: (24, 4, 2)."""
    pairs = ((figure.upper_arm, figure.lower_arm), (figure.thigh, figure.shin))
    told = []
    for chains, own in zip((ARMS, LEGS), pairs, strict=True):
        for chain in chains:
            steps = np.diff(found[:, list(chain)], axis=1)
            told.append(np.hypot(*np.moveaxis(steps, -1, 0)) / own)
    return np.stack(told, axis=1)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_flat_figures_limbs_keep_their_lengths_and_a_persons_shorten(action):
    assert np.allclose(lengths(CARTOON, posed(action, CARTOON)), 1)
    shortened = lengths(PERSON, posed(action))
    assert shortened.max() <= 1 + 1e-9
    assert (shortened.min() < 0.85) == (action in ("walk", "run", "jump"))  # what they do towards us


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("figure", [PERSON, CARTOON], ids=["person", "cartoon"])
def test_a_cycle_is_smooth_and_ends_where_it_began(action, figure):
    ends = [joints(figure, posture_of({action: 1}, phase)) for phase in (0.0, 1.0)]
    assert np.allclose(*ends)
    found = posed(action, figure)
    step = np.abs(np.diff(found, axis=0, append=found[:1])).max()
    assert step < 0.7 * figure.leg
    assert np.abs(found - found.mean(0)).max() > 0.1 * figure.leg


@pytest.mark.parametrize("action", ACTIONS)
def test_feet_are_on_the_ground_except_in_leaps(action):
    found = posed(action)
    above = found[:, [LEGS[0][2], LEGS[1][2]], 1].min(axis=1) - PERSON.ankle
    assert above.min() == pytest.approx(0, abs=1e-9)
    assert above.max() > 0.1 * PERSON.leg if action in ("jump", "run") else np.allclose(above, 0)


def test_what_each_action_moves():
    def travel(action, joint, axis):
        return np.ptp(posed(action, CARTOON)[:, joint, axis]) / CARTOON.leg

    assert travel("wave", ARMS[1][2], 0) > 0.3 and travel("wave", ARMS[0][2], 0) < 0.01
    assert travel("walk", LEGS[0][2], 1) > 0.2 and travel("walk", LEGS[1][2], 1) > 0.2
    assert travel("run", LEGS[0][2], 1) > travel("walk", LEGS[0][2], 1)
    assert travel("jump", NOSE, 1) > 0.5 > 0.1 > travel("wave", NOSE, 1)
    assert min(travel("dance", limb[2], 0) for limb in (*ARMS, *LEGS)) > 0.3
    right, left = (posed("walk", CARTOON)[:, leg[2], 1] for leg in LEGS)
    assert np.corrcoef(right, left)[0, 1] < -0.3  # one after the other


def test_a_video_shows_whole_cycles_in_their_own_time():
    assert [cycles("dance", frames, 4) for frames in (1, 4, 8, 12, 60)] == [1, 1, 1, 2, 10]
    assert cycles("dance", 24, 8) == 2 and cycles("walk", 96, 24) == 3
    assert all(60 / cycles(action, 60, 4) >= LEAST_FRAMES for action in ACTIONS)


@pytest.mark.parametrize(("width", "height"), [(256, 256), (384, 256), (256, 320)])
def test_it_stands_where_the_bundled_world_has_it(width, height):
    """A figure that stands in the world, and ours: the same body, the same place."""
    scene = Scene("grass", (Subject("panda", "white", y=CARTOON.y, scale=1.0),))
    true = world_joints(scene, (height, width))[0] - 0.5
    figure = read_figure({**world_facts()["figure"], "size": CARTOON.sizes["panda"]})
    (ours,) = path(figure, [{REST: 1}], 1, Clip(1, (width, height)))
    assert np.abs(ours - true).max() < 0.5


def test_motion_takes_it_across_and_through_the_middle():
    clips = [Clip(9, (512, 512), motion) for motion in ((0, 0), (10, -2))]
    still, moved = (path(PERSON, [{"walk": 1}] * 9, 1, clip) for clip in clips)
    assert np.allclose(moved[4], still[4])
    assert np.allclose((moved - still)[:, 0], np.outer(np.arange(9) - 4, (10, -2)))
    jump = path(PERSON, [{"jump": 1}] * 24, 2, Clip(24, (512, 512)))
    assert jump[..., 1].min() > 0  # never out of the picture


def test_a_figure_goes_over_from_one_action_to_another_with_whole_limbs():
    half = joints(CARTOON, posture_of({REST: 0.5, "wave": 0.5}, 0.25))
    assert np.allclose(lengths(CARTOON, half[None]), 1)
    rest, waving = (joints(CARTOON, posture_of({name: 1}, 0.25)) for name in (REST, "wave"))
    hand = ARMS[1][2]
    assert rest[hand, 1] < half[hand, 1] < waving[hand, 1]
    assert np.allclose(joints(CARTOON, posture_of({REST: 0.0, "wave": 1.0}, 0.25)), waving)


def test_a_figure_is_read_whole_or_refused():
    told = world_facts()["figure"]
    assert read_figure(None) is None and read_figure(told).sizes["robot"] == 1.1
    for bad in ({"thigh": "long"}, {"thigh": float("nan")}, {"tail": 1.0}, {"hip": [1]}, {"size": -1}):
        with pytest.raises((ValueError, LookupError)):
            read_figure({**told, **bad})
    with pytest.raises(TypeError):
        read_figure({name: value for name, value in told.items() if name != "neck"})

"""Figures of the cartoon world: poses that move, joints that lie in the picture, shading, two at once."""

from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest

from miniature.world import COLOURS, Scene, Subject, clip, draw, joints, mask, skeleton
from miniature.world import poses as p
from miniature.world.kinds import KINDS
from miniature.world.poses import POSES

SIZE = 128
FIGURES = [kind for kind in KINDS if KINDS[kind].figure]
PHASES = (0.0, 0.27, 0.5, 0.81)


def figure(kind="bear", pose="standing", phase=0.0, place="grass", colour="green", **changes):
    subject = Subject(kind, colour, y=KINDS[kind].ground, pose=pose, phase=phase)
    return Scene(place, (replace(subject, **changes),), seed=2)


def test_there_are_six_figures_and_five_poses():
    assert set(FIGURES) == {"robot", "panda", "astronaut", "bear", "alien", "person"}
    assert set(POSES) == {"standing", "waving", "walking", "dancing", "jumping"}


@pytest.mark.parametrize("pose", POSES)
def test_a_cycle_closes_and_moves_smoothly(pose):
    path = np.array([p.joints(pose, 0.3, phase) for phase in np.linspace(0.0, 1.0, 65)])
    assert np.allclose(path[0], path[-1], atol=1e-9)
    steps = np.hypot(*np.moveaxis(np.diff(path, axis=0), -1, 0))
    assert steps.max() < 0.025  # of a figure 0.57 tall
    assert (steps.max() == 0) == (pose == "standing")


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("kind", FIGURES)
def test_joints_and_skeleton_lie_inside_the_figure(kind, pose):
    for phase in PHASES:
        scene = figure(kind, pose, phase, variation=1.0 - 2 * phase)
        inside = mask(scene, SIZE)
        (points,) = joints(scene, SIZE)
        columns, rows = np.floor(points).astype(int).T
        assert inside[rows, columns].all(), phase
        drawn = skeleton(scene, SIZE).any(axis=-1)
        assert (drawn & inside).sum() > 0.95 * drawn.sum(), phase


def test_every_phase_of_a_pose_can_be_told_from_every_other_pose():
    """Over all pairs of phases some joint is elsewhere by more than a tenth of the figure."""
    cycles = {pose: [p.joints(pose, 0.0, phase) for phase in np.linspace(0, 1, 16)] for pose in POSES}
    for one, other in combinations(POSES, 2):
        furthest = min(np.hypot(*(a - b).T).max() for a in cycles[one] for b in cycles[other])
        assert furthest > 0.06, (one, other)


@pytest.mark.parametrize("phase", np.linspace(0.0, 1.0, 9))
def test_poses_look_like_their_names_at_every_phase(phase):
    waving, walking, dancing, jumping = (p.joints(pose, 0.0, phase) for pose in list(POSES)[1:])

    def hands_up(j):
        return (j[[p.R_WRIST, p.L_WRIST], 1] > j[[p.R_SHOULDER, p.L_SHOULDER], 1]).tolist()

    def spread(j):
        return j[p.L_ANKLE, 0] - j[p.R_ANKLE, 0]

    assert hands_up(waving) == [False, True]
    assert hands_up(walking) == [False, False] and spread(walking) > 0.15
    assert any(hands_up(dancing)) and spread(dancing) > 0.18
    assert hands_up(jumping) == [True, True] and spread(jumping) > 0.15
    feet = [j[[p.R_ANKLE, p.L_ANKLE], 1].min() for j in (waving, walking, dancing, jumping)]
    assert np.allclose(feet[:3], p.SOLE) and p.SOLE + 0.02 < feet[3] < p.SOLE + 0.13


def test_walking_and_dancing_take_the_legs_in_turns():
    for pose in ("walking", "dancing"):
        first, second = (p.joints(pose, 0.0, phase) for phase in (0.0, 0.5))
        assert first[p.L_ANKLE, 1] > first[p.R_ANKLE, 1] + 0.03
        assert second[p.R_ANKLE, 1] > second[p.L_ANKLE, 1] + 0.03


def test_a_clip_with_cycles_moves_the_joints_and_leaves_the_place():
    scene = figure("robot", "dancing", place="beach")
    frames = clip(scene, (0, 0), 4, SIZE, cycles=1.0)
    expected = [draw(figure("robot", "dancing", k / 4, place="beach"), SIZE) for k in range(4)]
    assert np.array_equal(frames, expected)
    near = np.any([mask(figure("robot", "dancing", k / 4), SIZE) for k in range(4)], axis=0)
    away = cv2.dilate(near.astype(np.uint8), np.ones((5, 5))) == 0  # spares half-covered pixels too
    assert all(np.array_equal(frame[away], frames[0][away]) for frame in frames[1:])
    assert all((frame != frames[0]).mean() > 0.02 for frame in frames[1:])
    still = clip(scene, (0, 0), 2, SIZE)
    assert np.array_equal(still[0], still[1])


@pytest.mark.parametrize("kind", ["bear", "car"])
def test_shading_is_light_above_dark_below_and_keeps_the_colour(kind):
    for name, colour in COLOURS.items():
        scene = Scene("grass", (Subject(kind, name, y=KINDS[kind].ground),), seed=2)
        picture, inside = draw(scene, SIZE).astype(int), mask(scene, SIZE)
        gap = [np.abs(picture - other).max(axis=-1) for other in COLOURS.values()]
        near = (np.argmin(gap, axis=0) == list(COLOURS).index(name)) & (np.min(gap, axis=0) < 40) & inside
        assert near.sum() > 0.2 * inside.sum(), name
        if name != "black":  # too dark to show it
            rows = np.nonzero(near)[0]
            upper, lower = (
                picture[near][rows <= np.quantile(rows, 0.1)].mean(),
                picture[near][rows >= np.quantile(rows, 0.9)].mean(),
            )
            assert upper > 1.02 * lower > 0.8 * np.mean(colour), name


def test_two_figures_give_two_skeletons_and_the_nearer_covers_the_farther():
    left = Subject("alien", "purple", 0.3, 0.82, 0.62, "dancing", 0.5, 0.3)
    right = Subject("person", "red", 0.7, 0.87, 0.62, "jumping", -0.5, 0.5)
    both, alone = Scene("desert", (left, right)), [Scene("desert", (s,)) for s in (left, right)]
    found, inside = joints(both, SIZE), mask(both, SIZE)
    assert found.shape == (2, 18, 2)
    assert np.array_equal(found, np.concatenate([joints(scene, SIZE) for scene in alone]))
    columns, rows = np.floor(found.reshape(-1, 2)).astype(int).T
    assert inside[rows, columns].all()
    assert np.array_equal(inside, mask(alone[0], SIZE) | mask(alone[1], SIZE))
    assert np.array_equal(skeleton(both, SIZE), skeleton(alone[0], SIZE) + skeleton(alone[1], SIZE))
    near, far = replace(right, x=0.5), replace(left, x=0.5)
    orders = [draw(Scene("desert", order), SIZE) for order in ((near, far), (far, near))]
    assert np.array_equal(*orders)


def test_a_jump_leaves_its_shadow_on_the_ground():
    low, high = (draw(figure("panda", "jumping", phase, "snow"), SIZE) for phase in (0.0, 0.5))
    empty = draw(Scene("snow", seed=2), SIZE)
    foot = int(0.87 * SIZE)
    dark = [(empty[foot, SIZE // 2].astype(int) - picture[foot, SIZE // 2]).min() for picture in (low, high)]
    assert min(dark) > 20
    covered = [mask(figure("panda", "jumping", phase), SIZE) for phase in (0.0, 0.5)]
    feet = [np.flatnonzero(inside.any(axis=1))[-1] for inside in covered]
    assert feet[1] < feet[0] - 4


def test_a_free_figure_takes_another_posture_at_every_phase_inside_its_outline():
    postures = [p.joints(p.FREE, 0.0, phase) for phase in np.linspace(0, 0.9, 10)]
    assert all(np.abs(a - b).max() > 0.02 for a, b in combinations(postures, 2))
    assert np.array_equal(postures[3], p.joints(p.FREE, 0.0, 0.3))

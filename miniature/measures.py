"""What evaluation measures on a picture, where the scene that was asked for is known."""

from dataclasses import replace

import cv2
import numpy as np

from miniature.data import shrink
from miniature.world import Scene, depth, mask
from miniature.world.render import CANNY

EDGE_TOLERANCE_PX = 2
JOINT_TOLERANCE = 0.06  # of the figure's height
ORDER_SHARE = 0.25  # of the true difference in nearness has to be there, so that nothing is right by chance
FIRM = 8  # smallest true difference in nearness, of 255, of two regions that are compared
ASIDE_PX = 6  # around the subjects is not counted as a place where nothing was asked


def edges_of(picture: np.ndarray) -> np.ndarray:
    """Canny edges, bool (h, w), of a uint8 RGB picture (h, w, 3), with the world's thresholds."""
    return cv2.Canny(picture, *CANNY) > 0


def f_score(wanted: np.ndarray, got: np.ndarray, tolerance_px: float = EDGE_TOLERANCE_PX) -> float:
    """Agreement 0..1 of two edge maps, bool (h, w).

    The harmonic mean of precision (share of ``got`` within the tolerance of ``wanted``) and recall (share of
    ``wanted`` within the tolerance of ``got``); 1 where both are empty.
    """
    if not wanted.any() or not got.any():
        return float(wanted.any() == got.any())
    precision = float((_distance_to(wanted)[got] <= tolerance_px).mean())
    recall = float((_distance_to(got)[wanted] <= tolerance_px).mean())
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def _distance_to(edges: np.ndarray) -> np.ndarray:
    """Pixels from everywhere to the nearest edge."""
    return cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def figure_height(scene: Scene) -> float:
    """Height in pixels of what the subjects of a scene cover."""
    rows = np.flatnonzero(mask(scene).any(axis=1))
    return float(rows[-1] - rows[0] + 1)


def joints_near(wanted: np.ndarray, got: np.ndarray, height: float) -> float:
    """Share of joints (18, 2), in pixels, that lie within JOINT_TOLERANCE of the height from the wanted."""
    return float((np.hypot(*(wanted - got).T) <= JOINT_TOLERANCE * height).mean())


def order_right(scene: Scene, nearness: np.ndarray) -> list[bool]:
    """Whether the depth order of each subject and the ground around it is right in a map of nearness.

    ``nearness`` (n, n), 0 (sky) to 255, is what was read from the picture. For every subject two regions are
    compared with the cells it covers: what lies behind it to the left and right, in the same rows, and the
    ground in front of it, below in the same columns. The true map of the scene says which cells these are;
    cells that differ by less than FIRM are in neither. The order of a pair of regions is right where their
    mean nearness differs in the true direction by at least ORDER_SHARE of the true difference. Returns one
    answer for each pair there is: a subject at the lower edge has no ground in front of it.
    """
    side = len(nearness)
    true = shrink(depth(scene), side).astype(float)
    covered_by_any = shrink(mask(scene).astype(np.uint8) * 255, side)
    ground = covered_by_any < 25
    answers = []
    for subject in scene.subjects:
        own = shrink(mask(replace(scene, subjects=(subject,))).astype(np.uint8) * 255, side) > 230
        if not own.any():
            continue
        level = np.median(true[own])
        behind = ground & own.any(axis=1)[:, None] & (true <= level - FIRM)
        in_front = ground & own.any(axis=0) & _below(own) & (true >= level + FIRM)
        for region in (behind, in_front):
            if region.any():
                wanted = true[own].mean() - true[region].mean()
                found = nearness[own].mean() - nearness[region].mean()
                answers.append(bool(found * np.sign(wanted) >= ORDER_SHARE * abs(wanted)))
    return answers


def _below(own: np.ndarray) -> np.ndarray:
    """Cells under the lowest that are true."""
    rows = np.arange(len(own))[:, None]
    return np.broadcast_to(rows > np.flatnonzero(own.any(axis=1))[-1], own.shape)


def change_elsewhere(before: Scene, after: Scene, source: np.ndarray, made: np.ndarray) -> float:
    """Mean absolute change, of 255, from ``source`` to ``made`` (h, w, 3), away from the subjects.

    Away means outside both scenes' masks grown by ASIDE_PX.
    """
    grown = np.ones((2 * ASIDE_PX + 1, 2 * ASIDE_PX + 1), np.uint8)
    subjects = (mask(before, source.shape[0]) | mask(after, source.shape[0])).astype(np.uint8)
    elsewhere = cv2.dilate(subjects, grown) == 0
    return float(np.abs(made.astype(float) - source.astype(float))[elsewhere].mean())

"""Where the camera stands: how the first frame's picture lies in every frame of a video.

A view is an affine map, (2, 3), from pixels of the first picture to pixels of frame k: q -> A q + b. The
first frame's changes nothing, unless the camera gives what moves room ahead: then the first picture, with the
subject in its middle, is what a frame a little later shows. Positive x moves the picture to the right,
positive y downwards.
"""

import math

import cv2
import numpy as np

from t2v.diffusion.courses import Placed, sampled
from t2v.diffusion.options import Camera

MOST_STEPS = 4096  # between two frames, however far apart they are
LEAD_FRAMES = 3.5  # after which the subject is in the middle: half of the way of eight
LEAD_PART, LEAD_MOST = 1 / 8, 2  # of a side, by which it is moved, and so many of them at most


def path(num_frames: int, x: float, y: float, shape: str = "straight") -> np.ndarray:
    """Where a thing that moves by (x, y) pixels a frame has come in each frame: (f, 2), pixels; 0 at first.

    shape: one of PATHS. "straight": k (x, y), the paper's Eq. 7. "to and fro": as far in the first half of
    the video, and back again in the second. "arc": as straight, and on the way up and down again, upwards of
    its travel if that is sideways, by a quarter of it.
    """
    k = np.arange(num_frames, dtype=np.float64)
    straight = np.outer(k, (x, y))
    if num_frames < 2 or shape == "straight":
        return straight
    last = num_frames - 1
    if shape == "to and fro":
        return np.outer(np.minimum(k, last - k), (x, y))
    side = 1.0 if x >= 0 else -1.0
    bow = (
        np.array([y, -x]) * side * last
    )  # across the travel; up, for one to the left as well as to the right
    share = k / last
    return straight + np.outer(share * (1 - share), bow)


def placed(num_frames: int, camera: Camera, height: int, width: int) -> Placed:
    """How far the camera's picture is moved, zoomed and turned in each frame."""
    if camera.course is not None:
        return sampled(camera.course, num_frames, height, width)
    numbers = range(num_frames)
    sizes = np.array([camera.zoom**k for k in numbers], np.float64)
    turns = np.array([math.radians(camera.turn) * k for k in numbers])
    return Placed(path(num_frames, camera.x, camera.y, camera.path), sizes, turns)


def lead_room(camera: Camera, height: int, width: int) -> np.ndarray:
    """How far the first frame's picture is moved back against its motion, (x, y) in whole pixels.

    What moves is framed with room ahead of it, as film-makers do it: begun in the middle, a quick motion
    would lead it out at once. It depends on the speed alone, so that frames 0..n are the same however many
    follow; slow motions have none. (0, 0) where the camera has no ``lead``, and where it zooms, turns or is
    on a course.
    """
    if not camera.lead or camera.course is not None or (camera.zoom, camera.turn) != (1, 0):
        return np.zeros(2)
    parts = np.array([width, height]) * LEAD_PART
    count = np.clip(np.round(LEAD_FRAMES * np.array([camera.x, camera.y]) / parts), -LEAD_MOST, LEAD_MOST)
    return np.asarray(np.round(count * parts))


def turned_about(centre: np.ndarray, size: float, turn: float) -> np.ndarray:
    """The map (2, 3) that makes a thing larger and turns it, in radians clockwise, where ``centre`` stays."""
    cosine, sine = size * math.cos(turn), size * math.sin(turn)
    turned = np.array([[cosine, -sine], [sine, cosine]])
    return np.concatenate([turned, (centre - turned @ centre)[:, None]], axis=1)


def views(num_frames: int, camera: Camera, height: int, width: int) -> np.ndarray:
    """The views of a video, (f, 2, 3). height, width: of a frame, in pixels; zoom goes to its middle."""
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    how = placed(num_frames, camera, height, width)
    lead = lead_room(camera, height, width)
    found = np.zeros((num_frames, 2, 3))
    for k, (place, size, turn) in enumerate(zip(how.places, how.sizes, how.turns, strict=True)):
        found[k] = turned_about(centre, float(size), float(turn))
        found[k, :, 2] += place - lead
    return found


def inverse(view: np.ndarray) -> np.ndarray:
    """The map back, from pixels of frame k to pixels of the first picture, (2, 3)."""
    return cv2.invertAffineTransform(view)


def footprint(view: np.ndarray, height: int, width: int) -> tuple[float, float, float, float]:
    """What a frame shows of the first picture's plane: top, left, bottom, right, in its pixels' edges.

    0, 0, height, width for the first picture itself.
    """
    corners = np.array([[-0.5, -0.5], [width - 0.5, -0.5], [-0.5, height - 0.5], [width - 0.5, height - 0.5]])
    back = inverse(view)
    seen = corners @ back[:, :2].T + back[:, 2] + 0.5
    (left, top), (right, bottom) = seen.min(axis=0), seen.max(axis=0)
    return float(top), float(left), float(bottom), float(right)


def between(
    before: np.ndarray, after: np.ndarray, most_px: float, height: int, width: int
) -> list[np.ndarray]:
    """Views on the way from one to the next, the last one ``after``, no corner further apart than most_px."""
    moves = [
        abs(a - b) for a, b in zip(*(footprint(one, height, width) for one in (before, after)), strict=True)
    ]
    steps = min(MOST_STEPS, max(1, math.ceil(max(moves) / most_px)))
    # weighted so that the ends are the two views themselves, to the last bit
    return [(before * (steps - step) + after * step) / steps for step in range(1, steps + 1)]

"""How far what moves comes over a whole video, where nobody says how fast it is to be.

A speed that suits a few frames leads out of the picture in many: what suits a model is therefore a way
altogether, which longer videos go the more slowly.
"""

from collections.abc import Mapping

USUAL_FRAMES = 8  # that a model's own speed is meant for, as in the paper
TRAVELS = {"motion_x": "travel_x", "motion_y": "travel_y"}  # a speed -> the way of a whole video


def speeds(own: Mapping[str, float], num_frames: int, move: str, method: str) -> dict[str, float]:
    """motion_x and motion_y, pixels per frame, of a video of so many frames that asks for neither.

    own: what suits the model. A camera goes its travel_x and travel_y, pixels from the first frame to the
    last, where it has them: what keeps the subject whole. Without, and where the subject itself moves, which
    is kept in the picture, it is as far as USUAL_FRAMES go at its motion_x and motion_y, and so it is of as
    many frames in the paper's method, which draws whole cells best. Fewer frames go at the speed of
    USUAL_FRAMES.
    """
    steps = max(num_frames, USUAL_FRAMES) - 1
    ways = {speed: own[speed] * (USUAL_FRAMES - 1) for speed in TRAVELS}
    if move == "camera" and (method == "canvas" or num_frames > USUAL_FRAMES):
        ways |= {speed: own[way] for speed, way in TRAVELS.items() if way in own}
    return {speed: way / steps for speed, way in ways.items()}

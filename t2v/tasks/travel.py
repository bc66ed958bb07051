"""How far what moves comes over a whole video, where nobody says how fast it is to be.

A speed that suits a few frames leads out of the picture in many: what suits a model is therefore a speed for
videos of up to USUAL_FRAMES, and a way altogether for longer ones, which go it the more slowly.
"""

from collections.abc import Mapping

USUAL_FRAMES = 8  # that a model's own speed is meant for, as in the paper
TRAVELS = {"motion_x": "travel_x", "motion_y": "travel_y"}  # a speed -> the way of a longer video


def speeds(own: Mapping[str, float], num_frames: int, move: str) -> dict[str, float]:
    """motion_x and motion_y, pixels per frame, of a video of so many frames that asks for neither.

    own: what suits the model, its motion_x and motion_y for up to USUAL_FRAMES. Longer videos of a camera go
    its travel_x and travel_y, pixels from the first frame to the last, where it has them: what keeps the
    subject whole. Without, and where the subject itself moves, which is kept in the picture, as far as
    USUAL_FRAMES do.
    """
    if num_frames <= USUAL_FRAMES:
        return {speed: own[speed] for speed in TRAVELS}
    as_usual = {speed: own[speed] * (USUAL_FRAMES - 1) for speed in TRAVELS}
    ways = as_usual if move != "camera" else {s: own.get(t, as_usual[s]) for s, t in TRAVELS.items()}
    return {speed: way / (num_frames - 1) for speed, way in ways.items()}

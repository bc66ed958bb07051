"""How long a run takes that waits, judged by what runs like it took that have ended."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from t2v.checks import InputError
from t2v.diffusion.lattice import Lattice
from t2v.diffusion.options import Camera
from t2v.diffusion.views import views
from t2v.jobs.job import JobView
from t2v.jobs.kinds import Kind, kind_of
from t2v.jobs.time_left import DECODED_ONE, each_frame_steps
from t2v.tasks.what_moves import camera_of

SIZE = ("width", "height")
WORK = (*SIZE, "num_frames", "num_inference_steps")  # a run takes as long as their product
CELL_PX = 8  # windows are a share of the picture, so that little of their number hangs on it


def expected_s(settings: Any, ended: Iterable[JobView]) -> float | None:
    """Seconds that a run will take; None where none of the same task and model has ended yet.

    ended: the latest first. What the settings leave open is taken to be as it was then. A first guess of one
    that is doubled, or is not, is what the other took.
    """
    guess = None
    for view in ended:
        if view.state != "done" or view.tries is not None:
            continue
        asked, was = kind_of(settings, view.resolved), kind_of(view.settings, view.resolved)
        if asked == was:
            return view.seconds_elapsed * _share(settings, view.resolved, asked)
        if guess is None and asked == replace(was, upscale=asked.upscale):
            guess = view.seconds_elapsed * _share(settings, view.resolved, was)
    return guess


def _share(settings: Any, before: Any, kind: Kind) -> float:
    """Of the work of an earlier run."""
    share = 1.0
    for name in SIZE if kind.is_one_picture else WORK:
        asked, was = getattr(settings, name), getattr(before, name)
        share *= 1.0 if asked is None else asked / was
    return share * _one_picture_share(settings, before.filled()) if kind.is_one_picture else share


def _one_picture_share(settings: Any, was: Any) -> float:
    """The same of one picture under a camera, sizes left aside.

    Its steps call the model for each window that the camera's way is long, however many frames there are; of
    what follows frames are written, and doubled. was: the earlier run's settings, nothing left open.
    """
    frames = int(settings.num_frames)
    steps = was.num_inference_steps if settings.num_inference_steps is None else settings.num_inference_steps
    now, before = _windows(_filled(settings, was), was.subject), _windows(was, was.subject)
    each = before * each_frame_steps(was.upscale == 2)
    takes = now * (steps + DECODED_ONE) + each * frames
    took = before * (was.num_inference_steps + DECODED_ONE) + each * was.num_frames
    return takes / took


def _filled(settings: Any, was: Any) -> Any:
    """Settings whose camera can be told: what they leave open goes as far altogether as it went then."""
    slower = max(1, was.num_frames - 1) / max(1, int(settings.num_frames) - 1)
    filled = {"motion_x": was.motion_x * slower, "motion_y": was.motion_y * slower}
    filled |= {"width": was.width, "height": was.height}
    return replace(
        settings, **{name: value for name, value in filled.items() if getattr(settings, name) is None}
    )


def _windows(settings: Any, subject: str) -> int:
    """How many windows one of its steps draws."""
    subject = subject if settings.subject is None else settings.subject
    try:
        camera = camera_of(settings, subject, (settings.motion_x, settings.motion_y))
        return _windows_of(camera, int(settings.num_frames), int(settings.width), int(settings.height))
    except InputError:  # the run will say so
        return 1


@lru_cache(maxsize=256)  # lists of runs ask again and again
def _windows_of(camera: Camera, num_frames: int, width: int, height: int) -> int:
    lattice = Lattice(max(1, height // CELL_PX), max(1, width // CELL_PX), CELL_PX)
    return len(lattice.corners(views(num_frames, camera, *lattice.pixels)))

"""What is told beforehand of a motion that leads out of the picture."""

import numpy as np

from t2v.diffusion.options import Camera
from t2v.diffusion.views import path, views
from t2v.tasks import Settings
from t2v.tasks.acting import NONE
from t2v.tasks.text_to_video import TextToVideoSettings

ROOM = 0.5  # of the picture's side: further apart than that a subject does not stay whole at both ends
NEAR = 2.0  # times as large: a subject of usual size is larger than the picture then
INSTEAD = "leave the motion empty, and it stays in view."


def travel_note(settings: Settings, side_px: float, method: str) -> str | None:
    """A sentence where what is asked takes the subject out of the picture; None where it stays.

    side_px: of the model's own square pictures, where the settings leave the size open. method: of drawing,
    that suits the model. Nothing is told of what suits the model.
    """
    if not isinstance(settings, TextToVideoSettings) or settings.num_frames < 2:
        return None
    width, height = (side_px if side is None else side for side in (settings.width, settings.height))
    moved = (settings.motion_x or 0.0, settings.motion_y or 0.0)
    if settings.acted() is not None or settings.move in ("subject", "both"):
        return _of_subject(settings, moved, (width, height))
    if settings.move != "camera":
        return None
    lead = settings.drawn_by(method) == "canvas" and settings.first_frame is None
    camera = Camera(*moved, settings.zoom, settings.turn, settings.motion_path, lead=lead)
    return _of_camera(settings, camera, (round(width), round(height)))


def _of_camera(settings: TextToVideoSettings, camera: Camera, size: tuple[int, int]) -> str | None:
    """Of the whole picture: its middle, where subjects stand, leaves the view, or comes too near."""
    width, height = size
    moved, centre = (camera.x, camera.y), np.array([(width - 1) / 2, (height - 1) / 2])
    seen = views(int(settings.num_frames), camera, height, width)
    middle = seen[:, :, :2] @ centre + seen[:, :, 2]
    moves, away = np.abs(middle - middle[0]) / size, np.abs(middle - centre) / size
    gone = np.flatnonzero(away.max(axis=1) > 0.5)
    if len(gone):
        axis = int(away.max(axis=0).argmax())
        return (
            f"{_asked(settings, moved)} move the picture by {moves[:, axis].max():.1f} of its "
            f"{('widths', 'heights')[axis]}: the subject leaves the picture after frame {gone[0]}; {INSTEAD}"
        )
    size_at = settings.zoom ** np.arange(settings.num_frames)
    if settings.zoom > 1 and size_at[-1] > NEAR:
        first = int(np.flatnonzero(size_at > NEAR)[0])
        return (
            f"{settings.num_frames} frames at a zoom of {settings.zoom:g} a frame make the picture "
            f"{size_at[-1]:.1f} times as large: after frame {first} the subject is cut by the picture's "
            "borders; choose a zoom nearer to 1."
        )
    return None


def _of_subject(
    settings: TextToVideoSettings, moved: tuple[float, float], size: tuple[float, float]
) -> str | None:
    """Of a subject, whose way is laid so that it stays in the picture as long as there is room."""
    shape = settings.motion_path if settings.action in (None, NONE) else "straight"
    far = np.ptp(path(int(settings.num_frames), *moved, shape), axis=0) / size
    if far.max() <= ROOM:
        return None
    axis = int(far.argmax())
    return (
        f"{_asked(settings, moved)} move the subject by {far[axis]:.1f} of the picture's "
        f"{('widths', 'heights')[axis]}: there is no room for it to stay whole all the way; {INSTEAD}"
    )


def _asked(settings: TextToVideoSettings, moved: tuple[float, float]) -> str:
    return f"{settings.num_frames} frames at {np.hypot(*moved):.4g} px a frame"

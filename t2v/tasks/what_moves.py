"""What moves in a video from text, and how: words and numbers of its settings as a camera and subjects."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from t2v.checks import InputError, check_text
from t2v.diffusion.course_text import CAMERA, MOST_CHARS, read_motion
from t2v.diffusion.courses import Course
from t2v.diffusion.options import Camera, Subject
from t2v.tasks.painted import MOST_CHARS as MOST_PAINTED_CHARS
from t2v.tasks.painted import in_size, read_painted
from t2v.tasks.settings import MAX_PROMPT_CHARS
from t2v.tasks.subject import find_words

if TYPE_CHECKING:
    from t2v.tasks.text_to_video import TextToVideoSettings
    from t2v.tasks.text_to_video_run import ResolvedTextToVideo

BETWEEN = ";"  # of several subjects
MOST_SUBJECTS = 6
# fields that say how things move, and what they are where a motion over time says it
SAYS_NOTHING = {
    "motion_x": (None, 0),
    "motion_y": (None, 0),
    "background_x": (0,),
    "background_y": (0,),
    "motion_path": ("straight",),
    "zoom": (1,),
    "turn": (0,),
}


def named(subject: str) -> list[str]:
    """The subjects that are named between semicolons, as "red car; blue ball"."""
    return [words.strip() for words in subject.split(BETWEEN)]


def courses(settings: "TextToVideoSettings", subject: str) -> dict[str, Course]:
    """The courses of the settings' motion by what moves: CAMERA, or words of the prompt, in their order.

    subject: the words of what moves where that is no camera and a part names none. InputError where two parts
    are of the same thing.
    """
    if settings.motion is None:
        return {}
    found: dict[str, Course] = {}
    for part in read_motion(settings.motion):
        if part.thing is not None:
            things = [CAMERA if part.thing.lower() == CAMERA else part.thing]
        else:
            things = [CAMERA] if settings.move == "camera" else named(subject)
        for thing in things:
            if thing in found:
                raise InputError(f"motion has two parts for '{thing[:40]}', one of them unnamed; give one.")
            found[thing] = part.course
    return found


def check_what_moves(settings: "TextToVideoSettings") -> None:
    """InputError for words that the prompt does not say, and for what goes wrong or not together."""
    if settings.subject is not None:
        for words in named(check_text("subject", settings.subject, MAX_PROMPT_CHARS)):
            _check_said(settings.prompt, words, "subject is", "give words of the prompt.")
    if settings.move != "both" and (settings.background_x or settings.background_y):
        raise InputError(
            f"background_x and background_y are given, and move is {settings.move}; choose both."
        )
    if settings.motion is not None:
        _check_motion(settings)
    if settings.method == "paper":
        _check_paper(settings)
    subjects = _subjects(settings, "" if settings.subject is None else settings.subject)
    if len(subjects) > MOST_SUBJECTS:
        raise InputError(
            f"subject is one of {len(subjects)}; at most {MOST_SUBJECTS} may move by themselves."
        )
    if settings.painted is not None:
        masks = read_painted(check_text("painted", settings.painted, MOST_PAINTED_CHARS))
        if not subjects:
            raise InputError("painted is given, and the camera alone moves; choose subject, or leave it out.")
        if len(masks) > len(subjects):
            raise InputError(f"painted has {len(masks)} masks, and {len(subjects)} move; leave the rest out.")


def _check_paper(settings: "TextToVideoSettings") -> None:
    """The paper's method moves the whole picture by one translation, and nothing else."""
    if settings.motion is not None:
        raise InputError("motion is given, and method is paper, which knows no keys; choose canvas.")
    own = {"move": "camera", "motion_path": "straight", "zoom": 1.0, "turn": 0.0}
    for field, only in own.items():
        value = getattr(settings, field)
        if value != only:
            raise InputError(
                f"{field} is {value}, and method is paper, which knows {only} only; choose canvas."
            )


def _check_motion(settings: "TextToVideoSettings") -> None:
    check_text("motion", settings.motion, MOST_CHARS)
    for field, values in SAYS_NOTHING.items():
        if (value := getattr(settings, field)) not in values:
            raise InputError(f"{field} is {value}, and motion says how things move; write it there.")
    for words in courses(settings, "" if settings.subject is None else settings.subject):
        if words not in (CAMERA, ""):
            _check_said(settings.prompt, words, "motion moves", f"write {CAMERA} or words of the prompt.")


def _check_said(prompt: str, words: str, told: str, instead: str) -> None:
    if find_words(prompt, words) is None:
        raise InputError(f"{told} {words[:60]!r}, which the prompt does not say; {instead}")


def _subjects(settings: "TextToVideoSettings", subject: str) -> list[str]:
    """The words of what moves by itself, the nearest first: what has a course, or the settings' subjects."""
    own = [thing for thing in courses(settings, subject) if thing != CAMERA]
    if settings.motion is not None:
        return own
    return [] if settings.move == "camera" else named(subject)


def camera_of(settings: "TextToVideoSettings", subject: str, speed: tuple[float, float]) -> Camera:
    """The camera alone. speed: motion_x and motion_y, pixels per frame, with nothing left open."""
    subjects, own = _subjects(settings, subject), courses(settings, subject).get(CAMERA)
    if subjects or settings.motion is not None:
        speed = settings.background_x, settings.background_y
    # a picture that is given is what the video begins with
    lead = not subjects and settings.first_frame is None
    return Camera(*speed, settings.zoom, settings.turn, settings.motion_path, own, lead)


@dataclass(frozen=True, eq=False)
class WhatMoves:
    """The camera, and the subjects before it, the nearest first, with where they are painted: (h, w) bool."""

    camera: Camera
    subjects: tuple[Subject, ...]
    painted: tuple[np.ndarray | None, ...]


def what_moves(run: "ResolvedTextToVideo") -> WhatMoves:
    """Of a run with nothing left open."""
    asked, way = run.asked, run.asked.motion_path
    lively = asked.move == "life"
    own, words = courses(asked, run.subject), _subjects(asked, run.subject)
    x, y = (0.0, 0.0) if lively else (run.motion_x, run.motion_y)
    subjects = tuple(Subject(one, x, y, way, lively, run.t0, run.t1, own.get(one)) for one in words)
    camera = camera_of(asked, run.subject, (x, y))
    grids = [] if asked.painted is None else read_painted(asked.painted)
    grids += [None] * (len(words) - len(grids))
    painted = tuple(None if one is None else in_size(one, run.width, run.height) for one in grids)
    return WhatMoves(camera, subjects, painted)

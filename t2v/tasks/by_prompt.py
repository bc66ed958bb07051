"""What of a run its prompt says by itself: left open again, so that another prompt may say something else."""

from dataclasses import replace
from typing import Any

from t2v.checks import InputError
from t2v.diffusion.over_time import texts_of
from t2v.tasks.acting import NONE
from t2v.tasks.settings import S, Settings
from t2v.tasks.subject import subject_of
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.told import told_method

# what says nothing where a figure acts, though a finished run carries a value of it
NOT_OF_A_FIGURE = ("subject", "method", "t0", "t1")
SPEEDS = ("motion_x", "motion_y")


def left_to_prompt(settings: S) -> S:
    """Settings of the same video, in which nothing is given that the prompt says by itself.

    A finished run carries its subject and its action, whoever named them. Asked for again with other words,
    that would refuse the prompt, or make a car dance. Settings that are wrong are given back as they are.
    """
    if not isinstance(settings, TextToVideoSettings):
        return settings
    try:
        return _left_open(settings)
    except InputError:  # a model that cannot be had, which the run says
        return settings


def without_standing(settings: TextToVideoSettings) -> TextToVideoSettings:
    """The same with the speed left open that only says that a figure acts where it is."""
    open_now: dict[str, Any] = {name: None for name in SPEEDS if getattr(settings, name) == 0}
    return replace(settings, **open_now)


def _left_open(settings: TextToVideoSettings) -> Any:
    action = settings.acted()
    if action is not None:
        given: dict[str, Any] = dict.fromkeys(NOT_OF_A_FIGURE)
        acting = replace(without_standing(settings), action=None, **given)
        if acting.acted() == action:
            return acting
    own = settings.subject is not None and settings.subject.strip() == own_subject(settings)
    begun = replace(settings, subject=None) if own else settings
    usual = told_method(settings.model)
    for left in (_plain(begun), begun):
        if left.acted() == action and left.drawn_by(usual) == settings.drawn_by(usual):
            return left
    return settings


def _plain(settings: TextToVideoSettings) -> TextToVideoSettings:
    """One picture under the camera, with nothing said of that: another prompt may name a figure that acts."""
    if settings.method != "canvas" or settings.move != "camera":
        return settings
    action = None if settings.action == NONE else settings.action
    return replace(settings, action=action, method=None, t0=None, t1=None)


def own_subject(settings: Settings) -> str:
    """The words that are the subject where nobody says so."""
    return subject_of(texts_of(settings.prompt)[0])

"""What of a finished video's settings nobody has to have chosen: left open again, for the next video.

A file carries every value that its run was drawn with. Whatever the model would take by itself goes back to
being the model's to say: the video comes out the same, and another one takes what suits it.
"""

from dataclasses import fields, replace
from typing import Any

from t2v.checks import InputError
from t2v.diffusion.over_time import read_over_time
from t2v.engine.defaults import AS_DRAWN, told_sampler
from t2v.engine.networks import choose_network
from t2v.engine.precision import Machine
from t2v.page.model_told import MOVED_BY, taken
from t2v.tasks.acting import NONE
from t2v.tasks.by_prompt import left_to_prompt
from t2v.tasks.controlled import ControlledSettings
from t2v.tasks.settings import S, Settings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.travel import TRAVELS
from t2v.weights.told import told_method

WATCHED = ("model", "width", "height", "scheduler", *MOVED_BY)
SIZE = ("width", "height")


def left_open(settings: S, device: str = "cpu") -> S:
    """Settings of the same video, in which nothing is given that prompt and model say by themselves.

    settings: of a finished video. device: that will draw. Of models that nothing is known of here all stays
    as it is.
    """
    settings = left_to_prompt(settings)
    try:
        found: Any = _left_open(settings, device)
    except InputError:  # a model that cannot be had, which the run says
        return settings
    return found


def _left_open(settings: Settings, device: str) -> Settings:
    suits = {**_suits(settings), "dtype": Machine(device).precision(settings.model)}
    if isinstance(settings, ControlledSettings):
        settings, suits["controlnet"] = _without_usual(settings)
    may_be_open = {field.name for field in fields(settings) if field.default is None}
    as_suits = {name for name in may_be_open & suits.keys() if getattr(settings, name) == suits[name]}
    if not as_suits.issuperset(SIZE):  # a side alone is cut to what fits the other
        as_suits -= set(SIZE)
    given: dict[str, Any] = dict.fromkeys(as_suits)
    opened = replace(settings, **given)
    return _drawn_alike(settings, opened) if isinstance(opened, TextToVideoSettings) else opened


def _without_usual(settings: ControlledSettings) -> tuple[ControlledSettings, str | None]:
    """With further ControlNets left open where they are the model's; and the one that is its of the task."""
    choose = choose_network(settings.model)
    open_all = replace(
        settings, controlnet=None, also=tuple(replace(one, controlnet=None) for one in settings.also)
    )
    try:
        usual = [one.source for one in open_all.networks(choose)]
    except InputError:  # none is known for this model
        return settings, None
    also = [
        replace(one, controlnet=None) if one.controlnet == source else one
        for one, source in zip(settings.also, usual[1:], strict=True)
    ]
    return replace(settings, also=tuple(also)), usual[0]


def _suits(settings: Settings) -> dict[str, Any]:
    """What a run takes for fields that are left open, as far as that is known without the weights."""
    kind, known = type(settings), {name: getattr(settings, name, None) for name in WATCHED}
    suits = {"upscale": AS_DRAWN, **told_sampler(settings.model, kind), **taken(kind, known)}
    if not isinstance(settings, TextToVideoSettings):  # its clip says how large it is
        return {name: value for name, value in suits.items() if name not in SIZE}
    if settings.acted() is not None or read_over_time(settings.prompt) is not None:
        suits |= dict.fromkeys(TRAVELS, 0.0)
    if settings.move == "life":  # whose times lie further apart
        suits = {name: value for name, value in suits.items() if name not in ("t0", "t1")}
    return suits


def _drawn_alike(was: Any, opened: TextToVideoSettings) -> TextToVideoSettings:
    """With method and "no action" left open too, where the same is drawn without a word of them."""
    usual = told_method(opened.model)
    free = replace(opened, method=None, action=None if opened.action == NONE else opened.action)
    for left in (free, replace(free, action=opened.action), replace(free, method=opened.method), opened):
        if left.acted() == was.acted() and left.drawn_by(usual) == was.drawn_by(usual):
            return left
    return was

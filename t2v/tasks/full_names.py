"""Weights by their whole names, as settings are kept, however they were typed."""

from dataclasses import replace
from typing import TypeVar

from t2v.tasks.controlled import ControlledSettings
from t2v.tasks.settings import Settings
from t2v.weights.source import Source

SomeSettings = TypeVar("SomeSettings", bound=Settings)


def with_full_names(settings: SomeSettings) -> SomeSettings:
    """The same settings, every file of weights called by its whole name: see ``Source.parse``.

    Names that mean nothing stay as they are, but for spaces around them.
    """
    if isinstance(settings, ControlledSettings):
        also = tuple(replace(each, controlnet=_full(each.controlnet)) for each in settings.also)
        settings = replace(settings, controlnet=_full(settings.controlnet), also=also)
    return replace(settings, model=Source.parse(settings.model).name, ip_adapter=_full(settings.ip_adapter))


def _full(name: str | None) -> str | None:
    return None if name is None else Source.parse(name).name

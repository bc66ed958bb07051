"""Which of a video's settings are as usual: those that an untouched form would have given it."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from t2v.engine.defaults import AS_DRAWN, told_sampler
from t2v.page.model_told import taken
from t2v.tasks import TASKS
from t2v.weights.told import told_method


def usual(settings: Mapping[str, Any]) -> list[str]:
    """The names of those settings; [] of an unknown task. settings: as a video's file carries them."""
    kind = TASKS.get(str(settings.get("task")))
    if kind is None:
        return []
    model = str(settings.get("model", ""))
    known = {name: settings.get(name) for name in ("num_frames", "move")} | {"model": model, "method": ""}
    words = {"method": told_method(model), **told_sampler(model, kind)}
    suits = {"upscale": AS_DRAWN, **words, **taken(kind, known)}
    fields = {field.name: field.default for field in dataclasses.fields(kind)}
    found = {name: suits.get(name) if default is None else default for name, default in fields.items()}
    open_ones = {
        name for name, default in fields.items() if default is None
    }  # None: what suits, as by itself
    return [
        name
        for name, default in found.items()
        if name in settings
        and ((settings[name] is None and name in open_ones) or _same(settings[name], default))
    ]


def _same(value: Any, other: Any) -> bool:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (value, other))
    if numbers:
        return math.isclose(value, other, rel_tol=1e-6, abs_tol=1e-9)
    return bool(value == other) or (value in ("", [], None) and other in ("", (), None))

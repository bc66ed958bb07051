"""Which runs go alike, so that what one of them took tells about the next."""

from dataclasses import dataclass
from typing import Any

from t2v.diffusion.options import Shortcuts


@dataclass(frozen=True)
class Kind:
    """Equal for runs whose steps and frames cost alike, size and number left aside.

    acts: whether a figure does, along skeletons. controls: tasks of what is followed. upscale and method are
    None where nobody says yet. shortcuts: what is left out of the steps. dtype: the precision it is drawn in,
    None where nobody says yet. A field that is new in a later version has a default.
    """

    task: str
    model: str
    upscale: int | None
    method: str | None
    move: str | None
    acts: bool
    controls: tuple[str, ...]
    steadied: bool
    shortcuts: str = ""
    dtype: str | None = None

    @property
    def is_one_picture(self) -> bool:
        """Whether its steps draw one picture under a camera, however many frames are made of it."""
        return self.method == "canvas" and not self.acts


def kind_of(settings: Any, resolved: Any = None) -> Kind:
    """Of a run that is asked for; what its settings leave open is as in ``resolved``."""

    def value(name: str) -> Any:
        asked = getattr(settings, name, None)
        return _resolved(resolved, name) if asked is None else asked

    acted = getattr(settings, "acted", None)
    return Kind(
        settings.task,
        settings.model,
        value("upscale"),
        value("method"),
        getattr(settings, "move", None),
        acted is not None and acted() is not None,
        tuple(sorted(one.task for one in getattr(settings, "also", ()))),
        bool(value("steady")),
        "" if (left := settings.shortcuts) == Shortcuts() else str(left),
        value("dtype"),
    )


def _resolved(resolved: Any, name: str) -> Any:
    """Of a run that an earlier program drew only the settings it was filled to are known."""
    own = getattr(resolved, name, None)
    return getattr(getattr(resolved, "asked", None), name, None) if own is None else own

"""Where the networks beside a model are: its ControlNets, and the bundled finisher."""

from collections.abc import Callable
from pathlib import Path

from t2v.weights.files import is_file, is_folder
from t2v.weights.refusals import ModelError
from t2v.weights.source import BUNDLED, CONFIG, FINISHER, MINIATURE, Source


def find_controlnet(text: str, task: str, instead: Callable[[], str] | None = None) -> str:
    """A folder's path or a hub id of the ControlNet for ``task``; ModelError where it can be neither.

    instead: as in ``Source.place``.
    """
    source = Source.parse(text)
    if source != Source(BUNDLED):
        place = source.place("controlnet", instead)
        if is_folder(Path(place)) and not is_file(Path(place) / CONFIG):
            raise ModelError(f"controlnet {text} has no {CONFIG}; give a ControlNet's folder.")
        return place
    folder = MINIATURE.parent / f"controlnet-{task}"
    if not (folder / CONFIG).is_file():
        raise ModelError(
            f"controlnet {BUNDLED} has no weights for {task} in this copy; choose another task or model."
        )
    return str(folder)


def check_finisher() -> None:
    """ModelError where this copy of the project lacks the weights that make frames larger."""
    if not (FINISHER / CONFIG).is_file():
        raise ModelError("upscale is 2, and its weights are not in this copy; choose 1, or fetch it again.")

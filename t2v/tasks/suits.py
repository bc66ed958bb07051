"""What suits a model where settings leave something open, and the ControlNets that a run wants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from t2v.weights.figure import PERSON, Figure


@dataclass(frozen=True)
class Suits:
    """What suits the model for one run: the value of whatever its settings leave open.

    own: settings field -> value; "width" and "height" are of the square pictures that the model draws best.
    seed: drawn for this run. times: (width, height) in pixels -> the model's T' and T there. method: of
    drawing videos from text, one of METHODS. figure: how its figures stand. scheduler: of SCHEDULERS.
    spacing: of its steps, of SPACINGS; None: as the model was saved with, trailing below ten steps.
    other_steps: how many by another sampler, where ``own`` has those of this one alone. ip_adapter: that is
    at hand for the model, where a picture is a prompt. dtype: the precision that the run is drawn in, whoever
    chose it.
    """

    own: Mapping[str, float]
    seed: int
    times: Callable[[int, int], tuple[int, int]]
    method: str = "paper"
    figure: Figure = PERSON
    scheduler: str = "ddim"
    spacing: str | None = None
    other_steps: int | None = None
    ip_adapter: str | None = None
    dtype: str = "float32"

    def steps(self, asked: int | None, scheduler: str | None) -> int:
        """So many as are asked for, or suit the sampler that is asked for."""
        is_other = self.other_steps is not None and scheduler not in (None, self.scheduler)
        return self.whole("num_inference_steps", self.other_steps if asked is None and is_other else asked)

    def whole(self, field: str, asked: float | None) -> int:
        """What is asked, or suits where that is None; pages and scripts may send 25.0."""
        return int(self.number(field, asked))

    def number(self, field: str, asked: float | None) -> float:
        """The same for fields that take any number."""
        return self.own[field] if asked is None else asked


@dataclass(frozen=True)
class Network:
    """A ControlNet that a run wants: of a task, from "miniature", a folder or a hub id."""

    task: str
    source: str


ChooseNetwork = Callable[[str, Mapping[str, str]], str]  # (task, family -> hub id) -> what suits the model

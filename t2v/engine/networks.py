"""Which ControlNet suits a model where none is asked for. Without torch: refusals come at once."""

from collections.abc import Mapping

from t2v.tasks.guide_names import instead
from t2v.tasks.suits import ChooseNetwork
from t2v.weights.family import STABLE_DIFFUSION, Family
from t2v.weights.guides import build_of_model
from t2v.weights.refusals import ModelError
from t2v.weights.source import Source
from t2v.weights.told import told_family


def choose_network(model: str, family: Family | None = None) -> ChooseNetwork:
    """How ControlNets left None are chosen for a model: see ``Source.controlnet``; ModelError without any.

    family: None: as far as its name tells, else Stable Diffusion's.
    """
    source = Source.parse(model)
    told = told_family(source) if family is None else family
    family = STABLE_DIFFUSION if told is None else told

    def choose(task: str, hub_ids: Mapping[str, str]) -> str:
        own = build_of_model(model).generation
        is_known = own is None or own.key == family.generations[0]  # for which they were published
        chosen = source.controlnet(task, hub_ids.get(family.key) if is_known else None)
        if chosen is None:
            name = family.name if own is None else own.name
            raise ModelError(f"controlnet for {task} is not known for {name}; {instead(task, model)}.")
        return chosen

    return choose

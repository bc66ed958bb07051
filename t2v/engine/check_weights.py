"""Whether the weights of a run can be had, told before it begins."""

from t2v.engine.networks import choose_network
from t2v.tasks import Settings
from t2v.weights.index import check_model
from t2v.weights.source import find_controlnet


def check_weights(settings: Settings) -> None:
    """ModelError where the model or a ControlNet of a run surely cannot be loaded: told before it begins."""
    check_model(settings.model)
    for network in settings.networks(choose_network(settings.model)):
        find_controlnet(network.source, network.task)

"""Whether the weights of a run can be had, told before it begins."""

from t2v.engine.networks import choose_network
from t2v.tasks import Settings
from t2v.tasks.guide_names import advice
from t2v.trained.asked import check_asked, trained_kind
from t2v.weights.beside import check_finisher
from t2v.weights.guides import check_guide
from t2v.weights.index import check_model
from t2v.weights.picture_adapters import chosen_adapter, told_width


def check_weights(settings: Settings) -> None:
    """ModelError where weights of a run surely cannot be loaded: told before it begins."""
    kind = trained_kind(settings)
    if kind is not None:
        check_asked(settings, kind)
    check_model(settings.model, settings.editor)
    if settings.upscale == 2:
        check_finisher()
    width = told_width(settings.model)
    if settings.picture_prompt is not None and (width is not None or settings.ip_adapter is not None):
        chosen_adapter(settings.ip_adapter, width)
    for network in settings.networks(choose_network(settings.model)):
        otherwise = advice(network.task, settings.model, network.source)
        check_guide(network.source, network.task, settings.model, otherwise)

"""What visitors of an app that is open to others may ask for, and who asks."""

import hashlib
from dataclasses import replace
from typing import Any, TypeVar

from gradio.context import LocalContext
from starlette.requests import Request

from t2v.library.owner import Owner
from t2v.page.door.neighbours import is_at_the_machine
from t2v.page.door.recognised import mark_of
from t2v.page.door.sign_in import NAME
from t2v.page.form_fields import model_choices
from t2v.page.offered import offered_model, offered_name
from t2v.page.studio import Studio
from t2v.tasks import Settings
from t2v.tasks.controlled import ControlledSettings, controlled_kinds
from t2v.weights.guides import guides
from t2v.weights.picture_adapters import adapters_for, told_width
from t2v.weights.source import BUNDLED

SomeSettings = TypeVar("SomeSettings", bound=Settings)


def check_offered(studio: Studio, settings: SomeSettings) -> SomeSettings:
    """The settings; of an app that is open to others with each name in full, as the page lists it.

    InputError for weights that the page does not list there. Names are neither looked for on this machine,
    which would tell what lies there, nor fetched.
    """
    if not studio.is_open:
        return settings
    offered = list(dict.fromkeys(model for _, model in model_choices(studio, type(settings))))
    full: dict[str, Any] = {"model": offered_model(settings.model, offered)}
    if settings.ip_adapter is not None:
        names = adapters_for(told_width(full["model"]))
        full["ip_adapter"] = offered_name("ip_adapter", settings.ip_adapter, names)
    if isinstance(settings, ControlledSettings):
        full["controlnet"] = _network(type(settings), settings.controlnet)
        kinds = controlled_kinds()
        full["also"] = tuple(
            replace(one, controlnet=_network(kinds.get(str(one.task), type(settings)), one.controlnet))
            for one in settings.also
        )
    return replace(settings, **full)


def _network(kind: type[ControlledSettings], asked: object) -> str | None:
    """The bundled one, one of the hub that suits models, or one that lies in the folder of models."""
    found = (one.name for one in guides())
    return (
        None
        if asked is None
        else offered_name("controlnet", asked, (BUNDLED, *kind.hub_ids.values(), *found))
    )


def visitor(studio: Studio) -> str | None:
    """Whose event is being handled; None in an app for oneself, where all windows share everything.

    Whoever has signed in is known by that name, in every browser and program; else the browser's cookie says
    it. Of both only a digest is kept. Programs without either are known by their address. Who is at the
    machine itself is its Owner too, where the studio can tell: what was made there before others were served
    stays theirs.
    """
    return visitor_of(studio, LocalContext.request.get(None))


def visitor_of(studio: Studio, request: Any) -> str | None:
    """The same of a request, Gradio's or Starlette's."""
    if request is None or not studio.is_open:
        return None
    name, mark = _name_of(request), mark_of(request.cookies)
    if name is not None:
        mark = f"{NAME}:{name}"  # which no cookie can be
    who = source_of(studio, request) if mark is None else hashlib.sha256(mark.encode()).hexdigest()[:32]
    is_owner = studio.knows_owner and name is None and is_at_the_machine(request)
    return Owner(who) if who is not None and is_owner else who


def _name_of(request: Any) -> str | None:
    """Who has signed in: Gradio's own requests tell it one way, those that its gates have passed another."""
    name = getattr(request, "username", None)
    scope = request.scope if isinstance(request, Request) else {}
    return name if isinstance(name, str) else scope.get(NAME)


def source(studio: Studio) -> str | None:
    """From where the event comes that is being handled; None in an app for oneself."""
    return source_of(studio, LocalContext.request.get(None))


def source_of(studio: Studio, request: Any) -> str | None:
    """The same of a request, Gradio's or Starlette's."""
    if request is None or not studio.is_open:
        return None
    return getattr(request.client, "host", None)

"""What visitors of an app that is open to others may ask for, and who asks."""

import hashlib
from pathlib import PurePosixPath
from typing import Any

from gradio.context import LocalContext
from starlette.requests import Request

from t2v.checks import InputError
from t2v.library.owner import Owner
from t2v.page.door.neighbours import is_at_the_machine
from t2v.page.door.recognised import mark_of
from t2v.page.door.sign_in import NAME
from t2v.page.form_fields import model_choices
from t2v.page.lora_rows import are_offered
from t2v.page.studio import Studio
from t2v.tasks import Settings
from t2v.tasks.controlled import ControlledSettings, controlled_kinds
from t2v.weights.guides import guides
from t2v.weights.picture_adapters import adapters_for, told_width
from t2v.weights.single_file.header import ENDINGS
from t2v.weights.source import BUNDLED


def check_offered(studio: Studio, settings: Settings) -> None:
    """InputError where an app that is open to others is asked for weights that the page does not list.

    Other names are neither looked for on this machine, which would tell what lies there, nor fetched.
    """
    if not studio.is_open:
        return
    listed = dict.fromkeys(model for _, model in model_choices(studio, type(settings)))
    if not are_offered(settings.model, list(listed)):
        _check("model", settings.model, listed)
    if settings.ip_adapter is not None:
        names = adapters_for(told_width(settings.model))
        _check("ip_adapter", settings.ip_adapter, dict.fromkeys([None, *names]))
    if isinstance(settings, ControlledSettings):
        _check("controlnet", settings.controlnet, _networks(type(settings)))
        for one in settings.also:
            kind = controlled_kinds().get(str(one.task), type(settings))
            _check("controlnet", one.controlnet, _networks(kind))


def _networks(kind: type[ControlledSettings]) -> dict[str | None, None]:
    """The bundled one, those of the hub that suit models, and all that lie in the folder of models."""
    return dict.fromkeys([None, BUNDLED, *kind.hub_ids.values(), *(one.name for one in guides())])


def _check(field: str, value: object, listed: dict[str, None] | dict[str | None, None]) -> None:
    names = [one for one in listed if one is not None]
    name = value.strip() if isinstance(value, str) else value
    shown = {str(PurePosixPath(one).with_suffix("")) for one in names if one.endswith(ENDINGS)}
    if not (name is None or isinstance(name, str)) or (name not in listed and name not in shown):
        raise InputError(f"{field} is not on offer here; choose one of {', '.join(names)}.")


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

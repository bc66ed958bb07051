"""The desk's methods as named endpoints for gradio_client and curl: ``/submit``, ``/follow`` and so on."""

import inspect
import logging
import typing
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext, get_blocks_context

from t2v.checks import InputError
from t2v.page.door.answers import OWN_FAULT
from t2v.page.programs.desk import Caller, Desk
from t2v.page.studio import Studio

logger = logging.getLogger(__name__)

OPERATIONS = ("submit", "follow", "stop", "runs", "library", "settings", "fetch")


def parameters_of(name: str) -> list[inspect.Parameter]:
    """Of one of the desk's methods, with what their values are."""
    method = getattr(Desk, name)
    hints = typing.get_type_hints(method)
    found = list(inspect.signature(method).parameters.values())[1:]
    return [one.replace(annotation=hints[one.name]) for one in found]


def add_desk(studio: Studio) -> None:
    """The endpoints, once on a page, whatever tabs it has."""
    context = get_blocks_context()
    there = set() if context is None else {one.api_name for one in context.fns.values()}
    for name in OPERATIONS:
        if name not in there:
            gr.api(_endpoint(studio, name), api_name=name, concurrency_limit=None)


def desk_endpoints() -> dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], object]]]:
    """Each endpoint's parameters in order, and what raises InputError where one that it needs is missing."""
    return {
        name: (tuple(one.name for one in parameters_of(name)), partial(_check, name)) for name in OPERATIONS
    }


def _check(name: str, given: Mapping[str, Any]) -> None:
    for one in parameters_of(name):
        if one.default is inspect.Parameter.empty and given.get(one.name) is None:
            raise InputError(f"{one.name} is missing; give it.")


def _endpoint(studio: Studio, name: str) -> Callable[..., Any]:
    parameters, method = parameters_of(name), getattr(Desk, name)
    answer = typing.get_type_hints(method)["return"]
    answer = gr.FileData if answer is Path else answer

    def run(*values: Any) -> Any:
        caller = Caller.of(studio, LocalContext.request.get(None))
        given = {one.name: value for one, value in zip(parameters, values, strict=False) if value is not None}
        try:
            found = method(Desk(studio, caller), **given)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception as error:  # of which Gradio would tell null
            logger.exception("%s could not be answered.", name)
            raise gr.Error(OWN_FAULT, print_exception=False) from error
        return _file(found) if isinstance(found, Path) else found

    # Gradio reads the parameters from the signature; the desk is the one home of names and defaults
    run.__signature__ = inspect.Signature(parameters, return_annotation=answer)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": answer}
    run.__doc__ = inspect.getdoc(method)
    return run


def _file(path: Path) -> dict[str, Any]:
    described: dict[str, Any] = gr.FileData(path=str(path), orig_name=path.name).model_dump()
    return described

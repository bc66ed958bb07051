"""Named endpoints for programs (gradio_client, curl): a parameter for each field of a task's settings."""

import asyncio
import dataclasses
import inspect
import logging
import typing
from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from t2v.checks import InputError
from t2v.page.door.answers import OWN_FAULT
from t2v.page.following import heartbeat
from t2v.page.form_values import settings_from
from t2v.page.programs.endpoints import desk_endpoints
from t2v.page.studio import Studio
from t2v.page.uploads import allowed_clip, with_pictures
from t2v.page.visitors import check_offered, source, visitor
from t2v.tasks import TASKS, Settings, settings_of
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import ControlledSettings

logger = logging.getLogger(__name__)

OTHERWISE = {
    "clip": gr.FileData,
    "also": list[dict[str, Any]],
    "first_frame": gr.FileData,
    "picture_prompt": gr.FileData,
}  # fields that programs give otherwise than Python does


def add_endpoint(studio: Studio, settings_class: type[Settings]) -> None:
    """``/text_to_video`` for the task "text-to-video": submits, waits for its turn, returns the MP4.

    Whatever is wrong comes back as an error with the one sentence; ``settings.check()`` sees every value, as
    nothing in between limits them. A caller that cancels stops its run.
    """
    name = settings_class.task.replace("-", "_")
    gr.api(_endpoint(studio, settings_class), api_name=name, concurrency_limit=None)


def named_endpoints(studio: Studio) -> dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], object]]]:
    """Each endpoint's parameters in order, and what raises InputError for values of them that are refused."""
    of_tasks = {
        kind.task.replace("-", "_"): (
            tuple(field.name for field in kind.in_order()),
            partial(_check, studio, kind),
        )
        for kind in TASKS.values()
    }
    return of_tasks | desk_endpoints()


def _check(studio: Studio, settings_class: type[Settings], given: dict[str, Any]) -> None:
    _settings(studio, settings_class, given).check()


def _endpoint(studio: Studio, settings_class: type[Settings]) -> Callable[..., Any]:
    fields = settings_class.in_order()
    hints = typing.get_type_hints(settings_class) | OTHERWISE

    async def run(*values: Any) -> Any:
        given = {field.name: value for field, value in zip(fields, values, strict=True)}
        return await _wait_for(studio, settings_class, given)

    # Gradio reads the parameters from the signature; the settings are the one home of names and defaults
    parameters = [_parameter(studio, field, hints[field.name]) for field in fields]
    signature = inspect.Signature(parameters, return_annotation=gr.FileData)
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {field.name: hints[field.name] for field in fields} | {"return": gr.FileData}
    run.__doc__ = f"Runs {settings_class.task} with these settings and returns the MP4."
    return run


def _parameter(studio: Studio, field: dataclasses.Field[Any], hint: Any) -> inspect.Parameter:
    required = field.default is dataclasses.MISSING
    default = inspect.Parameter.empty if required else field.default
    if field.name == "model":
        default = studio.default_model  # what --model says, as in the page
    return inspect.Parameter(
        field.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=hint, default=default
    )


def _settings(studio: Studio, settings_class: type[Settings], given: dict[str, Any]) -> Any:
    """What a program sent → settings, not yet checked; InputError for a clip that it may not use."""
    if issubclass(settings_class, ClipSettings):
        given = {**given, "clip": allowed_clip(given.get("clip"))}
    if given.get("also"):
        one = settings_of({"task": settings_class.task, "clip": "", "prompt": "", "also": given["also"]})
        given = {**given, "also": one.also if isinstance(one, ControlledSettings) else ()}
    return check_offered(studio, settings_from(settings_class, with_pictures(given)))


async def _wait_for(studio: Studio, settings_class: type[Settings], given: dict[str, Any]) -> dict[str, Any]:
    job_id = None
    try:
        job_id = studio.jobs.submit(_settings(studio, settings_class, given), visitor(studio), source(studio))
        while not (view := studio.jobs.follow(job_id)).finished:
            await heartbeat(studio.jobs, job_id)
    except InputError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception as error:  # of which Gradio would tell null
        logger.exception("A run could not be asked for or followed.")
        raise gr.Error(OWN_FAULT, print_exception=False) from error
    except asyncio.CancelledError:
        if job_id is not None:
            studio.jobs.stop(job_id)
        raise
    if view.output is None:
        sentence = "The run was stopped." if view.error is None else view.error
        raise gr.Error(sentence, print_exception=False)
    file: dict[str, Any] = gr.FileData(path=str(view.output), orig_name=view.output.name).model_dump()
    return file

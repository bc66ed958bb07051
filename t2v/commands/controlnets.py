"""What ``--controlnet`` says: a task's own ControlNet and others on the same clip, each with its strength."""

import re
from dataclasses import replace
from typing import Any

from t2v.checks import InputError, check_number
from t2v.commands.options import other_tasks
from t2v.tasks import TASKS
from t2v.tasks.controlled import Also, ControlledSettings
from t2v.tasks.guide_names import guessed, shows
from t2v.weights.source import BUNDLED, full_name, is_hub_id, is_there

OWN = ""  # stands for the run's own task


def read_controlnets(task: str, given: list[str], strength: float | None = None) -> dict[str, Any]:
    """The settings that ``given`` says: of the task's own ControlNet (None: not given), and of the others.

    given: WEIGHTS or WEIGHTS@SCALE; and TASK, TASK=WEIGHTS, TASK=WEIGHTS@SCALE, TASK@SCALE for ControlNets of
    other tasks. strength: what --conditioning-scale says, None where it is not given. InputError, one
    sentence, for what cannot be meant.
    """
    read = [_read(task, text) for text in given]
    own = [one for one, _ in read if one.task == OWN]
    if len(own) > 1:
        both = " and ".join(str(one.controlnet) for one in own[:2])
        raise InputError(f"controlnet is {both}, both for {task}; give one, and others as TASK=WEIGHTS.")
    said: dict[str, Any] = {"controlnet": None, "also": tuple(one for one, _ in read if one.task != OWN)}
    scales = [one.conditioning_scale for one, is_told in read if one.task == OWN and is_told]
    if scales and strength not in (None, scales[0]):
        raise InputError(
            f"conditioning_scale is {strength:g}, and controlnet {own[0].controlnet} has {scales[0]:g} "
            "behind its @; give one of the two."
        )
    said |= {"controlnet": own[0].controlnet} if own else {}
    return said | ({"conditioning_scale": scales[0]} if scales else {})


def _read(task: str, text: str) -> tuple[Also, bool]:
    """One of them, and whether its strength is told. The whole name of a file or folder is always that."""
    if ("=" in text or "@" in text) and is_there(text):
        return Also(OWN, text), False
    name, equals, weights = (part.strip() for part in text.partition("="))
    if equals and re.fullmatch(r"[a-z0-9-]+", name):
        if name not in other_tasks(task):
            raise InputError(_no_such(task, name, weights))
        one, is_told = _with_scale(weights, text)
        return replace(one, task=name), is_told
    one, is_told = _with_scale(text, text)
    return (
        Also(str(one.controlnet), None, one.conditioning_scale) if one.controlnet in TASKS else one
    ), is_told


def _with_scale(weights: str, text: str) -> tuple[Also, bool]:
    """ "depth@0.5" as depth at 0.5; without a strength all of it, at 1. text: as it was given."""
    name, at, told = (part.strip() for part in weights.rpartition("@"))
    if not at or is_there(weights):
        return Also(OWN, weights), False
    scale: object = told
    try:
        scale = float(told)
    except ValueError:
        if is_there(full_name(weights)) or not _may_be_meant(name):  # an @ in a name
            return Also(OWN, weights), False
    limits = ControlledSettings.limits["conditioning_scale"]
    return Also(OWN, name, check_number(f"the scale in --controlnet {text}", scale, *limits)), True


def _may_be_meant(name: str) -> bool:
    """Whether it names weights or a task, so that what stands behind its @ is meant for a strength."""
    known = name == BUNDLED or name in TASKS or is_hub_id(name)
    return known or is_there(full_name(name))


def _no_such(task: str, name: str, weights: str) -> str:
    """The sentence for NAME=WEIGHTS where nothing follows clips by that name."""
    found = f"controlnet is {name!r}; choose one of {', '.join(other_tasks(task))}"
    if name == task:
        return f"{found}, or give this task's own without its name in front."
    guess = guessed(name)
    pictures = shows(guess) if guess else "what it was made for"
    return (
        f"{found}, which are found in clips, or give its weights alone, as --controlnet {weights}, with "
        f"--control-ready and a clip that already shows {pictures}."
    )

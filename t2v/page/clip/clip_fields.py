"""The fields of the tabs that follow a clip: which part of it is followed, how, and what else is."""

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from t2v.page import form_fields
from t2v.page.clip.network_pickers import NetworkPickers
from t2v.page.form_fields import SHARE_STEP, SUITS, number_field, slider
from t2v.page.studio import Studio
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import Also, ControlledSettings, controlled_kinds


def also_fields() -> dict[str, str]:
    """Fields of the form for further ControlNets -> their tasks."""
    return {f"also_{task}": task for task in controlled_kinds()}


def also_networks() -> dict[str, str]:
    """Fields of the form for their weights -> their tasks."""
    return {f"{field}_network": task for field, task in also_fields().items()}


def own(default: ClipSettings) -> dict[str, Component]:
    """The fields that only this task has; of a control kind also whether its clip needs no detector."""
    form = form_fields.own_numbers(default)
    if isinstance(default, ControlledSettings):
        form["control_ready"] = gr.Checkbox(
            False, label=default.words.ready, info="It is then used as it is."
        )
    return form


def advanced(
    studio: Studio, default: ClipSettings, prompt: Component, networks: NetworkPickers
) -> dict[str, Component]:
    """Everything that few people need, folded away."""
    with gr.Accordion("Advanced options", open=False, elem_classes="advanced"):
        form = {**_part(), **form_fields.size("the clip's shape")}
        if isinstance(default, ControlledSettings):
            form |= _following(default, networks)
        form |= form_fields.drawing(default, prompt)
        hint = "Once drawn, follows how things move in your clip: 0 not at all, 1 most."
        form["steady"] = number_field("Steadier", hint)
        return {**form, **form_fields.machinery(studio, default)}


def _part() -> dict[str, Component]:
    with gr.Row():
        start = number_field("Start", "In seconds of the clip.", "0")
        end = number_field("End", "In seconds of the clip.", "the clip's end")
    with gr.Row():
        fps = number_field("Frames per second", "Of the video; the clip is resampled.", "the clip's")
        frames = number_field("Frames", "At most so many.", "all")
    return {"start_s": start, "end_s": end, "fps": fps, "num_frames": frames}


def _following(default: ControlledSettings, networks: NetworkPickers) -> dict[str, Component]:
    limits = default.limits
    hint = "How strictly the clip is followed."
    form: dict[str, Component] = {
        "conditioning_scale": slider(
            default, "conditioning_scale", "Strength", hint, limits["conditioning_scale"], SHARE_STEP
        ),
    }
    with gr.Row():
        for field, label, hint in (
            ("guidance_start", "Followed from", "The share of the steps after which it begins."),
            ("guidance_end", "Followed until", "The share of the steps after which it ends."),
        ):
            form[field] = slider(default, field, label, hint, limits[field], SHARE_STEP)
    with gr.Row():
        for field, task in also_fields().items():
            if task != default.task:
                with gr.Column(min_width=210):
                    form[field] = _also(controlled_kinds()[task].words.also, limits["conditioning_scale"])
                    form[f"{field}_network"] = networks.place_also(task)
    return form


def _also(label: str, limits: tuple[float, float]) -> gr.Slider:
    hint = "How strictly; 0: not at all."
    return gr.Slider(*limits, 0, step=SHARE_STEP, label=label, info=hint, min_width=210, buttons=[])


def with_also(values: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values with those of the further ControlNets made into the settings' ``also``."""
    fields, networks = also_fields(), also_networks()
    also = [
        Also(task, values.get(network), values[field])
        for (field, task), network in zip(fields.items(), networks, strict=True)
        if values.get(field) not in (None, 0)
    ]
    own = {name: value for name, value in values.items() if name not in fields | networks}
    return own | {"also": tuple(also)}


def value(settings: ClipSettings, field: str) -> Any:
    """What a field of the form shows for settings; of ``also_fields`` the strength, 0 without it."""
    if field == "start_s":
        return settings.start_s or None  # an empty field says so, as for the end
    task = (also_fields() | also_networks()).get(field)
    if task is None or not isinstance(settings, ControlledSettings):
        return form_fields.form_value(settings, field)
    one = next((one for one in settings.also if one.task == task), None)
    if field in also_networks():
        return SUITS if one is None or one.controlnet is None else one.controlnet
    return 0 if one is None else one.conditioning_scale

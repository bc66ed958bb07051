"""Presets: how much trouble a video is worth, in a word; what each sets is the family's or the model's."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from t2v.checks import InputError, check_choice
from t2v.tasks.settings import Settings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.card import read_card
from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.few_steps import Found, few_steps
from t2v.weights.source import Source
from t2v.weights.told import told_family
from t2v.weights.video_kinds import VideoKind, video_kind

PRESETS = ("draft", "standard", "best", "paper")
# what a preset decides: it sets each of these, to what suits the model where it says nothing
FIELDS = (
    "num_inference_steps", "guidance_scale", "scheduler", "spacing", "upscale", "method", "motion_x",
    "motion_y",
)  # fmt: skip
DECIDED = ("num_inference_steps", "guidance_scale", "scheduler", "spacing")  # by how a model was distilled
KIND = TextToVideoSettings  # the task that has presets


def preset(model: str, name: str) -> dict[str, Any]:
    """What a preset sets for a model, a value for each of FIELDS. InputError for a name that there is not."""
    check_choice("preset", name, PRESETS)
    source = Source.parse(model)
    video = video_kind(source)
    if video is not None:
        return _whole(_of_video(video, name, model))
    own, told = read_card(source).presets, told_family(source)
    usual = (STABLE_DIFFUSION if told is None else told).presets
    chosen: Mapping[str, Any] = own.get(name, usual.get(name, {}))
    few = few_steps(source)
    if few is not None and (few.by_lora or name not in own):
        chosen = _of_few(few, name, chosen)
    foreign = chosen.keys() - set(FIELDS)
    if foreign:
        sets = f"preset is {name}, which sets {min(foreign)} in this model's card"
        raise InputError(f"{sets}; leave it out there.")
    return _whole(chosen)


def _whole(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each of FIELDS, None where nothing is chosen."""
    return {field: chosen.get(field, KIND.__dataclass_fields__[field].default) for field in FIELDS}


def _of_video(video: VideoKind, name: str, model: str) -> Mapping[str, Any]:
    """Of a trained video model: half as many steps as it is given out with, or twice as many."""
    if name == "paper":
        told = f"model {model} is a trained video model ({video.name}), whose motion is its own"
        raise InputError(f"preset is paper, and {told}; choose another preset or model.")
    steps = video.suits["num_inference_steps"]
    return {"num_inference_steps": {"draft": steps // 2, "standard": None, "best": 2 * steps}[name]}


def _of_few(few: Found, name: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Of a model of few steps: half of them, or twice as many, by its own sampler and guidance."""
    steps = {"draft": max(1, few.steps // 2), "best": 2 * few.steps}
    kept = {field: value for field, value in chosen.items() if field not in DECIDED}
    return {**kept, **({"num_inference_steps": steps[name]} if name in steps else {})}


def is_unmeasured(model: str, name: str) -> bool:
    """Whether a preset sets what nobody has seen on such weights yet; what a model's card says has been."""
    source = Source.parse(model)
    own = read_card(source).presets
    return name in STABLE_DIFFUSION.unmeasured and name not in own and few_steps(source) is None


def with_preset(settings: Settings, name: str) -> Settings:
    """The settings with those of a preset in their place."""
    if not isinstance(settings, KIND):
        raise InputError(f"preset is {name}, and {settings.task} has none; leave it out.")
    return replace(settings, **preset(settings.model, name))


def in_words(values: Mapping[str, Any]) -> str:
    """What a preset sets, for people: "10 steps"."""
    told = [form(values[field]) for field, form in WORDS.items() if values.get(field) is not None]
    x, y = (values.get(field) or 0.0 for field in ("motion_x", "motion_y"))
    if x or y:
        told.append(f"motion of {x:g} px to the right and {y:g} px down a frame")
    if told and values.get("scheduler") != KIND.__dataclass_fields__["scheduler"].default:
        told.append(f"the sampler {values['scheduler']}")
    return ", ".join(told) if told else "what suits the model"


WORDS: Mapping[str, Callable[[Any], str]] = {
    "method": lambda value: {"paper": "the paper's method", "canvas": "one picture under a camera"}[value],
    "num_inference_steps": lambda value: f"{value:g} steps",
    "guidance_scale": lambda value: f"guidance {value:g}",
    "upscale": lambda value: "frames twice as large" if value == 2 else "frames as drawn",
}

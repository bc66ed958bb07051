"""Which profile a model's weights are kept by, and models loaded so."""

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch

from t2v.devices import pick_dtype
from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.engine.defaults import native_side_px
from t2v.engine.precision import Machine
from t2v.failures import OutOfMemory
from t2v.memory.free import free_bytes, let_go_of_unused
from t2v.memory.memory import TOO_LITTLE, WENT_ON, attempt
from t2v.memory.needs import LARGEST_BLOCK, SPARE, decode_bytes, row_bytes
from t2v.memory.profiles import AUTO, CPU, HIGH, LOW, MEDIUM, PROFILES, Kept, after, is_offloaded
from t2v.trained.load import load_trained
from t2v.trained.pipeline import TrainedPipeline
from t2v.weights.load import load_pipeline
from t2v.weights.sizes import size_words
from t2v.weights.source import Source
from t2v.weights.video_kinds import VideoKind, made_for, video_kind
from t2v.weights.weight_count import count_weights

logger = logging.getLogger(__name__)

CELL_PX = 8  # output pixels per latent cell, along each side, in the models that such profiles are for
P = TypeVar("P", bound=VideoPipeline | TrainedPipeline)
BRANCHES = 2  # with and without the prompt
FRAMES = {HIGH: 4, MEDIUM: 2, LOW: 1}  # for so many at once there is to be room beside the weights
CHOSEN = "The profile {profile} was chosen for memory ({means}), as the model has {has} and {free} are free."


def chosen_profile(
    model: str, task: str, machine: Machine, fp8: bool = False, dtype: str | None = None
) -> tuple[str, str | None]:
    """The profile that suits what is free on the device and the model's size, and a sentence on why.

    dtype: the run's precision; None: what suits. None is to be said where all has room. Nothing is loaded.
    """
    if machine.device.startswith("cpu"):
        return CPU, None
    free = free_bytes(machine.device)
    itemsize = pick_dtype(machine.precision(model, dtype), machine.device).itemsize
    if free is None:
        return HIGH, None
    count, side = count_weights(model), native_side_px(model, task)
    frames, decoded_at_once = _at_once(model)
    unet = count.unet * (1 if fp8 else itemsize)
    weights = {HIGH: unet + count.rest * itemsize, MEDIUM: int(LARGEST_BLOCK * unet), LOW: 0}
    row, decoded = (
        row_bytes({}, round(side / CELL_PX) ** 2, itemsize),
        decoded_at_once * decode_bytes({}, round(side**2), itemsize),
    )
    for profile, kept in weights.items():
        if kept + max(BRANCHES * frames[profile] * row, decoded) + SPARE <= free:
            break
    else:
        profile = CPU
    told = CHOSEN.format(
        profile=profile, means=PROFILES[profile], has=size_words(weights[HIGH]), free=size_words(free)
    )
    logger.info("%s", told)
    return profile, None if profile == HIGH else told


def _at_once(model: str) -> tuple[Mapping[str, int], int]:
    """By profile, for how many frames' latents there is to be room at once; and how many are decoded so."""
    source = Source.parse(model)
    video = video_kind(source)
    if video is None:
        return FRAMES, 1
    made = made_for(source, video)
    return dict.fromkeys(FRAMES, made.latent_frames), made.group


def load_kept(name: str, editor: bool, task: str, kept: Kept, machine: Machine) -> VideoPipeline:
    """A model, its weights kept as asked, or by the next profile where memory runs out.

    ModelError where it cannot be had, OutOfMemory where no profile has room, InputError where fp8 does not
    fit.
    """

    def loaded(profile: str, device: str, dtype: torch.dtype) -> VideoPipeline:
        return load_pipeline(name, CPU if is_offloaded(profile) else device, dtype, editor)

    return _kept(name, task, loaded, kept, machine)


def load_kept_trained(name: str, kind: VideoKind, task: str, kept: Kept, machine: Machine) -> TrainedPipeline:
    """The same of a trained video model."""

    def loaded(profile: str, device: str, dtype: torch.dtype) -> TrainedPipeline:
        return load_trained(name, kind, CPU if is_offloaded(profile) else device, dtype)

    return _kept(name, task, loaded, kept, machine)


def _kept(
    name: str,
    task: str,
    load: Callable[[str, str, torch.dtype], P],
    kept: Kept,
    machine: Machine,
) -> P:
    """What ``load`` gives by a profile, a device and a precision, or by the next where memory runs out."""
    profile, told = kept.profile, None
    if profile == AUTO:
        profile, told = chosen_profile(name, task, machine, kept.fp8, kept.dtype)
    while True:
        device = machine.by(profile)
        dtype = pick_dtype(machine.precision(name, kept.dtype, profile), device)

        def loaded(profile: str = profile, device: str = device, dtype: torch.dtype = dtype) -> P:
            pipeline = load(profile, device, dtype)
            pipeline.memory.place(profile, device, kept.fp8)
            return pipeline

        found = attempt(loaded)
        if found.value is not None:
            if told is not None:
                found.value.tell(told)
            return found.value
        let_go_of_unused(device)
        following = after(profile, device.startswith(CPU))
        if following is None:
            raise OutOfMemory(TOO_LITTLE.format(profile=profile))
        told = WENT_ON.format(before=profile, profile=following)
        profile = following

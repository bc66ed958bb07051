"""Models from the bundled miniature, a local folder, a checkpoint file or a hub id.

Of weights nothing but tensors is read: safetensors, or pickles of which all else is refused.
"""

import logging
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import SchedulerMixin, UNet2DConditionModel
from huggingface_hub import snapshot_download
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from t2v.checks import InputError
from t2v.diffusion.progress import Cancelled
from t2v.diffusion.schedule import saved_scheduler
from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.weights.assembled import assembled
from t2v.weights.family import Family, family_of
from t2v.weights.files import config_path, files_of, read_json, read_object
from t2v.weights.fits import check_parts
from t2v.weights.hub import hub_answers
from t2v.weights.index import SECOND, check_folder, has_second, read_index
from t2v.weights.lora.merge import merged
from t2v.weights.marks import Mark, place_mark
from t2v.weights.network import Place, load_network
from t2v.weights.refusals import ModelError, explain, log_failure
from t2v.weights.single_file.behind import behind
from t2v.weights.single_file.pipeline import file_pipeline, take_vae
from t2v.weights.single_file.vocabulary import clip_tokenizer
from t2v.weights.source import CONFIG, MODEL_INDEX, Source

logger = logging.getLogger(__name__)

FORCE_ZEROS = "force_zeros_for_empty_prompt"  # of an index: no negative prompt is nothing, not an empty text
SCHEDULER_CONFIG = "scheduler_config.json"


def load_pipeline(name: str, device: str, dtype: torch.dtype, editor: bool = False) -> VideoPipeline:
    """The pipeline of "miniature", a local folder, a file or a hub id, on ``device``; else ModelError.

    editor: with an InstructPix2Pix UNet, the model's own or that of a folder "editor" beside the model's.
    A name "MODEL+LORA@0.7" has a LoRA in its weights: a hub id, a folder or a .safetensors file, and
    its strength, 1 where none is told; "MODEL+VAE" has the VAE of that file.
    """
    source = Source.parse(name)
    place = source.place()
    vae, loras = behind(source)
    for adapter in loras:
        source.adapter_place(adapter)  # refused before anything is loaded
    try:
        if Path(place).is_file():
            pipeline = file_pipeline(source.base, Path(place), vae, device, dtype, editor)
        else:
            pipeline = _of_folder(name, source, place, device, dtype, editor)
            if vae is not None:
                take_vae(source.base, pipeline, vae, device, dtype)
        check_parts(name, pipeline, editor)
    except (ModelError, Cancelled):
        raise
    except Exception as error:
        log_failure(f"loading {name}", error)
        raise ModelError(explain(name, error)) from error
    if loras:
        put_loras(pipeline, source)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def put_loras(pipeline: VideoPipeline, source: Source) -> None:
    """Let the LoRAs of a model's name, and no others, be in its weights: nothing else is read from disk.

    ModelError where one cannot be had or does not fit; the model then has none.
    """
    merged(pipeline).put(behind(source)[1], source.adapter_place)


def _of_folder(
    name: str, source: Source, place: str, device: str, dtype: torch.dtype, editor: bool
) -> VideoPipeline:
    """A model in diffusers' format, each of its parts loaded by itself."""
    local = Path(place).is_dir() or not hub_answers()
    index = read_index(name, config_path(place, local, MODEL_INDEX))
    check_folder(place, index)
    part = partial(_part, name, device=device, dtype=dtype, local=local)
    files = files_of(place, local, MODEL_INDEX)
    beside = source.companion("editor") if editor else None
    if beside is None:
        unet = part(UNet2DConditionModel, place, files, "unet")
    else:
        unet = part(UNet2DConditionModel, beside, files_of(beside, True, CONFIG), "")
    rest = Path(_without_weights(place, local))
    parts = {
        "unet": unet,
        "vae": part(getattr(diffusers, index["vae"][1]), place, files, "vae"),
        "text_encoder": part(CLIPTextModel, place, files, "text_encoder"),
        "tokenizer": _read_tokenizer(rest / "tokenizer"),
        "scheduler": _read_scheduler(name, rest),
    }
    if not has_second(index):
        return assembled(parts)
    second = {
        "text_encoder_2": part(CLIPTextModelWithProjection, place, files, "text_encoder_2"),
        "tokenizer_2": _read_tokenizer(rest / "tokenizer_2"),
    }
    return assembled({**parts, **second}, index.get(FORCE_ZEROS, True) is not False)


def loaded_family(pipeline: VideoPipeline) -> Family:
    """The family of a model that was loaded."""
    encoders = (pipeline.text_encoder, getattr(pipeline, "text_encoder_2", None))
    classes = ("" if one is None else type(one).__name__ for one in encoders)
    family = family_of(type(pipeline.unet).__name__, *classes)
    if family is None:  # read_index refuses such models
        raise ModelError(f"the model's UNet is a {type(pipeline.unet).__name__}; choose another model.")
    return family


def read_tokenizer(source: Source) -> CLIPTokenizer | None:
    """A model's tokenizer, of two the one that reads less; None where its files are broken or not here."""
    try:
        place = source.place()
        return _tokenizer(place, place_mark(place))
    except Exception as error:  # of many kinds; loading the model itself tells people
        logger.info("the tokenizer of %s cannot be read: %s", source.base, error)
        return None


@lru_cache(maxsize=4)
def _tokenizer(place: str, mark: Mark) -> CLIPTokenizer:
    """mark: of the model as it is now: one that has changed is read anew."""
    if Path(place).is_file():
        return clip_tokenizer()
    first = CLIPTokenizer.from_pretrained(place, subfolder="tokenizer", local_files_only=True)
    if not (Path(place) / SECOND[1]).is_dir():
        return first
    second = CLIPTokenizer.from_pretrained(place, subfolder=SECOND[1], local_files_only=True)
    return min(first, second, key=lambda one: one.model_max_length)


def _part(
    name: str,
    kind: Any,
    base: str,
    files: list[str],
    folder: str,
    *,
    device: str,
    dtype: torch.dtype,
    local: bool,
) -> torch.nn.Module:
    return load_network(kind, Place(f"model {name}", base, folder, tuple(files), local), device, dtype)


def _read_tokenizer(folder: Path) -> CLIPTokenizer:
    for path in folder.glob("*.json"):
        read_json(path)  # the library would end in a traceback where one is no JSON
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def _read_scheduler(name: str, folder: Path) -> SchedulerMixin:
    """What the model's scheduler tells of its noise; its class is not built where it is none of ours."""
    config = read_object(folder / "scheduler" / SCHEDULER_CONFIG)
    try:
        return saved_scheduler(config)
    except InputError as error:
        raise ModelError(f"model {name} cannot be used, as {error}") from error


def _without_weights(place: str, local: bool) -> str:
    """The folder with the rest of a model; of a hub id nothing else is fetched, as ControlNets in it."""
    if Path(place).is_dir():
        return place
    wanted = [MODEL_INDEX, "tokenizer/*", "tokenizer_2/*", "scheduler/*"]
    return snapshot_download(place, allow_patterns=wanted, local_files_only=local)

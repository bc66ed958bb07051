"""Models from the bundled miniature, a local folder or a hub id.

Of weights nothing but tensors is read: safetensors, or pickles of which all else is refused.
"""

import logging
import re
from collections.abc import Iterable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import diffusers
import httpx
import torch
from diffusers import UNet2DConditionModel
from huggingface_hub import hf_hub_download, list_repo_files, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from transformers import CLIPTextModel, CLIPTokenizer

from checks import counted
from devices import settle
from hub import hub_answers
from model_index import check_folder, read_index
from places import INDEX, LORA_FILE, ModelError, base_and_lora, companion, find_lora, find_place
from text_to_video_pipeline import TextToVideoPipeline

logger = logging.getLogger(__name__)

WEIGHTS = re.compile(
    r"(?:diffusion_pytorch_|pytorch_)?model(\.fp16)?(?:-\d+-of-\d+)?\.(safetensors|bin)", re.ASCII
)
# Ending and variant of the files that are read, the best first. A .bin, as older models have it, is a pickle;
# diffusers and transformers give it to torch.load(weights_only=True), which runs nothing.
KINDS = (("safetensors", None), ("safetensors", "fp16"), ("bin", None), ("bin", "fp16"))
STABLE_DIFFUSION = {"num_inference_steps": 50, "guidance_scale": 7.5, "motion_x": 12.0, "motion_y": 12.0}


def load_pipeline(source: str, device: str, dtype: torch.dtype, editor: bool = False) -> TextToVideoPipeline:
    """The pipeline of "miniature", a local folder or a hub id, on ``device``; else ModelError.

    editor: with an InstructPix2Pix UNet, the model's own or that of a folder "editor" beside the model's.
    A source "MODEL+LORA" is the model with a LoRA in its weights: a hub id, a folder or a .safetensors file.
    """
    place, lora = find_place(source), find_lora(source)
    try:
        local = Path(place).is_dir() or not hub_answers()
        index = _read_index(source, place, local)
        check_folder(place)
        part = partial(_load_part, source, device=device, dtype=dtype, local=local)
        files = _files(place, local)
        beside = companion(source, "editor") if editor else None
        if beside is None:
            unet = part(UNet2DConditionModel, place, files, "unet")
        else:
            unet = part(UNet2DConditionModel, beside, _files(beside, local), "")
        pipeline = TextToVideoPipeline.from_pretrained(
            _without_weights(place, local),
            dtype=dtype,
            unet=unet,
            vae=part(getattr(diffusers, index["vae"][1]), place, files, "vae"),
            text_encoder=part(CLIPTextModel, place, files, "text_encoder"),
            safety_checker=None,
            feature_extractor=None,
            image_encoder=None,
            requires_safety_checker=False,
        )
    except ModelError:
        raise
    except Exception as error:
        logger.info("loading %s failed", source, exc_info=True)
        raise ModelError(explain(source, error)) from error
    _check_channels(source, pipeline, editor)
    if lora is not None:
        _add_lora(pipeline, source, *lora)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def read_tokenizer(source: str) -> CLIPTokenizer | None:
    """A model's tokenizer, from files that are on this machine; None where they are not or are broken."""
    try:
        return _tokenizer(find_place(source))
    except Exception as error:  # of many kinds; loading the model itself tells people
        logger.info("the tokenizer of %s cannot be read: %s", source, error)
        return None


@lru_cache(maxsize=4)
def _tokenizer(place: str) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(place, subfolder="tokenizer", local_files_only=True)


def _add_lora(pipeline: TextToVideoPipeline, source: str, place: str, file: str | None) -> None:
    """Put a LoRA into the weights themselves, which then are as fast as without."""
    name = base_and_lora(source)[1]
    local = Path(place).is_dir() or not hub_answers()
    if file is None and local and not Path(place).is_dir():
        file = LORA_FILE  # without the hub, nobody can tell which files there are
    try:
        pipeline.load_lora_weights(place, weight_name=file, local_files_only=local, use_safetensors=True)
        adapters = pipeline.get_active_adapters()
        pipeline.fuse_lora()
        pipeline.unload_lora_weights()
    except Exception as error:
        logger.info("loading %s failed", source, exc_info=True)
        absent = isinstance(error.__context__, LocalEntryNotFoundError)  # diffusers hides it in another
        raise ModelError(explain(name, error.__context__ if absent else error, "lora")) from error
    if not adapters:
        raise ModelError(f"lora {name} has no layers for this kind of model; choose another.")


def _load_part(
    source: str,
    kind: type,
    place: str,
    files: Iterable[str],
    folder: str,
    *,
    device: str,
    dtype: torch.dtype,
    local: bool,
) -> torch.nn.Module:
    """One network of a model, in ``folder`` of it ("": itself), from the best of its weights, on the device.

    Each is loaded by itself: their files may be of different kinds, and where tensors are missing the
    libraries would go on with random ones.
    """
    weights = _best_weights(Path(file).name for file in files if str(Path(file).parent) == (folder or "."))
    if weights is None and local and not Path(place).is_dir():
        raise ConnectionError(f"{folder} has not been fetched")
    if weights is None:
        lacking = f"no weights{f' in its folder {folder}' if folder else ''} that can be read"
        raise ModelError(f"model {source} has {lacking} (.safetensors or .bin); choose another.")
    network, told = kind.from_pretrained(
        place, subfolder=folder, dtype=dtype, output_loading_info=True, local_files_only=local, **weights
    )
    if told["missing_keys"]:
        lost = f"{counted(len(told['missing_keys']), 'missing tensor')} in its {folder or 'editor'}"
        raise ModelError(f"model {source} is broken and cannot be loaded ({lost}); fetch it again.")
    return settle(network, device)


def _without_weights(place: str, local: bool) -> str:
    """The folder with the rest of a model; of a hub id nothing else is fetched, as ControlNets in it."""
    if Path(place).is_dir():
        return place
    wanted = [INDEX, "tokenizer/*", "scheduler/*"]
    return snapshot_download(place, allow_patterns=wanted, local_files_only=local)


def _best_weights(names: Iterable[str]) -> dict[str, Any] | None:
    """What ``from_pretrained`` is told to read the best of the files of these names; None without any."""
    there = {(found[2], found[1] and "fp16") for name in names if (found := WEIGHTS.fullmatch(name))}
    best = next((kind for kind in KINDS if kind in there), None)
    return None if best is None else {"use_safetensors": best[0] == "safetensors", "variant": best[1]}


def _files(place: str, local: bool) -> list[str]:
    """The files of a folder or a hub id, as paths in it; without the hub, those of it that are here."""
    if not local:
        try:
            return list_repo_files(place)
        except (HfHubHTTPError, httpx.HTTPError, OSError) as error:
            logger.info("the files of %s are not told, those fetched before will do: %s", place, error)
    folder = Path(place)
    if not folder.is_dir():
        folder = Path(hf_hub_download(place, INDEX, local_files_only=True)).parent
    return [path.relative_to(folder).as_posix() for path in (*folder.glob("*"), *folder.glob("*/*"))]


def _check_channels(source: str, pipeline: TextToVideoPipeline, editor: bool) -> None:
    latent, taken = pipeline.vae.config.latent_channels, pipeline.unet.config.in_channels
    if editor and taken != 2 * latent:
        raise ModelError(
            f"model {source} cannot edit, as its UNet sees no picture; choose an InstructPix2Pix model such "
            "as timbrooks/instruct-pix2pix."
        )
    if not editor and taken != latent:
        raise ModelError(
            f"model {source} is made for editing or inpainting (its UNet takes {taken} channels, not "
            f"{latent}); choose a text-to-image model."
        )


def _read_index(source: str, place: str, local: bool) -> dict:
    path = Path(place) / INDEX
    if not path.parent.is_dir():
        path = Path(hf_hub_download(place, INDEX, local_files_only=local))
    return read_index(source, path)


def explain(source: str, error: Exception, what: str = "model") -> str:
    """One sentence for what diffusers, transformers or the hub raised.

    what: was to be loaded: "model", "controlnet" or "lora".
    """
    offline = f"{what} {source} is not on this machine and the hub cannot be reached"
    instead = "leave it out" if what == "lora" else "choose miniature"
    if isinstance(error, GatedRepoError):
        return f"{what} {source} needs its licence accepted on the hub; accept it there and log in."
    if isinstance(error, RepositoryNotFoundError):
        return f"{what} {source} is not known to the hub; check the id for typing errors."
    if isinstance(error, HFValidationError):
        return f"{what} {source} is no hub id; write it as owner/name, give a folder, or {instead}."
    if isinstance(error, (LocalEntryNotFoundError, HfHubHTTPError, ConnectionError)):
        return f"{offline}; connect once to fetch it, or {instead}."
    if what == "lora" and "size mismatch" in str(error):
        return f"{what} {source} does not fit here, as it was made for another network; {instead}."
    if what != "model" and isinstance(error, OSError) and "no file named" in str(error):
        return f"{what} {source} has no safetensors weights, the only kind read of a {what}; choose another."
    first_line = str(error).strip().split("\n")[0][:200]
    return f"{what} {source} is broken and cannot be loaded ({first_line}); fetch it again or choose another."

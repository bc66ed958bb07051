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
import httpx2
import torch
from diffusers import UNet2DConditionModel
from huggingface_hub import hf_hub_download, list_repo_files, snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from transformers import CLIPTextModel, CLIPTokenizer

from t2v.checks import counted
from t2v.devices import settle
from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.weights.family import Family, family_of
from t2v.weights.hub import hub_answers
from t2v.weights.index import check_folder, read_index
from t2v.weights.lora import add_lora
from t2v.weights.refusals import ModelError, explain
from t2v.weights.source import MODEL_INDEX, Source

logger = logging.getLogger(__name__)

WEIGHTS = re.compile(
    r"(?:diffusion_pytorch_|pytorch_)?model(\.fp16)?(?:-\d+-of-\d+)?\.(safetensors|bin)", re.ASCII
)
# Ending and variant of the files that are read, the best first. A .bin, as older models have it, is a pickle;
# diffusers and transformers give it to torch.load(weights_only=True), which runs nothing.
KINDS = (("safetensors", None), ("safetensors", "fp16"), ("bin", None), ("bin", "fp16"))


def load_pipeline(name: str, device: str, dtype: torch.dtype, editor: bool = False) -> TextToVideoPipeline:
    """The pipeline of "miniature", a local folder or a hub id, on ``device``; else ModelError.

    editor: with an InstructPix2Pix UNet, the model's own or that of a folder "editor" beside the model's.
    A name "MODEL+LORA" is the model with a LoRA in its weights: a hub id, a folder or a .safetensors file.
    """
    source = Source.parse(name)
    place, adapters = source.place(), {adapter: source.adapter_place(adapter) for adapter in source.adapters}
    try:
        local = Path(place).is_dir() or not hub_answers()
        index = _read_index(name, place, local)
        check_folder(place)
        part = partial(_load_part, name, device=device, dtype=dtype, local=local)
        files = _files(place, local)
        beside = source.companion("editor") if editor else None
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
        logger.info("loading %s failed", name, exc_info=True)
        raise ModelError(explain(name, error)) from error
    _check_channels(name, pipeline, editor)
    for adapter, (folder, file) in adapters.items():
        add_lora(pipeline, adapter, folder, file)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def loaded_family(pipeline: TextToVideoPipeline) -> Family:
    """The family of a model that was loaded."""
    family = family_of(type(pipeline.unet).__name__, type(pipeline.text_encoder).__name__)
    if family is None:  # read_index refuses such models
        raise ModelError(f"the model's UNet is a {type(pipeline.unet).__name__}; choose another model.")
    return family


def read_tokenizer(source: Source) -> CLIPTokenizer | None:
    """A model's tokenizer, from files that are on this machine; None where they are not or are broken."""
    try:
        return _tokenizer(source.place())
    except Exception as error:  # of many kinds; loading the model itself tells people
        logger.info("the tokenizer of %s cannot be read: %s", source.base, error)
        return None


@lru_cache(maxsize=4)
def _tokenizer(place: str) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(place, subfolder="tokenizer", local_files_only=True)


def _load_part(
    source: str,
    kind: Any,
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
    network, report = kind.from_pretrained(
        place, subfolder=folder, dtype=dtype, output_loading_info=True, local_files_only=local, **weights
    )
    if report["missing_keys"]:
        lost = f"{counted(len(report['missing_keys']), 'missing tensor')} in its {folder or 'editor'}"
        raise ModelError(f"model {source} is broken and cannot be loaded ({lost}); fetch it again.")
    return settle(network, device)


def _without_weights(place: str, local: bool) -> str:
    """The folder with the rest of a model; of a hub id nothing else is fetched, as ControlNets in it."""
    if Path(place).is_dir():
        return place
    wanted = [MODEL_INDEX, "tokenizer/*", "scheduler/*"]
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
        except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
            logger.info("the files of %s are not told, those fetched before will do: %s", place, error)
    folder = Path(place)
    if not folder.is_dir():
        folder = Path(hf_hub_download(place, MODEL_INDEX, local_files_only=True)).parent
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


def _read_index(source: str, place: str, local: bool) -> dict[str, Any]:
    path = Path(place) / MODEL_INDEX
    if not path.parent.is_dir():
        path = Path(hf_hub_download(place, MODEL_INDEX, local_files_only=local))
    return read_index(source, path)

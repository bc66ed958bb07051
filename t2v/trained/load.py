"""Trained video models from a local folder or a hub id: each part by itself, tensors and JSON alone."""

from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from huggingface_hub import snapshot_download

from t2v.diffusion.progress import Cancelled
from t2v.trained.pipeline import TrainedPipeline
from t2v.trained.spiece import spiece_tokenizer
from t2v.weights.files import config_path, files_of, read_json, read_object
from t2v.weights.hub import hub_answers
from t2v.weights.network import Place, load_network
from t2v.weights.refusals import ModelError, explain, log_failure
from t2v.weights.source import MODEL_INDEX, Source
from t2v.weights.video_folder import SCHEDULER, TOKENIZER, check_video_folder, read_video_index
from t2v.weights.video_kinds import MODELSCOPE, T5_WORDS, VideoKind, made_for

VOCABULARIES, SPIECE = ("tokenizer.json", "vocab.json"), "spiece.model"
SMALL_FILES = [MODEL_INDEX, f"{TOKENIZER}/*", f"{SCHEDULER}/*", "*/config.json"]


def load_trained(name: str, kind: VideoKind, device: str, dtype: torch.dtype) -> TrainedPipeline:
    """The pipeline of a trained video model, on ``device``; ModelError where it cannot be had or used.

    dtype: of its networks; Wan's VAE, which loses much in half precision, is always in float32.
    """
    source = Source.parse(name)
    place = source.place()
    try:
        parts = _parts(name, kind, place, device, dtype)
        _check_fit(name, kind, parts)
        own = getattr(diffusers, kind.pipeline)(**parts)
    except (ModelError, Cancelled):
        raise
    except Exception as error:
        log_failure(f"loading {name}", error)
        raise ModelError(explain(name, error)) from error
    return TrainedPipeline(own, kind, made_for(source, kind))


def _parts(name: str, kind: VideoKind, place: str, device: str, dtype: torch.dtype) -> dict[str, Any]:
    local = Path(place).is_dir() or not hub_answers()
    index = config_path(place, local, MODEL_INDEX)
    classes = read_video_index(name, kind, index)
    if Path(place).is_dir():
        check_video_folder(place, classes)
        rest = Path(place)
    else:
        rest = Path(snapshot_download(place, allow_patterns=SMALL_FILES, local_files_only=local))
    files = tuple(files_of(place, local, MODEL_INDEX))
    parts: dict[str, Any] = dict.fromkeys(kind.may_lack)
    for part, named in classes.items():
        if part == TOKENIZER:
            parts[part] = _tokenizer(name, named, rest / part)
        elif part == SCHEDULER:
            parts[part] = getattr(diffusers, named).from_config(
                read_object(rest / part / "scheduler_config.json")
            )
        else:
            library: Any = transformers if part == "text_encoder" else diffusers
            own = torch.float32 if named == "AutoencoderKLWan" else dtype
            at = Place(f"model {name}", place, part, files, local)
            parts[part] = load_network(getattr(library, named), at, device, own)
    return {**parts, **_values(kind, index)}


def _values(kind: VideoKind, index: Path) -> dict[str, Any]:
    """What an index tells beside its parts: which of two networks draws when, how time is told."""
    told = read_object(index)
    return {name: told[name] for name in kind.values if isinstance(told.get(name), (bool, int, float))}


def _tokenizer(name: str, named: str, folder: Path) -> Any:
    """A part's tokenizer; ModelError where its words are not there, as the library would make up its own."""
    for path in folder.glob("*.json"):
        read_json(path)  # the library would end in a traceback where one is no JSON
    old = folder / SPIECE
    if named in T5_WORDS and old.is_file() and not (folder / VOCABULARIES[0]).is_file():
        return spiece_tokenizer(old)
    if not any((folder / file).is_file() for file in VOCABULARIES):
        raise ModelError(f"model {name} has no vocabulary in its folder {TOKENIZER}; fetch it again.")
    return getattr(transformers, named).from_pretrained(folder, local_files_only=True)


def _check_fit(name: str, kind: VideoKind, parts: dict[str, Any]) -> None:
    """ModelError where a model's parts do not belong together: it would end midway, or on a GPU at once."""
    draws, vae, text = parts[kind.denoiser].config, parts["vae"].config, parts["text_encoder"].config
    cells = vae.latent_channels if "latent_channels" in vae else vae.z_dim
    width = text.hidden_size if kind is MODELSCOPE else text.d_model
    for what, has, wanted in (
        ("channels of latents", draws.in_channels, cells),
        ("numbers for each word", draws[kind.reads], width),
    ):
        if has != wanted:
            raise ModelError(
                f"model {name} has parts that do not belong together: what draws takes {has} {what}, and it "
                f"is given {wanted}; choose another model."
            )
    words = len(parts[TOKENIZER])
    if words > text.vocab_size:
        raise ModelError(
            f"model {name} has a tokenizer of {words} words, and a text encoder of {text.vocab_size}; choose "
            "a model whose parts belong together."
        )

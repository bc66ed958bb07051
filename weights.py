"""Models from the bundled miniature, a local folder or a hub id; and what a model says of itself.

Nothing but safetensors is read, and a model's index may name classes of diffusers and transformers only:
diffusers imports the modules that an index names.
"""

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from transformers import CLIPTextModel

from hub import hub_answers
from places import (
    INDEX,
    LORA_FILE,
    MINIATURE,
    ModelError,
    base_and_lora,
    companion,
    find_lora,
    find_place,
)
from text_to_video_pipeline import TextToVideoPipeline

logger = logging.getLogger(__name__)

CARD = "miniature.json"
ALLOWED_MODULES = ("diffusers", "transformers", "stable_diffusion")
NEEDED = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
STABLE_DIFFUSION = {"num_inference_steps": 50, "guidance_scale": 7.5, "motion_x": 12.0, "motion_y": 12.0}


@dataclass(frozen=True)
class Card:
    """What a model says of itself in miniature.json; empty for models without one.

    words: group ("subjects", "colours" ...) -> words it knows. defaults: settings that suit it. tasks: task
    -> settings that suit it there, which win over ``defaults``.
    preview: 5 rows of RGB, latents @ rows[:4] + rows[4] -> -1..1. examples: prompts worth trying.
    """

    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: dict[str, float] = field(default_factory=dict)
    tasks: dict[str, dict[str, float]] = field(default_factory=dict)
    preview: tuple[tuple[float, ...], ...] = ()
    examples: tuple[str, ...] = ()

    def suits(self, task: str) -> dict[str, float]:
        """The settings that suit it in a task: its own defaults, and over them those of the task."""
        return {**self.defaults, **self.tasks.get(task, {})}


def read_card(source: str) -> Card:
    """The card of the miniature or of a local folder; an empty one where there is none or it is broken."""
    base = base_and_lora(source)[0]
    path = (MINIATURE if base == "miniature" else Path(base).expanduser()) / CARD
    try:
        if not path.is_file():
            return Card()
        told = json.loads(path.read_text(encoding="utf-8"))
        return Card(
            words={group: tuple(words) for group, words in told.get("words", {}).items()},
            defaults=dict(told.get("defaults", {})),
            tasks={task: dict(suits) for task, suits in told.get("tasks", {}).items()},
            preview=tuple(tuple(row) for row in told.get("preview", ())),
            examples=tuple(told.get("examples", ())),
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        logger.warning("The card %s is not used: %s", path, error)  # the model may draw all the same
        return Card()


def load_pipeline(source: str, device: str, dtype: torch.dtype, editor: bool = False) -> TextToVideoPipeline:
    """The pipeline of "miniature", a local folder or a hub id, on ``device``; else ModelError.

    editor: with an InstructPix2Pix UNet, the model's own or that of a folder "editor" beside the model's.
    A source "MODEL+LORA" is the model with a LoRA in its weights: a hub id, a folder or a .safetensors file.
    """
    place, lora = find_place(source), find_lora(source)
    try:
        _check_index(source, _read_index(place))
        where = {"local_files_only": _check_folder(place) or not hub_answers(), "use_safetensors": True}
        beside = companion(source, "editor") if editor else None
        unets = {}
        if beside is not None:
            unets["unet"] = UNet2DConditionModel.from_pretrained(beside, dtype=dtype, **where)
        pipeline = TextToVideoPipeline.from_pretrained(
            place,
            dtype=dtype,
            **unets,
            text_encoder=_text_encoder(source, place, dtype, where),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
            **where,
        ).to(device)
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


def _text_encoder(source: str, place: str, dtype: torch.dtype, where: dict) -> CLIPTextModel:
    """Loaded by itself, because transformers would fill missing tensors with random ones and go on."""
    encoder, told = CLIPTextModel.from_pretrained(
        place, subfolder="text_encoder", dtype=dtype, output_loading_info=True, **where
    )
    if told["missing_keys"]:
        lost = f"{len(told['missing_keys'])} tensors are missing from its text encoder"
        raise ModelError(f"model {source} is broken and cannot be loaded ({lost}); fetch it again.")
    return encoder


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


def _read_index(place: str) -> dict:
    path = Path(place) / INDEX
    if not path.parent.is_dir():
        path = Path(hf_hub_download(place, INDEX, local_files_only=not hub_answers()))
    if not path.is_file():
        raise ModelError(f"model {place} has no {INDEX}; give a folder in diffusers' format.")
    return json.loads(path.read_text(encoding="utf-8"))


def _check_folder(place: str) -> bool:
    """Whether the place is a local folder; ModelError where one of its parts is missing."""
    folder = Path(place)
    if not folder.is_dir():
        return False
    missing = [name for name in NEEDED if not (folder / name).is_dir()]
    if missing:
        raise ModelError(f"model {place} has no folder {', '.join(missing)}; fetch it again.")
    return True


def _check_index(source: str, index: dict) -> None:
    parts = {name: value for name, value in index.items() if isinstance(value, list) and len(value) == 2}
    missing = [name for name in NEEDED if not parts.get(name) or parts[name][0] is None]
    if missing:
        raise ModelError(
            f"model {source} has no {', '.join(missing)}; give a Stable Diffusion model in diffusers' format."
        )
    modules = {module for module, _ in parts.values() if module is not None}
    foreign = ", ".join(sorted(str(module) for module in modules - set(ALLOWED_MODULES)))
    if foreign:
        raise ModelError(f"model {source} asks for code of its own ({foreign}), which is not run here.")
    kinds = (parts["unet"][1], parts["text_encoder"][1])
    if kinds != ("UNet2DConditionModel", "CLIPTextModel") or "text_encoder_2" in parts:
        raise ModelError(f"model {source} is not of Stable Diffusion's 1.x or 2.x kind; choose one that is.")


def explain(source: str, error: Exception, what: str = "model") -> str:
    """One sentence for what diffusers, transformers or the hub raised."""
    offline = f"{what} {source} is not on this machine and the hub cannot be reached; "
    if isinstance(error, GatedRepoError):
        return f"{what} {source} needs its licence accepted on the hub; accept it there and log in."
    if isinstance(error, RepositoryNotFoundError):
        return f"{what} {source} is not known to the hub; check the id for typing errors."
    if isinstance(error, HFValidationError):
        return f"{what} {source} is no hub id; write it as owner/name, or give a folder or miniature."
    if isinstance(error, (LocalEntryNotFoundError, HfHubHTTPError, ConnectionError)):
        return offline + "connect once to fetch it, or choose miniature."
    if isinstance(error, OSError) and "no file named" in str(error):
        return f"{what} {source} has no safetensors weights, the only kind read here; choose another."
    first_line = str(error).strip().split("\n")[0][:200]
    return f"{what} {source} is broken and cannot be loaded ({first_line}); fetch it again or choose another."

"""What a model's index and folders tell of it, without loading any of it and without torch.

An index may name classes of diffusers and transformers only: diffusers imports the modules that it names.
"""

import json
from functools import partial
from pathlib import Path

from places import INDEX, ModelError, choose_controlnet, find_controlnet, find_lora, find_place
from tasks import Settings

ALLOWED_MODULES = ("diffusers", "transformers", "stable_diffusion")
NEEDED = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")


def check_weights(settings: Settings) -> None:
    """ModelError where the model or a ControlNet of a run surely cannot be loaded: told before it begins."""
    check_model(settings.model)
    for task, source in settings.with_networks(partial(choose_controlnet, settings.model)).networks():
        find_controlnet(source, task)


def check_model(source: str) -> None:
    """ModelError for a model, or its LoRA, that surely cannot be loaded; a hub id is left to the loading."""
    place = find_place(source)
    find_lora(source)
    if Path(place).is_dir():
        read_index(source, Path(place) / INDEX)
        check_folder(place)


def check_folder(place: str) -> None:
    """ModelError where a part of a local folder is missing."""
    folder = Path(place)
    missing = [name for name in NEEDED if not (folder / name).is_dir()] if folder.is_dir() else []
    if missing:
        raise ModelError(f"model {place} has no folder {', '.join(missing)}; fetch it again.")


def read_index(source: str, path: Path) -> dict:
    """A model's index: part -> (module, class) and more; ModelError where it cannot be used here."""
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"model {source} is broken and cannot be loaded ({reason}); fetch it again or choose another."
        ) from error
    told = index.items() if isinstance(index, dict) else ()
    parts = {name: value for name, value in told if isinstance(value, list) and len(value) == 2}
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
    return index

"""A model's files: which there are, which of its weights are read, and its JSON, read with care. No torch."""

import json
import logging
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

MAX_JSON_BYTES = 10_000_000  # a vocabulary of 50,000 words has one
WEIGHTS = re.compile(
    r"(?:diffusion_pytorch_|pytorch_)?model(\.fp16|\.bf16)?(?:-\d+-of-\d+)?\.(safetensors|bin)", re.ASCII
)
# Ending and variant of the files that are read, the best first. A .bin, as older models have it, is a pickle;
# diffusers and transformers give it to torch.load(weights_only=True), which runs nothing.
KINDS = tuple((ending, variant) for ending in ("safetensors", "bin") for variant in (None, "fp16", "bf16"))


def is_file(path: Path) -> bool:
    """Whether a file is there that may be looked at, whatever its name and the folders on its way."""
    try:
        return path.is_file()
    except OSError:  # a name that no file can have, or a folder that is closed
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder is there, as ``is_file``."""
    try:
        return path.is_dir()
    except OSError:
        return False


def read_json(path: Path) -> Any:
    """What a JSON file holds; OSError or ValueError where it is none, is huge or is nested without end."""
    if not path.is_file():
        raise FileNotFoundError(f"it has no file {path.name}")
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ValueError(f"its {path.name} is longer than any of its kind")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError(f"its {path.name} is nested too deep") from error


def read_object(path: Path) -> dict[str, Any]:
    """As ``read_json``; ValueError also where it is no object."""
    held = read_json(path)
    if not isinstance(held, dict):
        raise ValueError(f"its {path.name} is no JSON object")
    return held


def config_path(place: str, local: bool, file: str) -> Path:
    """A small file of a folder or a hub id, on this disk."""
    if Path(place).is_dir():
        return Path(place) / file
    from huggingface_hub import hf_hub_download  # its import takes a while

    return Path(hf_hub_download(place, file, local_files_only=local))


def files_of(place: str, local: bool, surely: str) -> list[str]:
    """The files of a folder or a hub id, as paths in it; without the hub, those of it that are here.

    surely: one that each of its kind has, and by which it is found on this disk.
    """
    if not local:
        import httpx2
        from huggingface_hub import list_repo_files
        from huggingface_hub.errors import HfHubHTTPError

        try:
            return list_repo_files(place)
        except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
            logger.info("the files of %s are not told, those fetched before will do: %s", place, error)
    folder = config_path(place, True, surely).parent
    found = (*folder.glob("*"), *folder.glob("*/*"))
    return [path.relative_to(folder).as_posix() for path in found if path.is_file()]


def best_weights(names: Iterable[str]) -> dict[str, Any] | None:
    """What ``from_pretrained`` is told to read the best of the files of these names; None without any."""
    there = {_kind(name) for name in names}
    best = next((kind for kind in KINDS if kind in there), None)
    return None if best is None else {"use_safetensors": best[0] == "safetensors", "variant": best[1]}


def weights_bytes(folder: Path) -> int | None:
    """The bytes of the weights in a network's folder, of the kind that is read; None where nobody knows."""
    sizes: Counter[tuple[str, str | None] | None] = Counter()
    try:
        for path in folder.iterdir():
            sizes[_kind(path.name)] += path.stat().st_size
    except OSError:
        return None
    return next((sizes[kind] for kind in KINDS if kind in sizes), None)


def _kind(name: str) -> tuple[str, str | None] | None:
    """Ending and variant of a file of weights; None of any other."""
    found = WEIGHTS.fullmatch(name)
    return None if found is None else (found[2], found[1] and found[1][1:])

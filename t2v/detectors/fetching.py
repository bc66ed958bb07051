"""The detectors' weights that are not on this machine, and fetching them from the hub when somebody asks."""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from t2v.checks import InputError
from t2v.detectors.depth import DEPTH
from t2v.detectors.pose import PERSON, POSE
from t2v.weights.fetching import Fetching, told_of_fetching
from t2v.weights.fetching import fetch as fetch_file
from t2v.weights.refusals import log_failure

logger = logging.getLogger(__name__)

WEIGHTS: Mapping[str, tuple[str, ...]] = {"pose": (PERSON, POSE), "depth": (DEPTH,)}  # by task, as hub ids
FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
OnProgress = Callable[[int, int], None]  # bytes that are here, and of all


def missing(task: str) -> tuple[str, ...]:
    """Of a task's detector the weights that are not on this machine; () also for tasks that need none."""
    from huggingface_hub import try_to_load_from_cache  # its import takes a while

    def is_here(weights: str) -> bool:
        return all(isinstance(try_to_load_from_cache(weights, name), str) for name in FILES)

    return tuple(one for one in WEIGHTS.get(task, ()) if not Path(one).is_dir() and not is_here(one))


def size_of(weights: Iterable[str]) -> int | None:
    """Bytes that fetching would take; None where the hub does not tell."""
    try:
        return sum(size for _, _, size in _to_fetch(weights))
    except Exception as error:
        logger.info("The hub does not tell the size of a detector's weights: %s", error)
        return None


def fetch(weights: Iterable[str], on_progress: OnProgress) -> None:
    """Fetch what is not here yet; InputError, one sentence, where the hub does not give it.

    on_progress may raise to end it; what has come by then is gone on with the next time.
    """
    try:
        files = _to_fetch(weights)
        total, before = sum(size for _, _, size in files), 0
        for repo, name, size in files:
            with told_of_fetching(partial(_told, on_progress, before, total)):
                fetch_file(repo, name, local=False)
            before += size
            on_progress(before, total)
    except Exception as error:
        log_failure("fetching a detector's weights", error)
        raise InputError("the hub did not give the detector's weights; try again in a while.") from error


def _to_fetch(weights: Iterable[str]) -> list[tuple[str, str, int]]:
    """(hub id, file, bytes) of each file that is not here."""
    from huggingface_hub import hf_hub_download

    asked = [(one, name) for one in weights for name in FILES]
    found = [(repo, name, hf_hub_download(repo, name, dry_run=True)) for repo, name in asked]
    return [(repo, name, about.file_size or 0) for repo, name, about in found if about.will_download]


def _told(on_progress: OnProgress, before: int, total: int, file: Fetching) -> None:
    """before: bytes of the files that came before this one."""
    on_progress(min(total, before + file.done), total)

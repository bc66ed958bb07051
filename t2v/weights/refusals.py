"""Why weights cannot be had or used, in one sentence."""

import logging
import pickle
import re
import zipfile

from t2v.checks import InputError
from t2v.weights.family import RETIRED

logger = logging.getLogger(__name__)

# What reading files of whatever is in them, or fetching them, comes to. Other errors may be our own.
FORESEEN = (OSError, ValueError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class ModelError(InputError):
    """The weights cannot be had or used; ``str(error)`` says what happened and what to do."""


def log_failure(what: str, error: Exception) -> None:
    """The log keeps the traceback of what was not to be loaded; what is foreseen is told without it.

    what: was tried, as "loading miniature". Whoever asked for it tells the sentence.
    """
    is_foreseen = isinstance(error, FORESEEN) or type(error).__module__.startswith("safetensors")
    logger.log(logging.DEBUG if is_foreseen else logging.WARNING, "%s failed", what, exc_info=error)


def explain(source: str, error: Exception, what: str = "model", instead: str | None = None) -> str:
    """One sentence for what diffusers, transformers or the hub raised.

    what: was to be loaded: "model", "controlnet" or "lora". instead: what to do where it cannot be had, the
    rest of a sentence; None: what is usual for that.
    """
    from huggingface_hub.errors import (  # heavy; the sentences alone need none of it
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    absent = (LocalEntryNotFoundError, HfHubHTTPError, ConnectionError)
    if source in RETIRED and isinstance(error, absent):
        return f"{what} {source} has left the hub; give {RETIRED[source]}, which is the same one."
    offline = f"{what} {source} is not on this machine and the hub cannot be reached"
    usual = "choose miniature" if what == "model" else "leave it out"
    instead = usual if instead is None else instead
    if isinstance(error, GatedRepoError):
        return f"{what} {source} needs its licence accepted on the hub; accept it there and log in."
    if isinstance(error, RepositoryNotFoundError):
        return f"{what} {source} is not known to the hub; check the id for typing errors."
    if isinstance(error, HFValidationError):
        return f"{what} {source} is no hub id; write it as owner/name, give a folder, or {instead}."
    if isinstance(error, absent):
        return f"{offline}; connect once to fetch it, or {instead}."
    if what == "lora" and "size mismatch" in str(error):
        return f"{what} {source} does not fit here, as it was made for another network; {instead}."
    if what != "model" and isinstance(error, OSError) and "no file named" in str(error):
        return f"{what} {source} has no safetensors weights, the only kind read of a {what}; choose another."
    return (
        f"{what} {source} is broken and cannot be loaded ({reason(error)}); fetch it again or choose another."
    )


def reason(error: Exception) -> str:
    """The first sentence of what a library raised, without its colours and advice, to stand in brackets."""
    if isinstance(error, RecursionError):
        return "a file of it is nested too deep"
    if "weights_only" in str(error) or "Weights only load failed" in str(error):
        return "a file of its weights holds more than tensors, and nothing else is read"
    lines = COLOURS.sub("", str(error)).strip().splitlines()
    first = lines[0].split(". ")[0] if lines else type(error).__name__
    return " ".join(first.split())[:200].rstrip(". ")

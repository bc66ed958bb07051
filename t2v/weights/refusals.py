"""Why weights cannot be had or used, in one sentence."""

from t2v.checks import InputError
from t2v.weights.family import RETIRED


class ModelError(InputError):
    """The weights cannot be had or used; ``str(error)`` says what happened and what to do."""


def explain(source: str, error: Exception, what: str = "model") -> str:
    """One sentence for what diffusers, transformers or the hub raised.

    what: was to be loaded: "model", "controlnet" or "lora".
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
    instead = "leave it out" if what == "lora" else "choose miniature"
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
    first_line = str(error).strip().split("\n")[0][:200]
    return f"{what} {source} is broken and cannot be loaded ({first_line}); fetch it again or choose another."

"""The detectors' weights: a hub id or a folder in transformers' format, or one sentence why not."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2v.checks import InputError
from t2v.weights.hub import hub_answers
from t2v.weights.marks import Mark, place_mark, taken
from t2v.weights.refusals import log_failure

if TYPE_CHECKING:
    from torch import nn

Loaded = tuple["nn.Module", Any]
MOST_KEPT = 3
_kept: dict[tuple["Wanted", str], tuple[Mark, Loaded]] = {}  # the one used last is the last


class DetectorError(InputError):
    """A detector's weights cannot be had or used; the sentence says which, and what works without them."""


@dataclass(frozen=True)
class Wanted:
    """What to load: ``weights`` (a hub id or a folder) as transformers' class ``kind``.

    task: what it is for ("pose"). instead: what works without it, before "work without them".
    """

    weights: str
    kind: str
    task: str
    instead: str


def load_network(wanted: Wanted, device: str) -> Loaded:
    """The network, in float32 on ``device`` and for use only, and its image processor; else DetectorError.

    The last three are kept, as the preview and the run want the same; refusals are not. A folder that has
    changed since is read anew.
    Only safetensors are read, and no code that comes with weights is run.
    """
    mark, key = _mark(wanted), (wanted, device)
    kept = _kept.pop(key, None)
    if kept is None or kept[0] != mark:
        kept = None  # before another is read
        loaded = _load(wanted, device)
        kept = (taken(mark, _mark(wanted)), loaded)
    _kept[key] = kept
    for old in list(_kept)[:-MOST_KEPT]:
        _kept.pop(old, None)
    return kept[1]


def _mark(wanted: Wanted) -> Mark:
    return place_mark(str(Path(wanted.weights).expanduser()))


def _load(wanted: Wanted, device: str) -> Loaded:
    import transformers

    from t2v.weights.network import lost_tensors  # with torch

    place, is_folder = _place(wanted)
    where = {"local_files_only": is_folder or not hub_answers(), "trust_remote_code": False}
    try:
        # Pillow's way on every machine: torchvision, which this program does not need, resizes otherwise.
        processor = transformers.AutoImageProcessor.from_pretrained(place, backend="pil", **where)
        network, report = getattr(transformers, wanted.kind).from_pretrained(
            place, use_safetensors=True, output_loading_info=True, **where
        )
    except Exception as error:
        log_failure(f"loading {wanted.weights}", error)
        raise _refusal(wanted, _why(is_folder, error)) from error
    lost = lost_tensors(network, report)
    if lost:  # transformers would go on with random numbers in their place, or with none
        raise _refusal(wanted, f"cannot be used ({lost} tensors are missing)")
    from t2v.devices import detach_from_file

    return detach_from_file(network.float().eval().requires_grad_(False).to(device)), processor


def _place(wanted: Wanted) -> tuple[str, bool]:
    """A folder's path or a hub id, and whether it is a folder."""
    path = Path(wanted.weights).expanduser()
    if path.is_dir():
        return str(path), True
    if wanted.weights.count("/") == 1 and not wanted.weights.startswith((".", "~", "/")):
        return wanted.weights, False
    raise _refusal(wanted, "are neither a folder that is there nor a hub id (owner/name)")


def _why(is_folder: bool, error: Exception) -> str:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    causes = []
    cause: BaseException | None = error
    while cause is not None:  # transformers wraps what the hub's client raises
        causes.append(cause)
        cause = cause.__cause__
    if any(isinstance(cause, (GatedRepoError, RepositoryNotFoundError)) for cause in causes):
        return "are not open on the hub or not known there"
    if not is_folder and any(isinstance(cause, (OSError, ConnectionError)) for cause in causes):
        return "are not on this machine and could not be fetched"
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0].rstrip(".")
    return f"cannot be used ({reason[:200]})"


def _refusal(wanted: Wanted, why: str) -> DetectorError:
    weights = f"the {wanted.task} detector's weights ({wanted.weights})"
    return DetectorError(f"{weights} {why}; {wanted.instead} work without them.")

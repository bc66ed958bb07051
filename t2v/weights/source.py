"""Where weights are: the bundled miniature, a folder, a file, a hub id. Nothing is read for it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from t2v.program import bundled
from t2v.weights.files import is_file, is_folder
from t2v.weights.folder_kinds import why_no_model
from t2v.weights.folders import why_closed
from t2v.weights.meant import absent
from t2v.weights.models_folder import find_by_name, find_without_ending, goes_first, name_in_folder
from t2v.weights.pluses import cut_strength, number, pieces
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.header import ENDINGS, SAFE

BUNDLED = "miniature"  # what the bundled model is called wherever a model is named
STYLE, STYLE_NAME = "miniature+style", "Miniature, neon"  # with a bundled LoRA; and for people
QUICK, QUICK_NAME = "miniature+quick", "Miniature, quick"  # with one for few steps
MINIATURE = bundled("miniature/weights") / "text-to-image"
FINISHER = MINIATURE.parent / "finisher"
MODEL_INDEX = "model_index.json"
CONFIG = "config.json"
LORA_FILE = "pytorch_lora_weights.safetensors"
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)  # owner/name
PLACES = "a file, a folder or a hub id (owner/name)"
ALLOWED = f"{BUNDLED}, {PLACES}"
MAX_STRENGTH = 10.0  # of a LoRA; some are made to be slid far, both ways
LORA_PLACES = "a .safetensors file, a folder (of one beside the model's, its name) or a hub id (owner/name)"
LONGEST = 500  # letters of a name
HERE = ("./", ".\\")  # begins a path from where the program was started
Listed = Mapping[str, str] | None  # names -> paths in the folder of models, as ``with_places`` has them


@dataclass(frozen=True)
class Source:
    """A model as people name it, parsed: "miniature", a folder, a file or a hub id, and more behind pluses.

    base: the model alone. adapters: what is put into it, LoRAs and one VAE. told: the strength of each as it
    stands behind its @, None where none does; () where no strength is told. The name may be nonsense still:
    ``place``, ``adapter_place`` and ``strengths`` refuse it.
    """

    base: str
    adapters: tuple[str, ...] = ()
    told: tuple[str | None, ...] = ()

    @classmethod
    def parse(cls, text: str, listed: Listed = None) -> "Source":
        """The source that a name tells, every name in it in full (``full_name``).

        What lies on the disk decides where a plus belongs to a folder. listed: see there.
        """
        there, full = partial(is_there, listed=listed), partial(full_name, listed=listed)
        if "+" not in text or there(text):
            return cls(full(text))
        first, *adapters = pieces(text, there, full)
        cut = [cut_strength(one, there, full) for one in adapters]
        told = tuple(strength for _, strength in cut)
        told = told if any(one is not None for one in told) else ()
        typed = [first.strip(), *(name.strip() for name, _ in cut)]
        if not all(typed):  # which is refused as it was typed
            return cls(typed[0], tuple(typed[1:]), told)
        alone = cls(full(first))
        return cls(alone.base, tuple(alone._full_adapter(name, listed) for name, _ in cut), told)

    def _full_adapter(self, name: str, listed: Listed) -> str:
        """What lies beside the model comes before a file of such a name."""
        cut = name.strip()
        is_beside = listed is None and cut and self.companion(cut, LORA_FILE) is not None
        return cut if is_beside else full_name(name, listed)

    def strengths(self) -> tuple[float, ...]:
        """That of each adapter, 1 where none is told; ModelError for what is no strength."""
        return tuple(map(_strength, self.adapters, self.told)) if self.told else (1.0,) * len(self.adapters)

    def with_adapters(self, strengths: Mapping[str, float]) -> str:
        """The name of the same model with these adapters instead of its own, each at its strength."""
        told = (one if strength == 1 else f"{one}@{strength:.6g}" for one, strength in strengths.items())
        return "+".join((self.base, *told))

    @property
    def is_bundled(self) -> bool:
        return self.base == BUNDLED

    @property
    def folder(self) -> Path:
        """Where its files would lie on this disk; for a hub id there is no such folder."""
        return MINIATURE if self.is_bundled else as_path(self.base)

    @property
    def kind(self) -> str:
        """ "bundled", "folder", "file", "hub" or "nowhere"."""
        path = as_path(self.base)
        if self.is_bundled:
            return "bundled"
        if is_file(path):
            return "file"
        if is_folder(path):
            return "folder"
        return "hub" if is_hub_id(self.base) else "nowhere"

    def check_named(self) -> None:
        """ModelError where a name is missing before or behind a plus."""
        if self.adapters and not all((self.base, *self.adapters)):
            raise ModelError(f"model is {self.name[:200]!r}; give the names of both, as in {STYLE}.")

    def place(self, what: str = "model", instead: Callable[[], str] | None = None) -> str:
        """The base as a folder's path or a hub id; ModelError where it can be neither.

        what: how refusals call it. instead: what to do where it is not there, the rest of a sentence; None:
        what is called alike is named.
        """
        allowed = ALLOWED if what == "model" else PLACES
        self.check_named()
        if not self.base.strip():
            raise ModelError(f"{what} is empty; give {allowed}.")
        kind = self.kind
        if kind == "bundled" and not (MINIATURE / MODEL_INDEX).is_file():
            raise ModelError(f"model {BUNDLED} has no weights in this copy; fetch the project again.")
        if kind == "nowhere":
            raise absent(what, self.base, allowed, instead)
        if kind == "hub":
            return self.base
        if kind == "file":
            return str(self.folder)
        why = why_closed(self.folder)
        if why is not None:
            raise ModelError(f"{what} {self.folder} {why}; choose another, or let it be read.")
        if what == "model" and not is_file(self.folder / MODEL_INDEX):
            other = why_no_model(self.base, self.folder)
            if other is not None:
                raise ModelError(f"model {self.base} {other}")
            raise ModelError(f"model {self.folder} has no {MODEL_INDEX}; give a folder in diffusers' format.")
        return str(self.folder)

    def adapter_place(self, adapter: str) -> tuple[str, str | None]:
        """One of its LoRAs as a folder or hub id and a file in it (None: the usual one); else ModelError.

        The name of a folder beside the model's is enough: "miniature+style".
        """
        self.check_named()
        beside = self.companion(adapter, LORA_FILE)
        if beside is not None:
            return beside, None
        path = as_path(adapter)
        if is_file(path):
            if path.suffix.lower() != SAFE:
                raise ModelError(f"lora {adapter} is a file of another kind; give {LORA_PLACES}.")
            return str(path.parent), path.name
        if is_folder(path):
            return str(path), None
        if is_hub_id(adapter):
            return adapter, None
        raise absent("lora", adapter, LORA_PLACES)

    def companion(self, name: str, file: str = CONFIG) -> str | None:
        """The folder ``name``, with this file, beside that of the bundled or a local model; None without."""
        beside = self.folder.resolve().parent / name
        try:
            return str(beside) if self.folder.is_dir() and (beside / file).is_file() else None
        except OSError:  # a name that no file can have
            return None

    def controlnet(self, task: str, hub_id: str | None) -> str | None:
        """The ControlNet for ``task`` that suits this model: the one beside it, else that of its family."""
        if self.is_bundled:
            return BUNDLED
        beside = self.companion(f"controlnet-{task}")
        return hub_id if beside is None else beside

    @property
    def name(self) -> str:
        """All of it in a text again, as ``parse`` reads it."""
        return self._written(str)

    @property
    def public_name(self) -> str:
        """What it is called where others read it: of paths, which are private, the last part alone."""
        return self._written(_last_part)

    @property
    def kept_name(self) -> str:
        """What settings in a file call it: as ``public_name``, but for what lies in the folder of models its
        name there, which leads to it: of two files of a name the path from that folder."""
        return self._written(_name_to_keep)

    def _written(self, as_told: Callable[[str], str]) -> str:
        told = self.told if self.told else (None,) * len(self.adapters)
        behind = zip(map(as_told, self.adapters), told, strict=True)
        named = (name if strength is None else f"{name}@{strength}" for name, strength in behind)
        return "+".join((as_told(self.base), *named))


def bundled_loras() -> dict[str, str]:
    """The bundled LoRAs in this copy: what people call the miniature with each -> how to ask for it."""
    named = {STYLE_NAME: STYLE, QUICK_NAME: QUICK}
    sources = {name: Source.parse(model) for name, model in named.items()}
    return {
        name: named[name]
        for name, source in sources.items()
        if source.companion(source.adapters[0], LORA_FILE) is not None
    }


def as_path(text: str) -> Path:
    """A name as a path, ~ and ~anna being the home folders where there are such.

    What does not lie there may be the name of a file in the folder of models, which in an app is looked into
    first, but for what begins with "./".
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # nobody of that name
        path = Path(text)
    try:
        is_meant = path.exists() and not (goes_first() and not text.startswith(HERE))
        found = None if text == BUNDLED or is_meant else find_by_name(text)
    except (OSError, ValueError):  # a name that no file can have
        return path
    return path if found is None else found


def full_name(text: str, listed: Listed = None) -> str:
    """A name as settings keep it: of what is there its own, else without spaces around it, and with its
    ending where it is that of one file in the folder of models.

    listed: all that there is to be found, and nothing is looked for on this machine: for who may not learn
    what else lies there. None: what lies there.
    """
    if text == BUNDLED or is_there(text, listed):
        return text
    cut = text.strip()
    if cut != text and (cut == BUNDLED or is_there(cut, listed)):
        return cut
    try:
        found = find_without_ending(cut, listed)
    except (OSError, ValueError):  # a name that no file can have
        return cut
    if found is None:
        return cut
    path = None if listed is not None else find_by_name(found)
    return found if path is None or as_path(found) == path else str(path)


def _strength(adapter: str, told: str | None) -> float:
    strength = 1.0 if told is None else number(told)
    if not abs(strength) <= MAX_STRENGTH:
        allowed = f"give a number from -{MAX_STRENGTH:g} to {MAX_STRENGTH:g}, as in {STYLE}@0.7"
        raise ModelError(f"the strength of lora {adapter} is {str(told)[:60]!r}; {allowed}.")
    return strength


def is_there(text: str, listed: Listed = None) -> bool:
    """Whether it names a file or a folder on this disk. listed: as in ``full_name``."""
    if listed is not None:
        return text in listed
    path = as_path(text)
    return is_file(path) or is_folder(path)


def is_hub_id(text: str) -> bool:
    """Whether it may be one. What ends as files of weights do is one of a folder that is not there."""
    return HUB_ID.fullmatch(text) is not None and not text.lower().endswith(ENDINGS)


def _name_to_keep(text: str) -> str:
    found = name_in_folder(as_path(text)) if text != BUNDLED and is_there(text) else None
    return _last_part(text) if found is None else found


def _last_part(text: str) -> str:
    path = as_path(text)
    if is_hub_id(text) and not is_folder(path) and not is_file(path):
        return text
    return path.name or path.resolve().name  # "." has no name of its own

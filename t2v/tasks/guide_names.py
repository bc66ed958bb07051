"""Which ControlNets and T2I-Adapters at hand are for which task: guessed by their names, where names tell."""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from functools import partial
from pathlib import PurePath

from t2v.tasks.controlled import ControlledSettings, controlled_kinds
from t2v.tasks.settings import Settings
from t2v.weights.guides import Guide, guides_for
from t2v.weights.single_file.header import ENDINGS
from t2v.weights.source import BUNDLED, Source

# What others are made to be shown, for which there is no task: words in their names -> what that is
OTHERS: Mapping[str, tuple[str, ...]] = {
    "sketches": ("sketch",),
    "scribbles": ("scribble",),
    "line drawings": ("lineart", "line_art", "line-art"),
    "soft edges": ("softedge", "soft_edge", "soft-edge", "hed", "pidi", "teed"),
    "straight lines": ("mlsd",),
    "patches of colour": ("color", "colour"),
    "a picture's style": ("style",),
    "segmented pictures": ("seg", "segmentation", "ade20k"),
    "surface normals": ("normal", "normals", "normalbae"),
    "pictures to be redrawn": ("tile", "blur", "inpaint", "ip2p", "recolor", "gray", "grey"),
    "marks for brightness": ("brightness", "illumination", "qrcode", "qr"),
}
UNION = ("union", "promax")  # made for many kinds of pictures
LONG = 5  # letters: a longer word is one whatever follows it, as in openposeXL2
LAST = 2  # place of those that, by their names, are for something else
NAMED = 3  # files at most that a refusal names


def guessed(name: str) -> str | None:
    """What a ControlNet of this name is shown: a task, a key of OTHERS, "" for all; None where nothing tells.

    By the file's own name, or else by its folder's, as in depth/diffusion_pytorch_model.safetensors.
    """
    path = PurePath(name.lower())
    own = _guess(path.stem if path.suffix in ENDINGS else path.name)
    return _guess(path.parent.name) if own is None else own


def shows(task: str) -> str:
    """What a task, or a key of OTHERS, shows, in words: "edges"."""
    kind = controlled_kinds().get(task)
    return task if kind is None else kind.words.shows


def fitting(task: str, model: str) -> list[Guide]:
    """Those in the folder of models that fit a model, the ones for this task first, for others' last."""
    return sorted(guides_for(model), key=partial(_order, task=task))


def instead(task: str, model: str, asked: str = "") -> str:
    """What to choose for a model, the rest of a sentence: "choose depth.safetensors or lines.pth".

    asked: the name that cannot be had; those called alike come first.
    """
    found = sorted(fitting(task, model), key=lambda one: (_order(one, task), -_likeness(asked, one.name)))
    own = [one.name for one in found if _order(one, task) < LAST]
    names = own if own else [one.name for one in found]
    if len(names) > NAMED:
        names = [*names[:NAMED], f"one of {len(names) - NAMED} more"]
    if names:
        return f"choose {' or '.join(filter(None, (', '.join(names[:-1]), names[-1])))}"
    if Source.parse(model).is_bundled:
        return "leave it out, as the miniature has its own"
    return "put one made for this model into the folder of models"


def advice(task: str, model: str, asked: str = "") -> Callable[[], str]:
    """The same, looked up only where it is needed."""
    return partial(instead, task, model, asked)


def guide_notes(settings: Settings) -> tuple[str, ...]:
    """What there is to tell of ControlNets that, by their names, were made to be shown something else."""
    if not isinstance(settings, ControlledSettings):
        return ()
    return tuple(_notes(settings))


def _notes(settings: ControlledSettings) -> Iterator[str]:
    for part in settings.parts():
        guess = None if part.controlnet in (None, BUNDLED) else guessed(str(part.controlnet))
        if not guess or guess == part.task or settings.control_ready:
            continue
        name, made_for = Source.parse(str(part.controlnet)).public_name, shows(guess)
        here = f"by its name {name} was made for {made_for}, and here it is shown {part.words.shows}"
        ready = f"take a clip that already shows {made_for}, and say that it does"
        yield f"{here[:1].upper()}{here[1:]}; choose another, or {ready}."


def _order(one: Guide, task: str) -> int:
    guess = guessed(one.name)
    return 0 if guess == task else LAST if guess else 1


def _likeness(asked: str, name: str) -> float:
    """Of the last parts of two names, from 0 to 1."""
    mine, other = (PurePath(one.lower()).stem for one in (asked, name))
    return SequenceMatcher(None, mine, other).ratio()


def _guess(name: str) -> str | None:
    words = {word: task for task, kind in controlled_kinds().items() for word in kind.called}
    words |= {word: what for what, each in OTHERS.items() for word in each}
    words |= dict.fromkeys(UNION, "")
    found = [(match.start(1), -len(word), what) for word, what in words.items() if (match := _in(word, name))]
    return min(found)[2] if found else None


def _in(word: str, name: str) -> re.Match[str] | None:
    """A word at the beginning of one in a name, or behind what all of these are called."""
    ends = "" if len(word) >= LONG else r"(?=[^a-z]|e?s(?:[^a-z]|$)|xl|sd|$)"
    return re.search(rf"(?:^|[^a-z]|control(?:net)?|adapter)({re.escape(word)}){ends}", name)

"""Whether a single file can be drawn with, told by its header before anything is loaded; else a sentence."""

from functools import lru_cache
from pathlib import Path

from t2v.weights.marks import Mark, file_mark
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.details import TAESD
from t2v.weights.single_file.header import ENDINGS, read_header
from t2v.weights.single_file.kinds import FileKind, recognise
from t2v.weights.single_file.looks import AGAIN, looks_like
from t2v.weights.single_file.stand_ins import Foreign

WHOLE = "choose a checkpoint of Stable Diffusion 1.x, 2.x or XL"
AS_GUIDE = "give it as ControlNet (--controlnet) to a run that follows a clip"
USES = {  # kind -> what is done with such files here
    "lora": "write it behind a model's name, as MODEL+FILE",
    "vae": "write it behind a model's name, as MODEL+FILE",
    "controlnet": AS_GUIDE,
    "t2i-adapter": AS_GUIDE,
    "ip-adapter": "an IP-Adapter is given beside a model, to runs with a picture as a prompt",
    "embedding": "put it into the folder of models, and write its name in the prompt",
}


def look(what: str, path: Path) -> FileKind:
    """What a file is; ModelError where it cannot be read. what: how refusals begin, as "model NAME"."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        known = ", ".join((*ENDINGS[:-1], f"or {ENDINGS[-1]}"))
        raise ModelError(f"{what} is a file of another kind ({ending[:20] or 'no ending'}); give a {known}.")
    try:
        beside = path.with_suffix(".yaml")
        return _look(path, file_mark(path, beside))
    except Foreign as error:
        raise ModelError(f"{what} is not read, as {error}; give it as .safetensors.") from error
    except OSError as error:
        raise ModelError(f"{what} cannot be read ({error.strerror}); choose another.") from error
    except ValueError as error:
        other = _other(path)
        why = f"is broken and cannot be loaded ({error}); {AGAIN}." if other is None else other
        raise ModelError(f"{what} {why}") from error


def _other(path: Path) -> str | None:
    """As ``looks_like``; None also for a file that has been taken away since."""
    try:
        return looks_like(path)
    except OSError:
        return None


@lru_cache(maxsize=512)
def _look(path: Path, mark: Mark) -> FileKind:
    """mark: of the file and what is beside it, as they are now: what has changed is looked at anew."""
    return recognise(read_header(path), path)


def why_not(kind: FileKind, has_vae: bool = False, editor: bool | None = None) -> str | None:
    """Why a file is not drawn with, the rest of a sentence: "is a LoRA; write it behind ..."; None: it is.

    has_vae: a VAE is given beside it. editor: whether it is to follow instructions; None: either will do.
    """
    if kind.kind == "lora" and kind.other:  # which would be refused behind a model, too
        return f"is {kind.words}; {WHOLE}."
    if kind.kind != "checkpoint":
        return f"is {kind.words}; {USES.get(kind.kind, WHOLE)}."
    if kind.generation is None:
        return f"is {kind.words}, which is not drawn with here; {WHOLE}."
    if kind.is_scaled or kind.precision == "whole numbers":
        return "has weights in few bits with scales beside them, which are not read; choose one in float16."
    if kind.job not in ("text", "editing"):
        return f"is {kind.words}, and its UNet wants more than text; choose a text-to-image checkpoint."
    if editor is True and kind.job != "editing":
        return "cannot edit, as its UNet sees no picture; choose an InstructPix2Pix checkpoint."
    if editor is False and kind.job == "editing":
        return "is made for editing videos by instructions; choose a text-to-image checkpoint."
    missing = [part for part in kind.missing if not (part == "VAE" and has_vae)]
    if "text encoder" in missing:
        return f"has no {' and no '.join(missing)} inside; choose a whole checkpoint."
    if missing:
        return "has no VAE inside; give one behind it, as MODEL+VAE."
    return None


def check_checkpoint(name: str, path: Path, has_vae: bool = False, editor: bool | None = None) -> FileKind:
    """What a model's file is; ModelError where it is not drawn with. The rest as in ``why_not``."""
    kind = look(f"model {name}", path)
    why = why_not(kind, has_vae, editor)
    if why is not None:
        raise ModelError(f"model {name} {why}")
    from t2v.weights.single_file.vocabulary import check_vocabulary

    check_vocabulary()
    return kind


def side_px(path: Path) -> int:
    """The side of the square pictures that a checkpoint's file draws best; ModelError where it is none."""
    kind = look(f"model {path.name}", path)
    if kind.generation is None:
        raise ModelError(f"model {path.name} is {kind.words}; {WHOLE}.")
    return kind.generation.side_px_v if kind.prediction == "v_prediction" else kind.generation.side_px


def check_controlnet(name: str, path: Path) -> FileKind:
    """What the file of a ControlNet or T2I-Adapter is; ModelError where no model can be given it."""
    kind = look(f"controlnet {name}", path)
    if kind.kind not in ("controlnet", "t2i-adapter") or kind.other:
        raise ModelError(
            f"controlnet {name} is {kind.words}; choose a ControlNet or T2I-Adapter of Stable Diffusion."
        )
    if kind.is_scaled:
        raise ModelError(
            f"controlnet {name} has weights in few bits with scales beside them; choose another."
        )
    return kind


def check_vae(path: Path) -> FileKind:
    """What a VAE's file is; ModelError where no model can be given it."""
    kind = look(f"vae {path.name}", path)
    if kind.kind != "vae" or kind.other not in ("", TAESD):
        raise ModelError(f"vae {path.name} is {kind.words}; choose a VAE of Stable Diffusion.")
    if kind.is_scaled:
        raise ModelError(f"vae {path.name} has weights in few bits with scales beside them; choose another.")
    return kind

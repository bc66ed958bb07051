"""What a model is, and its method, as far as that is known without loading it, and without torch."""

from t2v.weights.card import read_card
from t2v.weights.family import FAMILIES, STABLE_DIFFUSION, Family
from t2v.weights.files import read_object
from t2v.weights.index import indexed_family
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import look
from t2v.weights.source import MODEL_INDEX, Source


def told_family(source: Source) -> Family | None:
    """That of a hub id that is known here, of a folder by its index, of a file by its header; else None."""
    if source.kind == "hub":
        known = (one for one in FAMILIES if source.base in (one.model, one.editor, *one.dreambooth))
        return next(known, None)
    try:
        if source.folder.is_file():
            generation = look(source.base, source.folder).generation
            key = "" if generation is None else generation.key
            return next((one for one in FAMILIES if key in one.generations), None)
        return indexed_family(read_object(source.folder / MODEL_INDEX))
    except (OSError, ValueError, ModelError):
        return None


def told_method(model: str) -> str:
    """The method of drawing from text that suits a model, as far as that is known without loading it."""
    source = Source.parse(model)
    own, family = read_card(source).method, told_family(source)
    return own if own is not None else (STABLE_DIFFUSION if family is None else family).method

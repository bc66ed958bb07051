"""Which files drew a video, in a line's few words: told where it is not the bundled model alone."""

from collections.abc import Iterator

from t2v.tasks import Settings
from t2v.tasks.controlled import Also, ControlledSettings
from t2v.weights.source import BUNDLED, QUICK, QUICK_NAME, STYLE, STYLE_NAME, Source

NAMED = {STYLE: STYLE_NAME, QUICK: QUICK_NAME}


def model_words(asked: Settings) -> str:
    """The model with what is put into it, as pickers name it; nothing for the bundled one alone.

    Of paths outside the folder of models, which are private, the last part.
    """
    if asked.model == BUNDLED:
        return ""
    return NAMED.get(asked.model, Source.parse(asked.model).kept_name)


def drawn_with(asked: Settings) -> str:
    """Model, ControlNets with their strengths, and precision, as far as somebody chose them."""
    chosen = [model_words(asked), *_followed(asked), "" if asked.dtype is None else asked.dtype]
    return " · ".join(filter(None, chosen))


def _followed(asked: Settings) -> Iterator[str]:
    if not isinstance(asked, ControlledSettings):
        return
    each: tuple[ControlledSettings | Also, ...] = (asked, *asked.also)
    for one in each:
        if one.controlnet is not None and one.controlnet != BUNDLED:
            at = f" at {one.conditioning_scale:g}" if one.conditioning_scale != 1 else ""
            yield Source.parse(one.controlnet).kept_name + at

"""Pictures as prompts, as runs of one engine ask for them."""

import weakref
from pathlib import Path
from typing import Any

from t2v.diffusion.picture_prompt import PicturePrompt
from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.program import quiet_loading
from t2v.tasks import Resolved, Settings
from t2v.video.picture import read_picture
from t2v.weights.ip_adapter import Layers, picture_layers
from t2v.weights.marks import file_mark, folder_mark
from t2v.weights.picture_adapters import chosen_adapter, picture_adapter


def adapter_name(settings: Settings, pipeline: VideoPipeline) -> str | None:
    """The IP-Adapter that a run wants, asked for or one at hand; None for a run without such a picture.

    ModelError where there is none for the model.
    """
    if settings.picture_prompt is None:
        return None
    return chosen_adapter(settings.ip_adapter, _width(pipeline)).name


class PicturePrompts:
    """What adapters made of the picture used last: the same one is not looked at again for every run."""

    def __init__(self) -> None:
        self._last: tuple[Any, Layers] | None = None

    def of(self, resolved: Resolved[Any], pipeline: VideoPipeline) -> PicturePrompt | None:
        """The picture of a run; None where it has none.

        InputError where the picture cannot be read, ModelError where the adapter cannot be used.
        """
        asked: Settings = resolved.asked
        if asked.picture_prompt is None or resolved.ip_adapter is None:
            return None
        adapter = picture_adapter(resolved.ip_adapter, _width(pipeline))
        path = asked.picture_prompt
        picture = read_picture(path, "picture_prompt")
        files = file_mark(adapter.path), folder_mark(adapter.encoder), file_mark(Path(path))
        key = (weakref.ref(pipeline.unet), adapter, path, files)  # weak: the model may go
        if self._last is None or self._last[0] != key:
            with quiet_loading():
                self._last = (key, picture_layers(adapter, pipeline.unet, picture))
        return PicturePrompt(self._last[1], asked.picture_prompt_strength)


def _width(pipeline: VideoPipeline) -> int | None:
    """Of the text that the model's UNet reads."""
    width = pipeline.unet.config.cross_attention_dim
    return width if isinstance(width, int) else None

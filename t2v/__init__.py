"""Text2Video-Zero Studio: image diffusion models draw short videos from a sentence or after a clip.

    from t2v import Engine, TextToVideoSettings, write_video

    video = Engine().generate(TextToVideoSettings("a red car on a street", seed=7))
    write_video("car.mp4", video.frames, video.fps)

Each name below is imported when it is first asked for: ``import t2v`` alone loads neither torch nor Gradio.
"""

import importlib
from typing import TYPE_CHECKING, Any

from t2v.version import __version__

if TYPE_CHECKING:  # the same as _HOMES, for type checkers and editors
    from t2v.bar import Bar as Bar
    from t2v.checks import InputError as InputError
    from t2v.diffusion.options import Motion as Motion
    from t2v.diffusion.options import Shortcuts as Shortcuts
    from t2v.diffusion.pipeline import TextToVideoPipeline as TextToVideoPipeline
    from t2v.diffusion.progress import Cancelled as Cancelled
    from t2v.diffusion.progress import Step as Step
    from t2v.diffusion.zero import TextToVideoZeroPipeline as TextToVideoZeroPipeline
    from t2v.engine.engine import Engine as Engine
    from t2v.finishing.finish import Finish as Finish
    from t2v.finishing.finish import finish_video as finish_video
    from t2v.finishing.upscale import load_finisher as load_finisher
    from t2v.tasks import TASKS as TASKS
    from t2v.tasks import settings_of as settings_of
    from t2v.tasks.canny import CannySettings as CannySettings
    from t2v.tasks.controlled import Also as Also
    from t2v.tasks.depth import DepthSettings as DepthSettings
    from t2v.tasks.pix2pix_video import Pix2PixVideoSettings as Pix2PixVideoSettings
    from t2v.tasks.pose import PoseSettings as PoseSettings
    from t2v.tasks.text_to_video import TextToVideoSettings as TextToVideoSettings
    from t2v.video.video import Video as Video
    from t2v.video.video import read_video as read_video
    from t2v.video.write import read_settings as read_settings
    from t2v.video.write import write_video as write_video
    from t2v.weights.refusals import ModelError as ModelError

_HOMES = {  # public name -> the module that it lives in
    "Also": "t2v.tasks.controlled",
    "Bar": "t2v.bar",
    "Cancelled": "t2v.diffusion.progress",
    "CannySettings": "t2v.tasks.canny",
    "DepthSettings": "t2v.tasks.depth",
    "Engine": "t2v.engine.engine",
    "Finish": "t2v.finishing.finish",
    "InputError": "t2v.checks",
    "ModelError": "t2v.weights.refusals",
    "Motion": "t2v.diffusion.options",
    "Pix2PixVideoSettings": "t2v.tasks.pix2pix_video",
    "PoseSettings": "t2v.tasks.pose",
    "Shortcuts": "t2v.diffusion.options",
    "Step": "t2v.diffusion.progress",
    "TASKS": "t2v.tasks",
    "TextToVideoPipeline": "t2v.diffusion.pipeline",
    "TextToVideoZeroPipeline": "t2v.diffusion.zero",
    "TextToVideoSettings": "t2v.tasks.text_to_video",
    "Video": "t2v.video.video",
    "finish_video": "t2v.finishing.finish",
    "load_finisher": "t2v.finishing.upscale",
    "read_settings": "t2v.video.write",
    "read_video": "t2v.video.video",
    "settings_of": "t2v.tasks",
    "write_video": "t2v.video.write",
}
__all__ = ["__version__", *_HOMES]

if not TYPE_CHECKING:  # where type checkers saw it, they would believe in any name

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value  # the next time it is simply there
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

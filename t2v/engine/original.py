"""Calls as scripts of the original write them, in this project's settings: names, arguments, times, sizes."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from t2v.checks import InputError, check_int, plain
from t2v.engine.defaults import native_side_px
from t2v.program import bundled
from t2v.tasks.clip import ClipSettings
from t2v.tasks.settings import Settings
from t2v.video.clips import Clip
from t2v.weights.family import STABLE_DIFFUSION

STEPS = 50  # the original's t0 and t1 are indices into so many
STRIDE = 64  # its sides are multiples of this
SIDE_PX = 512  # of its pictures, unless told otherwise
MARK = "Picsart AI Research"  # the watermark it drew unless told otherwise; here it is taken for none
NO_MARKS = (None, "", "None", MARK)
# its arguments by other names -> the fields of our settings
OURS = {
    "n_prompt": "negative_prompt",
    "model_name": "model",
    "db_path": "model",
    "video_length": "num_frames",
    "use_cf_attn": "cross_frame_attention",
    "use_motion_field": "motion_field",
    "controlnet_conditioning_scale": "conditioning_scale",
    "video_path": "clip",
    "video": "clip",
    "start_t": "start_s",
    "end_t": "end_s",
    "out_fps": "fps",
}
REFUSED = ("merging_ratio", "eta")  # switches for what is not done here
DREAMBOOTH = {  # its names of the models in a style of their own
    f"{name} DB": next(model for model in STABLE_DIFFUSION.dreambooth if model.endswith(f"-{ending}"))
    for name, ending in (("Anime", "anime"), ("Arcane", "arcane"), ("Avatar", "avatar"), ("GTA-5", "gta5"))
}
CLIPS = {"woman1", "woman2", "woman3", "man1", *(f"Motion {number}" for number in range(1, 6))}
ASSETS = "__assets__"  # its folder of example clips

S = TypeVar("S", bound=Settings)
C = TypeVar("C", bound=ClipSettings)


def check_watermark(mark: object) -> None:
    """InputError for a watermark; the one that the original drew unasked is taken for none."""
    if mark not in NO_MARKS:
        raise InputError(f"watermark is {str(mark)[:60]!r}, and none is drawn here; leave it out.")


def settings_of_call(kind: type[S], told: Mapping[str, Any], ours: Mapping[str, Any]) -> S:
    """Settings from all arguments of a call, by the original's names. ours: fields not to be taken so.

    InputError for what the original could do and this project does not, and for its example clips, which are
    not here.
    """
    check_watermark(told["watermark"])
    for name in REFUSED:
        if told.get(name):
            raise InputError(f"{name} is {str(told[name])[:60]}, which is not done here; leave it out.")
    renamed = {OURS.get(name, name): value for name, value in told.items()}
    renamed["seed"] = _our_seed(told["seed"])
    renamed["upscale"] = 1  # its resolution is that of the file
    if "clip" in renamed:
        _check_clip(plain(renamed["clip"]), kind.task)
    if isinstance(renamed["model"], str):
        renamed["model"] = DREAMBOOTH.get(renamed["model"], renamed["model"])
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in {**renamed, **ours}.items() if name in known})


def time_of(field: str, index: int) -> int:
    """The time at an index of the original's 50 steps, counted from the clean end; InputError past them."""
    return check_int(field, index, 0, STEPS - 1) * 1000 // STEPS + 1


def side_of(resolution: int | None, model: str, task: str) -> int:
    """The side of a square video in pixels.

    None: the original's 512, or the model's own where it is less, or so much more, as Stable Diffusion XL's,
    that its pictures come apart at 512.
    """
    if resolution is not None:
        return resolution
    own = int(native_side_px(model, task)) // 8 * 8
    return own if own >= 2 * SIDE_PX else min(SIDE_PX, own)


def sized(settings: C, resolution: int) -> C:
    """Settings with the original's size for their clip."""
    settings.check()
    width, height = size_of(settings.open(), resolution)
    return replace(settings, width=width, height=height)


def size_of(clip: Clip, resolution: int) -> tuple[int, int]:
    """(width, height) as the original has them: the longer side is resolution, both in whole strides."""
    longer = check_int("resolution", resolution, STRIDE, 2048)
    scale = longer / max(clip.width, clip.height) / STRIDE
    width, height = (max(1, round(side * scale)) * STRIDE for side in (clip.width, clip.height))
    return width, height


def _our_seed(seed: Any) -> Any:
    """None, which draws one, for the original's negative seeds; any other as it is."""
    number = plain(seed)
    return None if isinstance(number, int) and number < 0 else number


def _check_clip(clip: Any, task: str) -> None:
    """InputError for an example clip of the original, where it is not lying there."""
    if not isinstance(clip, str) or Path(clip).exists():
        return
    if clip in CLIPS or ASSETS in Path(clip).parts:
        own = bundled("examples") / task
        raise InputError(
            f"clip is '{clip[:200]}', an example of the original project that does not come with this one; "
            f"give a clip of your own, or one of {own}."
        )

"""Model: the engine, with the original project's Python calls for scripts that were written for it.

All ``process_*`` calls return the path of the MP4. Where they differ from the original: prompts are used as
typed (it added "best quality" and the like, and negative words, to those of most calls), and there is no
watermark, no token merging, no background smoothing and no eta, so arguments that ask for these are refused.
path and save_path None: a new file under outputs/. A negative seed draws one at random. model_name, which
only the original's first call has, takes what ``Settings.model`` takes.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from t2v.checks import InputError, check_int
from t2v.engine.engine import Engine
from t2v.library.results import OUTPUTS, check_target, new_output_path, write_result
from t2v.tasks import Settings
from t2v.tasks.canny import CannySettings
from t2v.tasks.clip import ClipSettings
from t2v.tasks.depth import DepthSettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.pose import PoseSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.refusals import ModelError
from t2v.weights.source import MINIATURE

__all__ = ["MINIATURE", "Model", "ModelError"]

STEPS = 50  # the original's t0 and t1 are indices into so many
STRIDE = 64  # its sides are multiples of this
MARK = "Picsart AI Research"  # the watermark it drew unless told otherwise; here it is taken for none
POSE_FPS = 4.0  # it reads a skeleton clip at this rate, whatever its own
EDITING_GUIDANCE = 7.5  # not an argument of its process_pix2pix
# the original's arguments by other names -> the fields of our settings
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
REFUSED = ("merging_ratio", "eta", "smooth_bg")  # switches for what is not done here


class Model(Engine):
    """The engine under the original's name; device and dtype as ``Engine`` takes them."""

    def process_text2video(
        self,
        prompt: str,
        model_name: str = "dreamlike-art/dreamlike-photoreal-2.0",
        motion_field_strength_x: float = 12,
        motion_field_strength_y: float = 12,
        t0: int = 44,
        t1: int = 47,
        n_prompt: str = "",
        chunk_size: int = 8,
        video_length: int = 8,
        watermark: str | None = MARK,
        merging_ratio: float = 0.0,
        seed: int = 0,
        resolution: int | None = None,
        fps: float = 2,
        use_cf_attn: bool = True,
        use_motion_field: bool = True,
        smooth_bg: bool = False,
        smooth_bg_strength: float = 0.4,
        path: str | None = None,
    ) -> str:
        """A video from a prompt.

        t0, t1 are indices into 50 steps (0..49, t0 <= t1), the strengths point against ours, and resolution
        is the side of a square picture (None: the model's own). smooth_bg_strength says nothing while
        smooth_bg is off.
        """
        told = dict(locals())
        ours = {
            "width": resolution,
            "height": resolution,
            "num_inference_steps": STEPS,
            "motion_x": -motion_field_strength_x,
            "motion_y": -motion_field_strength_y,
            "t0": _our_time("t0", t0),
            "t1": _our_time("t1", t1),
        }
        return self._write(_settings(TextToVideoSettings, told, ours), path)

    def process_controlnet_canny(
        self,
        video_path: str,
        prompt: str,
        chunk_size: int = 8,
        watermark: str | None = MARK,
        merging_ratio: float = 0.0,
        num_inference_steps: int = 20,
        controlnet_conditioning_scale: float = 1.0,
        guidance_scale: float = 9.0,
        seed: int = 42,
        eta: float = 0.0,
        low_threshold: float = 100,
        high_threshold: float = 200,
        resolution: int = 512,
        use_cf_attn: bool = True,
        save_path: str | None = None,
        *,
        model_name: str = STABLE_DIFFUSION.model,
        control_ready: bool = False,
    ) -> str:
        """A video that follows a clip's edges.

        resolution: the longer side; both sides are rounded to multiples of 64. control_ready: the clip is
        edges, skeletons or depth already, whichever the call follows, and is used as it is; edges and
        skeletons are recognised also without it.
        """
        return self._follow(CannySettings, dict(locals()))

    def process_controlnet_canny_db(
        self,
        db_path: str,
        video_path: str,
        prompt: str,
        chunk_size: int = 8,
        watermark: str | None = MARK,
        merging_ratio: float = 0.0,
        num_inference_steps: int = 20,
        controlnet_conditioning_scale: float = 1.0,
        guidance_scale: float = 9.0,
        seed: int = 42,
        eta: float = 0.0,
        low_threshold: float = 100,
        high_threshold: float = 200,
        resolution: int = 512,
        use_cf_attn: bool = True,
        save_path: str | None = None,
        *,
        control_ready: bool = False,
    ) -> str:
        """A video that follows a clip's edges, drawn by the DreamBooth checkpoint db_path.

        db_path takes what Settings.model takes; ``t2v.weights.family`` lists the original's four and their
        keywords. The rest as in ``process_controlnet_canny``.
        """
        return self._follow(CannySettings, dict(locals()))

    def process_controlnet_pose(
        self,
        video_path: str,
        prompt: str,
        chunk_size: int = 8,
        watermark: str | None = MARK,
        merging_ratio: float = 0.0,
        num_inference_steps: int = 20,
        controlnet_conditioning_scale: float = 1.0,
        guidance_scale: float = 9.0,
        seed: int = 42,
        eta: float = 0.0,
        resolution: int = 512,
        use_cf_attn: bool = True,
        save_path: str | None = None,
        *,
        model_name: str = STABLE_DIFFUSION.model,
        control_ready: bool = False,
    ) -> str:
        """A video that follows a skeleton clip, or the people in footage, read at 4 frames per second.

        The rest as in ``process_controlnet_canny``.
        """
        return self._follow(PoseSettings, dict(locals()), fps=POSE_FPS)

    def process_controlnet_depth(
        self,
        video_path: str,
        prompt: str,
        chunk_size: int = 8,
        watermark: str | None = MARK,
        merging_ratio: float = 0.0,
        num_inference_steps: int = 20,
        controlnet_conditioning_scale: float = 1.0,
        guidance_scale: float = 9.0,
        seed: int = 42,
        eta: float = 0.0,
        resolution: int = 512,
        use_cf_attn: bool = True,
        save_path: str | None = None,
        *,
        model_name: str = STABLE_DIFFUSION.model,
        control_ready: bool = False,
    ) -> str:
        """A video that follows a clip's depth. The rest as in ``process_controlnet_canny``."""
        return self._follow(DepthSettings, dict(locals()))

    def process_pix2pix(
        self,
        video: str,
        prompt: str,
        resolution: int = 512,
        seed: int = 0,
        image_guidance_scale: float = 1.0,
        start_t: float = 0,
        end_t: float = -1,
        out_fps: float = -1,
        chunk_size: int = 8,
        watermark: str | None = MARK,
        merging_ratio: float = 0.0,
        use_cf_attn: bool = True,
        save_path: str | None = None,
        *,
        model_name: str = STABLE_DIFFUSION.editor,
    ) -> str:
        """The clip after an instruction, in 50 steps.

        start_t, end_t: seconds, end_t -1 to the clip's end; out_fps -1: the clip's own. The rest as in
        ``process_controlnet_canny``.
        """
        told = dict(locals())
        told |= {name: None for name in ("end_t", "out_fps") if told[name] == -1}
        return self._follow(
            Pix2PixVideoSettings, told, num_inference_steps=STEPS, guidance_scale=EDITING_GUIDANCE
        )

    def _follow(self, kind: type[ClipSettings], told: Mapping[str, Any], **ours: float) -> str:
        """A call that follows a clip, from all of its arguments by the original's names."""
        return self._write(_sized(_settings(kind, told, ours), told["resolution"]), told["save_path"])

    def _write(self, settings: Settings, path: str | None) -> str:
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            check_target(path, settings, "path")  # before the weights are loaded
        resolved = self.resolve(settings)
        if path is None:
            OUTPUTS.mkdir(exist_ok=True)
            path = str(new_output_path(OUTPUTS, resolved))
        return str(write_result(Path(path), resolved, self.frames(resolved)))


def _settings(kind: type, told: Mapping[str, Any], ours: Mapping[str, Any]) -> Any:
    """Settings from a call's arguments by the original's names; ours: fields that are not to be taken so.

    InputError for what the original could do and this project does not.
    """
    mark = told["watermark"]
    if mark not in (None, MARK):
        raise InputError(f"watermark is {str(mark)[:60]!r}, and none is drawn here; leave it out.")
    for name in REFUSED:
        if told.get(name):
            raise InputError(f"{name} is {str(told[name])[:60]}, which is not done here; leave it out.")
    renamed = {OURS.get(name, name): value for name, value in told.items()}
    renamed["seed"] = _our_seed(told["seed"])
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in {**renamed, **ours}.items() if name in known})


def _our_seed(seed: int) -> int | None:
    """None, which draws one, for the original's negative seeds; any other as it is."""
    return None if isinstance(seed, int) and seed < 0 else seed


def _our_time(field: str, index: int) -> int:
    """The time at an index of the original's 50 steps, counted from the clean end; InputError past them."""
    return check_int(field, index, 0, STEPS - 1) * 1000 // STEPS + 1


def _sized(settings: ClipSettings, resolution: int) -> ClipSettings:
    """Settings with the original's size: the longer side is resolution, both are rounded to its stride."""
    resolution = check_int("resolution", resolution, STRIDE, 2048)
    settings.check()
    clip = settings.open()
    scale = resolution / max(clip.width, clip.height) / STRIDE
    width, height = (max(1, round(side * scale)) * STRIDE for side in (clip.width, clip.height))
    return replace(settings, width=width, height=height)

"""Model: the engine, with the original project's Python calls for scripts that were written for it.

All ``process_*`` calls return the path of the video: an MP4, or a GIF where the given path says so. Where
they differ from the original: prompts are used as typed unless ``Model(original_prompts=True)`` adds its
words, and there is no watermark, no token merging, no background smoothing and no eta, so arguments that ask
for these are refused. path and save_path None: a new file under outputs/. A negative seed draws one at
random. model_name, which only the original's first call has, takes what ``Settings.model`` takes. Of its own
names, "Anime DB" and the like are known; its example clips are not here.
"""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn

import torch

from t2v.bar import Bar
from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.engine.original import DREAMBOOTH, MARK, STEPS, settings_of_call, side_of, sized, time_of
from t2v.library.results import OUTPUTS, check_target, new_output_path, write_result
from t2v.tasks import Settings
from t2v.tasks.canny import CannySettings
from t2v.tasks.clip import ClipSettings
from t2v.tasks.depth import DepthSettings
from t2v.tasks.original_prompts import ADDED, with_original_prompts
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.pose import PoseSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.refusals import ModelError
from t2v.weights.source import MINIATURE

__all__ = ["MINIATURE", "Model", "ModelError", "ModelType"]

POSE_FPS = 4.0  # it reads a skeleton clip at this rate, whatever its own
EDITING_GUIDANCE = 7.5  # not an argument of its process_pix2pix


class ModelType(Enum):
    """The original's kinds of models, for ``set_model``."""

    Pix2Pix_Video = 1
    Text2Video = 2
    ControlNetCanny = 3
    ControlNetCannyDB = 4
    ControlNetPose = 5
    ControlNetDepth = 6


class Model(Engine):
    """The engine under the original's name; device and dtype as ``Engine`` takes them.

    original_prompts: add the words that the original added unseen to prompts, and its negative prompt where
    none is given; they are kept in the video. progress: a bar on stderr, None: where that is a terminal.
    """

    def __init__(
        self,
        device: str | None = None,
        dtype: str | torch.dtype | None = None,
        *,
        original_prompts: bool = False,
        progress: bool | None = None,
    ) -> None:
        super().__init__(device, dtype)
        self._original_prompts = original_prompts
        self._progress = progress
        self._chosen: dict[ModelType, str] = {}

    def set_model(self, model_type: ModelType, model_id: str, safety_checker: None = None) -> None:
        """Load a model now, which the ``process_*`` call of this type then takes unless told another.

        model_id: as ``Settings.model`` takes it, or one of the original's names. ControlNets are chosen to
        suit it. InputError where it cannot be had, or for a safety checker, as there is none here.
        """
        if safety_checker is not None:
            raise InputError("safety_checker is given, and there is none here; leave it out.")
        name = DREAMBOOTH.get(model_id, model_id)
        self.load(name, editor=model_type is ModelType.Pix2Pix_Video)
        self._chosen[model_type] = name

    def inference(self, *arguments: Any, **options: Any) -> NoReturn:
        """InputError: the original's inner call, which its ``process_*`` calls made, has no like here."""
        raise InputError(
            "inference is not offered here; call process_text2video and its like, or generate(settings)."
        )

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
        is the side of a square picture (None: 512, or the model's own where that is less).
        smooth_bg_strength: 0..1, of the smoothing; says nothing while smooth_bg is off.
        """
        told = dict(locals())
        ours = {
            "width": side_of(resolution, model_name, TextToVideoSettings.task),
            "height": side_of(resolution, model_name, TextToVideoSettings.task),
            "num_inference_steps": STEPS,
            "motion_x": -motion_field_strength_x,
            "motion_y": -motion_field_strength_y,
            "t0": time_of("t0", t0),
            "t1": time_of("t1", t1),
            "method": "paper",
            "smooth_bg": smooth_bg_strength if smooth_bg else 0.0,
        }
        return self._write(settings_of_call(TextToVideoSettings, told, ours), path)

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
        model_name: str | None = None,
        control_ready: bool = False,
    ) -> str:
        """A video that follows a clip's edges.

        resolution: the longer side; both sides are rounded to multiples of 64. control_ready: the clip is
        edges, skeletons or depth already, whichever the call follows, and is used as it is; edges and
        skeletons are recognised also without it. model_name None: what set_model chose, else Stable
        Diffusion 1.5.
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
        model_name: str | None = None,
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
        model_name: str | None = None,
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
        model_name: str | None = None,
    ) -> str:
        """The clip after an instruction, in 50 steps.

        start_t, end_t: seconds, end_t -1 to the clip's end; out_fps -1: the clip's own. The rest as in
        ``process_controlnet_canny``.
        """
        return self._follow(
            Pix2PixVideoSettings,
            dict(locals()),
            num_inference_steps=STEPS,
            guidance_scale=EDITING_GUIDANCE,
        )

    def _follow(self, kind: type[ClipSettings], told: Mapping[str, Any], **ours: float) -> str:
        """A call that follows a clip, from all of its arguments by the original's names."""
        if told.get("model_name", "given") is None:
            usual = STABLE_DIFFUSION.editor if kind.editor else STABLE_DIFFUSION.model
            told = {**told, "model_name": self._chosen.get(TYPES[kind], usual)}
        return self._write(sized(settings_of_call(kind, told, ours), told["resolution"]), told["save_path"])

    def _write(self, settings: Settings, path: str | None) -> str:
        if self._original_prompts and settings.task in ADDED:
            settings = with_original_prompts(settings)
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            check_target(path, settings, "path")  # before the weights are loaded
        resolved = self.resolve(settings)
        if path is None:
            OUTPUTS.mkdir(exist_ok=True)
            path = str(new_output_path(OUTPUTS, resolved))
        with Bar(self._progress) as bar:
            return str(write_result(Path(path), resolved, self.frames(resolved, bar.show)))


TYPES: dict[type[ClipSettings], ModelType] = {
    CannySettings: ModelType.ControlNetCanny,
    DepthSettings: ModelType.ControlNetDepth,
    Pix2PixVideoSettings: ModelType.Pix2Pix_Video,
    PoseSettings: ModelType.ControlNetPose,
}

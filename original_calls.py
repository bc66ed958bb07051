"""The original project's Python calls, for scripts written for it, on this project's settings.

All return the path of the MP4. Where they differ from the original: prompts are used as typed (it added
"best quality" and the like, and negative words, to those of most calls), and there is no watermark, no token
merging, no background smoothing and no eta, so arguments that ask for these are refused. path and save_path
None: a new file under outputs/. A negative seed draws one at random.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from choices import INSTRUCT_PIX2PIX, STABLE_DIFFUSION_15
from original_terms import MARK, STEPS, our_seed, our_time, refuse, sized
from results import OUTPUTS, check_target, new_output_path, write_result
from tasks import Settings
from tasks.canny import CannySettings
from tasks.depth import DepthSettings
from tasks.pix2pix_video import Pix2PixVideoSettings
from tasks.pose import PoseSettings
from tasks.text_to_video import TextToVideoSettings

POSE_FPS = 4.0  # it reads a skeleton clip at this rate, whatever its own


class OriginalCalls(ABC):
    """The ``process_*`` methods of ``Model``, which gives ``resolve`` and ``frames``."""

    @abstractmethod
    def resolve(self, settings: Settings) -> Settings:
        """The settings with every None filled in."""

    @abstractmethod
    def frames(self, settings: Settings) -> Iterator[np.ndarray]:
        """The video's frames one at a time, uint8 RGB (h, w, 3)."""

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
        is the side of a square picture (None: the model's own). model_name takes what Settings.model takes.
        smooth_bg_strength says nothing while smooth_bg is off.
        """
        refuse(watermark, merging_ratio=merging_ratio, smooth_bg=smooth_bg)
        settings = TextToVideoSettings(
            prompt=prompt,
            negative_prompt=n_prompt,
            model=model_name,
            seed=our_seed(seed),
            num_frames=video_length,
            width=resolution,
            height=resolution,
            fps=fps,
            num_inference_steps=STEPS,
            motion_x=-motion_field_strength_x,
            motion_y=-motion_field_strength_y,
            t0=our_time("t0", t0),
            t1=our_time("t1", t1),
            chunk_size=chunk_size,
            cross_frame_attention=use_cf_attn,
            motion_field=use_motion_field,
        )
        return self._write(settings, path)

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
        model_name: str = STABLE_DIFFUSION_15,
    ) -> str:
        """A video that follows a clip's edges.

        resolution: the longer side; both sides are rounded to multiples of 64. model_name, which the original
        does not have, takes what Settings.model takes.
        """
        refuse(watermark, merging_ratio=merging_ratio, eta=eta)
        settings = CannySettings(
            clip=video_path,
            prompt=prompt,
            model=model_name,
            seed=our_seed(seed),
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            chunk_size=chunk_size,
            cross_frame_attention=use_cf_attn,
            conditioning_scale=controlnet_conditioning_scale,
            low_threshold=low_threshold,
            high_threshold=high_threshold,
        )
        return self._write(sized(settings, resolution), save_path)

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
    ) -> str:
        """A video that follows a clip's edges, drawn by the DreamBooth checkpoint db_path.

        db_path takes what Settings.model takes; ``choices.DREAMBOOTH`` lists the original's four and their
        keywords. The rest as in ``process_controlnet_canny``.
        """
        return self.process_controlnet_canny(
            video_path,
            prompt,
            chunk_size,
            watermark,
            merging_ratio,
            num_inference_steps,
            controlnet_conditioning_scale,
            guidance_scale,
            seed,
            eta,
            low_threshold,
            high_threshold,
            resolution,
            use_cf_attn,
            save_path,
            model_name=db_path,
        )

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
        model_name: str = STABLE_DIFFUSION_15,
    ) -> str:
        """A video that follows a skeleton clip, or the people in footage, read at 4 frames per second.

        The rest as in ``process_controlnet_canny``.
        """
        refuse(watermark, merging_ratio=merging_ratio, eta=eta)
        settings = PoseSettings(
            clip=video_path,
            prompt=prompt,
            model=model_name,
            seed=our_seed(seed),
            fps=POSE_FPS,
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            chunk_size=chunk_size,
            cross_frame_attention=use_cf_attn,
            conditioning_scale=controlnet_conditioning_scale,
        )
        return self._write(sized(settings, resolution), save_path)

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
        model_name: str = STABLE_DIFFUSION_15,
    ) -> str:
        """A video that follows a clip's depth. The rest as in ``process_controlnet_canny``."""
        refuse(watermark, merging_ratio=merging_ratio, eta=eta)
        settings = DepthSettings(
            clip=video_path,
            prompt=prompt,
            model=model_name,
            seed=our_seed(seed),
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            chunk_size=chunk_size,
            cross_frame_attention=use_cf_attn,
            conditioning_scale=controlnet_conditioning_scale,
        )
        return self._write(sized(settings, resolution), save_path)

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
        model_name: str = INSTRUCT_PIX2PIX,
    ) -> str:
        """The clip after an instruction, in 50 steps.

        start_t, end_t: seconds, end_t -1 to the clip's end; out_fps -1: the clip's own. The rest as in
        ``process_controlnet_canny``.
        """
        refuse(watermark, merging_ratio=merging_ratio)
        settings = Pix2PixVideoSettings(
            clip=video,
            prompt=prompt,
            model=model_name,
            seed=our_seed(seed),
            start_s=start_t,
            end_s=None if end_t == -1 else end_t,
            fps=None if out_fps == -1 else out_fps,
            num_inference_steps=STEPS,
            guidance_scale=7.5,
            chunk_size=chunk_size,
            cross_frame_attention=use_cf_attn,
            image_guidance_scale=image_guidance_scale,
        )
        return self._write(sized(settings, resolution), save_path)

    def _write(self, settings: Settings, path: str | None) -> str:
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            check_target(path, settings, "path")  # before the weights are loaded
        settings = self.resolve(settings)
        if path is None:
            OUTPUTS.mkdir(exist_ok=True)
            path = new_output_path(OUTPUTS, settings)
        return str(write_result(Path(path), settings, self.frames(settings)))

"""What every pipeline that draws videos can do, whoever's parts it has: Algorithm 1 of arXiv 2303.13439.

One denoising loop for every task: time outside, chunks of frames inside (``conditions.Predictor``). The
scheduler is stepped once per time on all frames. So the chunk size sets the memory needed and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from t2v.checks import check_int, check_number
from t2v.diffusion.canvas import Drawn
from t2v.diffusion.check_call import (
    check_frame_ids,
    check_run,
    common_shape,
    latent_size,
    noise_channels,
    subjects_of,
)
from t2v.diffusion.conditions import ready_to_predict
from t2v.diffusion.controls import Control
from t2v.diffusion.from_picture import FirstFrame
from t2v.diffusion.layered import draw_layers
from t2v.diffusion.loop import Run, denoise
from t2v.diffusion.masks import painted_cells
from t2v.diffusion.moving import motion_steps
from t2v.diffusion.noise import draw_noise
from t2v.diffusion.one_video import OneVideo
from t2v.diffusion.options import Camera, Motion, Shortcuts, Subject
from t2v.diffusion.pictures import check_numbers
from t2v.diffusion.pipeline_parts import PipelineParts
from t2v.diffusion.progress import Progress, Step
from t2v.diffusion.sampling import Track, make_scheduler
from t2v.diffusion.scenes import Drawing, draw_canvas
from t2v.diffusion.telling import guidance_by, guidance_over_time

NONE_LEFT_OUT = Shortcuts()


class VideoPipeline(PipelineParts):
    """What draws videos: from text (by call), as one large picture (``scene``), by a clip (``guided``)."""

    @torch.inference_mode()
    def __call__(
        self,
        prompt: str | torch.Tensor,
        *,
        negative_prompt: str | torch.Tensor = "",
        num_frames: int = 8,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        motion: Motion = Motion(),  # noqa: B008 - frozen, so one default instance is safe
        scheduler: str = "ddim",
        spacing: str | None = None,
        eta: float | None = None,
        chunk_size: int = 8,
        cross_frame: bool = True,
        shortcuts: Shortcuts = NONE_LEFT_OUT,
        first_frame: FirstFrame | None = None,
        frame_ids: Sequence[int] | None = None,
        latents: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
        on_step: Callable[[Step], None] | None = None,
    ) -> torch.Tensor:
        """Draw the latents of a video: (1 f c h w), float32; ``decode`` makes frames of them.

        prompt, negative_prompt: texts, or their embeddings (1 n d); a prompt may change along the video, as
        in "0: a day | 7: a night" (``over_time``), and without a motion then shows one picture that changes.
        height, width: output pixels, multiples of the VAE's reduction (8); None: the model's own size.
        num_inference_steps: 1..1000. guidance_scale: w >= 0, no guidance where w <= 1. spacing: of the
        steps, as in ``make_scheduler``. eta: 0..1, DDIM's, and TCD's gamma; None: 0 and 0.3.
        chunk_size: frames through the network at once, 0 for all; never changes the picture. shortcuts: what
        is left out, which does. frame_ids: which
        frames of the video are drawn, the first of them 0; None: all. latents: x_T of the first frame,
        (1 c h w) white noise; drawn from ``generator`` (on the CPU) where None. first_frame: a picture to
        begin with, inverted to x_T by DDIM; None: the model draws it. on_step: called after every
        step; may raise Cancelled. Raises InputError for values out of range, and where NaN comes of it.
        """
        num_frames = check_int("num_frames", num_frames, 1, 100_000)
        num_inference_steps, guidance_scale, chunk_size = check_run(
            num_inference_steps, guidance_scale, scheduler, chunk_size, shortcuts
        )
        size = latent_size(self.unet, self.cell_px, height, width)
        ids = check_frame_ids(frame_ids, num_frames)
        eta = None if eta is None else check_number("eta", eta, 0, 1)
        shape = (max(ids) + 1, self.unet.config.in_channels, *size)
        noise, generators = draw_noise(shape, self.device, generator, latents)
        noise, generators = noise[ids], [generators[number] for number in ids]
        schedule = make_scheduler(scheduler, self._noise_config, num_inference_steps, spacing)
        window = motion_steps(self, motion, schedule, shape)
        guidance, weights = guidance_over_time(self, prompt, negative_prompt, guidance_scale, ids)
        video = OneVideo(
            self, prompt, ids, weights, motion, window, schedule, (noise, generators), first_frame, eta
        )
        with ready_to_predict(
            self.unet,
            self.memory,
            replace(guidance, within=shortcuts.within),
            num_frames if chunk_size == 0 else chunk_size,
            cross_frame=cross_frame,
            cache_steps=shortcuts.cache_steps,
        ) as predictor:
            clean = video.drawn(predictor, on_step)
        return check_numbers(clean[None], self.unet.dtype)

    @torch.inference_mode()
    def scene(
        self,
        prompt: str,
        *,
        negative_prompt: str = "",
        num_frames: int = 8,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        camera: Camera = Camera(),  # noqa: B008 - frozen, so one default instance is safe
        subject: Subject | Sequence[Subject] | None = None,
        painted: np.ndarray | Sequence[np.ndarray | None] | None = None,
        first: int | None = None,
        first_frame: FirstFrame | None = None,
        scheduler: str = "ddim",
        spacing: str | None = None,
        chunk_size: int = 8,
        cross_frame: bool = True,
        shortcuts: Shortcuts = NONE_LEFT_OUT,
        generator: torch.Generator | None = None,
        on_step: Callable[[Step], None] | None = None,
    ) -> Drawn:
        """Draw one large picture, of which every frame shows what its camera sees; ``decode`` makes frames.

        The first frame is the picture that the model draws for the seed; what comes into view is drawn beside
        it, at the same times: as many calls of the network as the camera's way is long, not as there are
        frames. subject: what moves by itself before it, drawn anew in each frame where the two meet; of
        several the first is the nearest. painted: where it is in the first frame, (h, w) bool in pixels, for
        several subjects one each; None: where the network draws its words. first: only so many of the video's
        frames are drawn, 1..num_frames, and these as in the whole; None: all. first_frame: a picture to begin
        with, beside which the prompt is drawn; None: the model draws it. The rest as in ``__call__``;
        chunk_size also of the pieces that the picture is drawn in.
        """
        num_frames = check_int("num_frames", num_frames, 1, 100_000)
        first = None if first is None else check_int("first", first, 1, num_frames)
        num_inference_steps, guidance_scale, chunk_size = check_run(
            num_inference_steps, guidance_scale, scheduler, chunk_size, shortcuts
        )
        camera.check()
        size = latent_size(self.unet, self.cell_px, height, width)
        schedule = make_scheduler(scheduler, self._noise_config, num_inference_steps, spacing)
        guidance = guidance_by(self, prompt, negative_prompt, guidance_scale)
        guidance = replace(guidance, within=shortcuts.within)
        drawing = Drawing(
            self,
            schedule,
            guidance,
            num_frames,
            *size,
            camera,
            chunk_size,
            cross_frame,
            generator,
            first,
            first_frame,
            shortcuts.cache_steps,
        )
        if subject is None:
            return draw_canvas(drawing, on_step)
        subjects, maps = subjects_of(subject, painted)
        masks = [None if one is None else painted_cells(one, *size, self.cell_px) for one in maps]
        window = motion_steps(self, Motion(t0=subjects[0].t0, t1=subjects[0].t1), schedule, size)
        return draw_layers(drawing, subjects, prompt, window, masks, on_step)

    @torch.inference_mode()
    def guided(
        self,
        prompt: str,
        *,
        controls: Sequence[Control] = (),
        source: torch.Tensor | None = None,
        negative_prompt: str = "",
        num_inference_steps: int = 50,
        guidance_scale: float = 7.5,
        image_guidance_scale: float = 1.5,
        scheduler: str = "ddim",
        spacing: str | None = None,
        chunk_size: int = 8,
        cross_frame: bool = True,
        shortcuts: Shortcuts = NONE_LEFT_OUT,
        latents: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
        on_step: Callable[[Step], None] | None = None,
    ) -> torch.Tensor:
        """Draw the latents of a video that follows a clip (Sect. 3.4 and 3.5): (1 f c h w), float32.

        controls: ControlNets with their pictures. source: the clip to edit, as ``encode`` gives it
        (f c h w), for InstructPix2Pix's UNets; image_guidance_scale >= 0, of its picture. Frames and size are
        those of the pictures. Every frame starts from the same noise, and samplers that draw more draw the
        same for all. The rest as in ``__call__``.
        """
        num_inference_steps, guidance_scale, chunk_size = check_run(
            num_inference_steps, guidance_scale, scheduler, chunk_size, shortcuts
        )
        image_guidance_scale = check_number("image_guidance_scale", image_guidance_scale, 0, 1000)
        num_frames, height, width = common_shape(controls, source, self.vae, self.cell_px)
        channels = noise_channels(self.unet, self.vae, source)
        shape = (1, channels, *latent_size(self.unet, self.cell_px, height, width))
        noise, (own,) = draw_noise(shape, self.device, generator, latents)
        schedule = make_scheduler(scheduler, self._noise_config, num_inference_steps, spacing)
        track = Track.from_noise(
            schedule, noise.expand(num_frames, -1, -1, -1), [own.clone_state() for _ in range(num_frames)]
        )
        image_scale = None if source is None else image_guidance_scale
        told = (prompt, negative_prompt, guidance_scale, range(num_frames), image_scale)
        with ready_to_predict(
            self.unet,
            self.memory,
            replace(guidance_over_time(self, *told)[0], within=shortcuts.within),
            num_frames if chunk_size == 0 else chunk_size,
            cross_frame=cross_frame,
            controls=controls,
            source=source,
            cache_steps=shortcuts.cache_steps,
        ) as predictor:
            num_steps = len(schedule.timesteps)
            run = Run(schedule, predictor, Progress.planned(num_frames, num_steps, None, on_step))
            denoise(run, [track], num_steps, "all frames")
        return check_numbers(track.latents[None], self.unet.dtype)

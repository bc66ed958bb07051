"""Algorithm 1 up to T: which frames there are then, before all of them are denoised together.

Each step is a function of the pipeline and of the run that it is a part of.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from diffusers import SchedulerMixin

from t2v.checks import InputError
from t2v.diffusion.ahead import find_subject
from t2v.diffusion.from_picture import FirstFrame, Start
from t2v.diffusion.inversion import invert
from t2v.diffusion.loop import Run, denoise
from t2v.diffusion.motion import alpha_ratio, default_times, noise_to, warp
from t2v.diffusion.options import Motion
from t2v.diffusion.progress import Progress
from t2v.diffusion.sampling import Track, alpha_bar, nearest_index, step_before
from t2v.diffusion.smoothing import smoothed

if TYPE_CHECKING:
    from t2v.diffusion.video_pipeline import VideoPipeline


@dataclass(frozen=True, eq=False)
class Way:
    """How frames are moved. field: how far, in pixels, each frame but the first, (f - 1, 2).

    window: the numbers of the time steps at T and T'.
    """

    motion: Motion
    field: torch.Tensor
    window: tuple[int, int]
    cell_px: int


def moved(
    run: Run, way: Way, noise: torch.Tensor, generators: list[torch.Generator], start: Start | None = None
) -> list[Track]:
    """x_T^1 denoised from noise; x_T^k moved at T' and brought back up. noise: (f c h w) of all frames."""
    t1, t0 = way.window
    if start is not None and start.is_kept:  # then both are known
        first, ahead = (start.track(generators[:1], index, run.eta) for index in way.window)
    else:
        first = Track.from_noise(run.schedule, noise[:1], generators[:1], run.eta)  # x_1000^1
        if start is not None:
            start.hold(first)
        denoise(run, [first], t1, "first frame")  # x_T^1
        ahead = first.fork()
        denoise(run, [ahead], t0, "motion")  # x_T'^1
    still = ahead.preserving().expand(len(way.field), -1, -1, -1)
    warped = warp(still, way.field, way.cell_px, way.motion.warp)
    ratio = alpha_ratio(alpha_bar(run.schedule, t1), alpha_bar(run.schedule, t0))
    noised = noise_to(warped, ratio, noise[1:])  # x_T^k
    return [first, Track.from_latents(run.schedule, noised, generators[1:], t1, run.eta)]


def smooth(
    pipe: "VideoPipeline", run: Run, tracks: list[Track], way: Way, prompt: str | torch.Tensor
) -> None:
    """Smooth the background of the frames at T, the second of the tracks, by the first (Sect. 3.3.3)."""
    if not isinstance(prompt, str):
        raise InputError("smooth_bg needs the prompt as a text, to find its subject; give it, or 0.")
    first, others = tracks
    mask = find_subject(pipe, run, first, prompt, way.motion.subject)
    at_t1 = first.preserving()
    frames = smoothed(others.preserving(), at_t1, way.field, mask, way.motion.smooth_bg, way.cell_px)
    tracks[1] = Track.from_latents(run.schedule, frames, others.generators, others.index, run.eta)


def started(
    pipe: "VideoPipeline",
    given: FirstFrame | None,
    noise: torch.Tensor,
    prompt: str | torch.Tensor,
    window: tuple[int, int] | None,
    progress: Progress,
    schedule: SchedulerMixin,
) -> Start | None:
    """A given picture's way from noise (1 c h w); of one that is kept it is inverted. window: ``Way``'s."""
    if given is None:
        return None
    start = Start.of(pipe, given, schedule, noise)
    if not start.is_kept:
        return start
    t1, t0 = (0, 0) if window is None else window
    progress.add(-t0)  # that need not be drawn
    return invert(pipe, start, prompt, t1, progress)


def motion_steps(
    pipe: "VideoPipeline", motion: Motion, schedule: SchedulerMixin, shape: tuple[int, ...]
) -> tuple[int, int]:
    """The numbers of the time steps at T and T', with 0 <= T's <= T's' < number of steps.

    T' is the nearest, after at least one where there are steps to spare, as noise alone has no picture to
    move; T as ``step_before`` chooses it. shape: of latents, (... h w).
    """
    height, width = shape[-2:]
    alphas = pipe.scheduler.alphas_cumprod
    time_0, time_1 = default_times(alphas, height, width)
    time_0 = time_0 if motion.t0 is None else motion.t0
    time_1 = time_1 if motion.t1 is None else motion.t1
    replace(motion, t0=time_0, t1=time_1).check()
    t0 = max(nearest_index(schedule, time_0), min(1, len(schedule.timesteps) - 1))
    return step_before(schedule, t0, float(alphas[time_1] / alphas[time_0].clamp(min=1e-12))), t0
